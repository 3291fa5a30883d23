import { deepEqual, equal, match, ok } from "node:assert/strict";
import { busyPercent, loadPercent, parseProcStat, readCpuTicks } from "../../../worker/vitals/cpu.ts";
import { readFacts } from "../../../worker/vitals/machine.ts";
import { NvidiaSmi, parseGpus } from "../../../worker/vitals/nvidia_smi.ts";
import { startVitals } from "../../../worker/vitals/vitals.ts";
import { untilGone } from "../../conformance/executor_processes.ts";
import type { WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";

const FIXTURES = new URL("../../fixtures/nvidia_smi/", import.meta.url);
const MIB = 1024 * 1024;
const NOWHERE = new NvidiaSmi("no-such-nvidia-smi");

const gpusOf = (name: string) => parseGpus(Deno.readTextFileSync(new URL(name, FIXTURES)));

/** A tool that is a shell script. */
async function withTool(
  script: string,
  body: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/nvidia-smi`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await body(`${folder}/nvidia-smi`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("devices are read from the tool's lines", () => {
  deepEqual(gpusOf("two_devices.csv"), [
    {
      index: 0,
      uuid: "GPU-00000000-0000-0000-0000-000000000001",
      name: "NVIDIA A100-SXM4-80GB",
      memoryBytes: 81920 * MIB,
      usedBytes: 1024 * MIB,
      utilizationPercent: 37,
      temperatureCelsius: 41,
    },
    {
      index: 1,
      uuid: "GPU-00000000-0000-0000-0000-000000000002",
      name: "NVIDIA A100-SXM4-80GB",
      memoryBytes: 81920 * MIB,
      usedBytes: 0,
      utilizationPercent: 0,
      temperatureCelsius: 30,
    },
  ]);
});

Deno.test("what a device does not tell is null", () => {
  const fields = gpusOf("missing_fields.csv").map((
    { memoryBytes, usedBytes, utilizationPercent, temperatureCelsius },
  ) => [memoryBytes, usedBytes, utilizationPercent, temperatureCelsius]);
  deepEqual(fields, [[2002 * MIB, 231 * MIB, null, 52], [81559 * MIB, 12 * MIB, null, 33], [
    null,
    null,
    null,
    null,
  ]]);
});

Deno.test("units and lines of another form do no harm", () => {
  const [withUnits] = gpusOf("with_units.csv");
  deepEqual([withUnits?.memoryBytes, withUnits?.usedBytes, withUnits?.utilizationPercent], [
    15360 * MIB,
    105 * MIB,
    8,
  ]);
  deepEqual(gpusOf("noise.csv").map(({ index, name, memoryBytes }) => [index, name, memoryBytes]), [
    [1, "Quadro, with a comma", 8192 * MIB],
  ]);
  deepEqual(parseGpus(""), []);
});

Deno.test("the tool is found in PATH and asked for the columns that are read", async () => {
  const script = 'test "$#" = 2 || exit 1\necho "0, GPU-1, $1, 1, 1, 1, 1" | tr , "\\n" >"$0.asked"\n' +
    'echo "0, GPU-1, Fake, 100, 50, 7, 30"';
  await withTool(script, async (path, folder) => {
    const before = Deno.env.get("PATH") ?? "";
    Deno.env.set("PATH", `${folder}:${before}`);
    const gpus = await new NvidiaSmi().read();
    Deno.env.set("PATH", before);
    deepEqual(gpus.map(({ name, memoryBytes }) => [name, memoryBytes]), [["Fake", 100 * MIB]]);
    match(await Deno.readTextFile(`${path}.asked`), /--query-gpu=index\nuuid\nname\nmemory\.total/);
  });
});

Deno.test("a machine without the tool has no devices, and is not searched again", async () => {
  deepEqual(await NOWHERE.read(), []);
  await withTool('echo "0, GPU-1, Fake, 100, 50, 7, 30"', async (path) => {
    const tool = new NvidiaSmi(path);
    await Deno.rename(path, `${path}.away`);
    deepEqual(await tool.read(), []);
    await Deno.rename(`${path}.away`, path);
    deepEqual(await tool.read(), []);
  });
});

Deno.test("a tool that fails is not asked again for a while", async () => {
  await withTool('echo asked >>"$0.asked"; exit 9', async (path) => {
    const tool = new NvidiaSmi(path);
    deepEqual(await tool.read(), []);
    deepEqual(await tool.read(), []);
    equal(await Deno.readTextFile(`${path}.asked`), "asked\n");
  });
});

Deno.test("a tool that hangs is killed with all that it started", async () => {
  await withTool('echo $$ >"$0.group"; sleep 3600; true', async (path) => {
    // Long enough for a shell to start on a busy machine.
    deepEqual(await new NvidiaSmi(path, 1_000).read(), []);
    const group = Number(await Deno.readTextFile(`${path}.group`));
    deepEqual(await untilGone(new Set([group])), []);
  });
});

Deno.test("a sampler that is stopped does not wait for a tool that hangs", async () => {
  await withTool("sleep 3600", async (path) => {
    const samples: WorkerVitals[] = [];
    const sampler = startVitals({ gpus: new NvidiaSmi(path), sampled: (vitals) => samples.push(vitals) });
    await sampler.stop();
    deepEqual(samples, []);
  });
});

Deno.test("the kernel's counters give the share of time that was not idle", () => {
  const before = parseProcStat("cpu  100 10 50 800 40 0 0 0 30 0\ncpu0 1 2 3 4\n");
  const after = parseProcStat("cpu  150 10 75 850 90 0 0 25 80 0\n");
  deepEqual(before, { busy: 160, total: 1_000 });
  deepEqual(after, { busy: 260, total: 1_200 });
  ok(before !== undefined && after !== undefined);
  equal(busyPercent(before, after), 50);
  equal(busyPercent(after, after), null);
});

Deno.test("a system without the counters is no error", () => {
  equal(readCpuTicks("/nowhere/stat"), undefined);
  equal(parseProcStat("no such line"), undefined);
  equal(parseProcStat("cpu  a b c d"), undefined);
  const load = loadPercent(2);
  ok(load === null || (load >= 0 && load <= 100));
});

Deno.test("samples come at once and at each interval, with numbers of this machine", async () => {
  const samples: WorkerVitals[] = [];
  const twice = Promise.withResolvers<void>();
  const sampler = startVitals({
    intervalMs: 10,
    gpus: NOWHERE,
    sampled(vitals) {
      if (samples.push(vitals) === 2) twice.resolve();
    },
  });
  await twice.promise;
  await sampler.stop();
  deepEqual(sampler.latest(), samples.at(-1));
  for (const { cpuPercent, memoryUsedBytes, rssBytes, gpus } of samples) {
    ok(cpuPercent === null || (cpuPercent >= 0 && cpuPercent <= 100));
    ok((memoryUsedBytes ?? 0) > 0 && (rssBytes ?? 0) > 10 * MIB);
    deepEqual(gpus, []);
  }
});

Deno.test("the facts name this machine", () => {
  const facts = readFacts();
  equal(facts.pid, Deno.pid);
  ok(facts.cpus >= 1 && facts.memoryBytes > 0);
  match(facts.runtime, /^deno \d+\.\d+/);
  match(facts.software, /^espalier \d+\.\d+\.\d+/);
});
