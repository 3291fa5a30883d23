/** The tool as a process: what it lists is found and watched, and it may fail, hang, or not be there. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type GpuState, NvidiaGpus, type NvidiaOptions } from "../../../worker/devices/nvidia_gpus.ts";
import type { FoundDevice } from "../../../worker/devices/offered.ts";
import { Tool } from "../../../worker/devices/tool.ts";
import { untilGone } from "../../conformance/executor_processes.ts";
import { withFakeSmi } from "../../fixtures/nvidia_smi/fake_smi.ts";

const TWO = Deno.readTextFileSync(
  new URL("../../fixtures/nvidia_smi/made_up/two_devices.csv", import.meta.url),
);
const ONE = TWO.split("\n").slice(0, 2).join("\n");
const LOST = Deno.readTextFileSync(new URL("../../fixtures/nvidia_smi/error_unknown.txt", import.meta.url));
const FIRST = "GPU-00000000-0000-0000-0000-000000000001";
const SECOND = "GPU-00000000-0000-0000-0000-000000000002";
const QUICK: NvidiaOptions = { intervalMs: 1, restTimes: 0 };

/** Finds devices, watches all of them, and waits for the state that is wanted. */
async function watching(
  program: string,
  body: (
    until: (wanted: (state: GpuState) => boolean) => Promise<GpuState>,
    found: readonly FoundDevice[],
  ) => Promise<void>,
): Promise<void> {
  const gpus = new NvidiaGpus({ ...QUICK, program });
  let told = () => {};
  try {
    const found = await gpus.find();
    ok(Array.isArray(found), String(found));
    gpus.watch(found as readonly FoundDevice[], () => told());
    await body(async (wanted) => {
      while (!wanted(gpus.state())) {
        const changed = Promise.withResolvers<void>();
        told = changed.resolve;
        if (!wanted(gpus.state())) await changed.promise;
      }
      return gpus.state();
    }, found as readonly FoundDevice[]);
  } finally {
    await gpus.stop();
  }
}

const outIds = ({ out }: GpuState) => out.map(({ id }) => id).join();

Deno.test("devices are found, with the columns that are asked for", () =>
  withFakeSmi({ table: TWO }, async (fake) => {
    const found = await new NvidiaGpus({ program: fake.program }).find();
    ok(Array.isArray(found));
    deepEqual(found.map(({ index, memoryBytes }) => [index, memoryBytes]), [[0, 80 * 2 ** 30], [
      1,
      80 * 2 ** 30,
    ]]);
    match(
      await fake.asked(),
      /^--query-gpu=index,uuid,pci\.bus_id,name,memory\.total,.* --format=csv,nounits\n-L\n--query-gpu=uuid,mig/,
    );
  }));

Deno.test("a device that vanishes is out of service, and back when it was well for a while", () =>
  withFakeSmi({ table: TWO }, async (fake) => {
    await watching(fake.program, async (until) => {
      await fake.says({ table: ONE });
      const { out } = await until((state) => outIds(state) === SECOND);
      equal(out[0]?.reason, "nvidia-smi does not list it any more");
      await fake.says({ table: TWO });
      await until((state) => state.out.length === 0);
    });
  }));

Deno.test("where one device cannot be reached, the others are asked for by name and stay in service", () =>
  withFakeSmi({ table: TWO }, async (fake) => {
    await watching(fake.program, async (until) => {
      await fake.says({ table: LOST, code: 15, named: ONE });
      const { out } = await until((state) => outIds(state) === SECOND);
      match(out[0]?.reason ?? "", /cannot reach it: Unknown Error/);
      match(await fake.asked(), /-i GPU-00000000-0000-0000-0000-000000000001 --query-gpu/);
    });
  }));

Deno.test("a device that is lost before the worker starts leaves it the others", () =>
  withFakeSmi({ table: LOST, code: 15, named: ONE }, async (fake) => {
    const found = await new NvidiaGpus({ program: fake.program }).find();
    deepEqual((found as readonly FoundDevice[]).map(({ index }) => index), [0]);
  }));

Deno.test("a GPU in MIG mode is handed out by its slices; without any it is not offered", () =>
  withFakeSmi({
    table: TWO,
    list:
      `GPU 0: NVIDIA A100 (UUID: ${FIRST})\n  MIG 3g.40gb Device 0: (UUID: MIG-1)\nGPU 1: NVIDIA A100 (UUID: ${SECOND})`,
    migModes: `${FIRST}, Enabled\n${SECOND}, Enabled`,
  }, async (fake) => {
    await watching(fake.program, async (until, found) => {
      deepEqual(found.map(({ id, memoryBytes }) => [id, memoryBytes]), [["MIG-1", 40e9]]);
      await fake.says({ table: TWO, list: `GPU 0: NVIDIA A100 (UUID: ${FIRST})` });
      await until((state) => outIds(state) === "MIG-1");
    });
  }));

Deno.test("a tool that hangs is asked again soon, and says of no device that it is out at once", () =>
  withFakeSmi({ table: TWO }, async (fake) => {
    const found = await new NvidiaGpus({ program: fake.program }).find();
    const gpus = new NvidiaGpus({ intervalMs: 1, answerWithinMs: 100, program: fake.program });
    await fake.says({ script: 'echo "$*" >>"$0.asked"; exec sleep 3600' });
    gpus.watch(found as readonly FoundDevice[], () => {});
    while ((await fake.asked()).split("\n").length < 6) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    deepEqual(gpus.state().out, []);
    await gpus.stop();
  }));

Deno.test("a tool that fails says why, and nothing is known", () =>
  withFakeSmi(
    { table: "Failed to initialize NVML: Driver/library version mismatch", code: 18 },
    async (fake) => {
      const found = await new NvidiaGpus({ program: fake.program }).find();
      match(String(found), /ended with code 18: Failed to initialize NVML: Driver\/library version mismatch/);
    },
  ));

Deno.test("a machine without devices, or without the tool, has none", async () => {
  await withFakeSmi({ table: "No devices were found", code: 6 }, async (fake) => {
    deepEqual(await new NvidiaGpus({ program: fake.program }).find(), []);
  });
  equal(await new NvidiaGpus({ program: "no-such-nvidia-smi" }).find(), undefined);
});

Deno.test("a tool that hangs is killed with all that it started, and answers for nothing", () =>
  withFakeSmi({ script: 'echo $$ >"$0.group"; sleep 3600; true' }, async (fake) => {
    // Long enough for a shell to start on a busy machine.
    const said = await new Tool(fake.program, 1_000).ask([]);
    equal(said.type, "hung");
    const group = Number(await Deno.readTextFile(`${fake.program}.group`));
    deepEqual(await untilGone(new Set([group])), []);
  }));

Deno.test("while a tool cannot be killed no second one is started, and once it is gone it is asked again", () => {
  // What keeps the pipe has left the group, as one that hangs in the kernel cannot be killed.
  const hangs = 'exec setsid -f sh -c "echo \\$\\$ >$0.left; exec sleep 3600"';
  return withFakeSmi({ script: `echo asked >>"$0.asked"; ${hangs}` }, async (fake) => {
    const tool = new Tool(fake.program, 1_000);
    const why = async () => {
      const said = await tool.ask([]);
      return said.type === "hung" ? said.why : said.type;
    };
    match(await why(), /did not answer within 1000 ms/);
    await fake.says({ script: "exit 0" });
    match(await why(), /hangs and cannot be killed/);
    equal(await fake.asked(), "asked\n");
    Deno.kill(Number(await Deno.readTextFile(`${fake.program}.left`)), "SIGKILL");
    while (await why() !== "text") await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

Deno.test("a tool that talks without end is cut off", () =>
  withFakeSmi({ script: "exec yes" }, async (fake) => {
    const said = await new Tool(fake.program, 10_000).ask([]);
    equal(said.type, "failed");
  }));

Deno.test("a stop does not wait for a tool that hangs", () =>
  withFakeSmi({ table: TWO }, async (fake) => {
    const gpus = new NvidiaGpus({ ...QUICK, program: fake.program });
    const found = await gpus.find();
    await fake.says({ script: "sleep 3600" });
    gpus.watch(found as readonly FoundDevice[], () => {});
    await gpus.stop();
  }));
