import { deepEqual, equal, match, ok } from "node:assert/strict";
import { busyPercent, loadPercent, parseProcStat, readCpuTicks } from "../../../worker/vitals/cpu.ts";
import { readFacts } from "../../../worker/vitals/machine.ts";
import { startVitals } from "../../../worker/vitals/vitals.ts";
import type { WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";

const MIB = 1024 * 1024;

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
    sampled(vitals) {
      if (samples.push(vitals) === 2) twice.resolve();
    },
  });
  await twice.promise;
  sampler.stop();
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
