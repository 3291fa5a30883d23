/**
 * Attempts are held to what their tasks ask for, and it is said when they want more.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { type Resources } from "../../../shared/model/resources.ts";
import type { Evaluator } from "../../../shared/model/task.ts";
import { Cgroups } from "../../../worker/executors/processes/cgroup.ts";
import { commandExecutor } from "../../../worker/executors/command/command.ts";
import type { Executor } from "../../../worker/executors/executor.ts";
import type { LimitOptions } from "../../../worker/executors/processes/limits.ts";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { attemptOf, type End, observe } from "../../conformance/executor_attempts.ts";

const MIB = 1024 * 1024;
const IS_LINUX = Deno.build.os === "linux";
const TAKES_MUCH = "b = bytearray(600 * 1024 * 1024)";
const takesMuch = command(`exec python3 -c '${TAKES_MUCH}'`);
const marks = { cgroups: false };

const groups = Cgroups.open(crypto.randomUUID());
const probe = groups?.make("probe", { memoryBytes: 64 * MIB });
const limitsMemory = probe?.limitsMemory ?? false;
await probe?.end();
groups?.close();

linuxTest("a command that wants more memory than its task asks for is told so", async () => {
  const end = await run(commandExecutor(marks), takesMuch, { memoryBytes: 256 * MIB });
  equal(
    messageOf(end),
    "the evaluator used more memory than the 256 MiB that each of its processes may: MemoryError",
  );
});

linuxTest("so is a function in Python, and its process serves the next attempt", async () => {
  await withPython(
    `import os\ndef evaluate(c, x):\n  if c["much"]: ${TAKES_MUCH}\n  return {"pid": os.getpid()}\n`,
    async (evaluator, executor) => {
      const resources = { memoryBytes: 256 * MIB };
      const little = await runIn(executor, evaluator, resources, { much: false });
      const much = await runIn(executor, evaluator, resources, { much: true });
      const again = await runIn(executor, evaluator, resources, { much: false });
      match(messageOf(much), /^the evaluator used more memory than the 256 MiB that each .* MemoryError/);
      deepEqual(again, little);
    },
  );
});

linuxTest("attempts with other limits get another process of Python", async () => {
  await withPython(
    `import resource\ndef evaluate(c, x): return {"kib": resource.getrlimit(resource.RLIMIT_DATA)[0] // 1024}\n`,
    async (evaluator, executor) => {
      for (const mib of [256, 512]) {
        const end = await runIn(executor, evaluator, { memoryBytes: mib * MIB }, {});
        deepEqual(end, { state: "completed", metrics: { kib: mib * 1024 } });
      }
    },
  );
});

linuxTest(
  "no limit of each process is set where there are GPUs, nor where the worker is told so",
  async () => {
    for (
      const [options, gpus] of [[marks, 1], [{ ...marks, limits: false }, 0]] satisfies [
        LimitOptions,
        number,
      ][]
    ) {
      const end = await run(commandExecutor(options), takesMuch, { memoryBytes: 256 * MIB, gpus });
      equal(end.state, "completed");
    }
  },
);

linuxTest("libraries are told how many cores they have, unless the spec tells them", async () => {
  const said = command("exit $OMP_NUM_THREADS");
  const end = await run(commandExecutor(marks), said, { cpus: 3.5 });
  match(messageOf(end), /exit code 3\b/);
  const named = await run(commandExecutor(marks), { ...said, env: ["OMP_NUM_THREADS=7"] }, { cpus: 3 });
  match(messageOf(named), /exit code 7\b/);
  const unsaid = await run(commandExecutor(marks), said, {});
  equal(unsaid.state, "completed");
});

Deno.test({
  name: `a command whose processes together want more memory than its task asks for is ended and told so${
    limitsMemory ? "" : " (passed over: no control group here can limit memory)"
  }`,
  ignore: !limitsMemory,
  fn: async () => {
    const end = await run(commandExecutor(), takesMuch, { memoryBytes: 256 * MIB });
    equal(messageOf(end), "the evaluator used more memory than its 256 MiB");
  },
});

function linuxTest(name: string, fn: () => Promise<void>): void {
  const reason = " (passed over: this system keeps no limit of a process's data)";
  Deno.test({ name: IS_LINUX ? name : name + reason, ignore: !IS_LINUX, timeout: 30_000, fn });
}

function command(script: string): Extract<Evaluator, { kind: "command" }> {
  return { kind: "command", command: ["sh", "-c", script], result: "exit_code" };
}

async function withPython(
  text: string,
  body: (evaluator: Evaluator, executor: Executor) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/evaluate.py`, text);
  const executor = pythonExecutor(marks);
  try {
    await body({ kind: "python", path: `${folder}/evaluate.py` }, executor);
  } finally {
    await executor.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(executor: Executor, evaluator: Evaluator, resources: Partial<Resources>): Promise<End> {
  try {
    return await runIn(executor, evaluator, resources, {});
  } finally {
    await executor.close();
  }
}

function runIn(
  executor: Executor,
  evaluator: Evaluator,
  resources: Partial<Resources>,
  candidate: unknown,
): Promise<End> {
  const all = { cpus: 0, memoryBytes: 0, gpus: 0, ...resources };
  return observe(executor, { ...attemptOf({ evaluator, input: { candidate } }), resources: all }).ended;
}

function messageOf(end: End): string {
  return end.state === "failed" ? end.message : end.state;
}
