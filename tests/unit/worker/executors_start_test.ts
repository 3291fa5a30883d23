/**
 * What it costs to start a program, and what is said where that cannot be done.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { commandExecutor } from "../../../worker/executors/command/command.ts";
import type { Evaluator } from "../../../shared/model/task.ts";
import type { Executor } from "../../../worker/executors/executor.ts";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { PYTHON } from "./executors_python_rig.ts";
import { attemptOf, observe } from "../../conformance/executor_attempts.ts";

const ATTEMPTS = 30;
/** The bar: so much more than to start the process by hand. */
const MORE_MAX_MS = 10;
const BALLAST_BYTES = 300 * 1024 * 1024;
const PAGE_BYTES = 4096;
const REMOVES = `import shutil
def evaluate(candidate, context):
    shutil.rmtree(candidate["remove"], ignore_errors=True)
    return {"a": 1}
`;
const evaluator = { kind: "command", command: ["/bin/true"], result: "exit_code" } as const;

Deno.test("a command costs little more than its process, however much memory the worker has in use", async () => {
  const ballast = new Uint8Array(BALLAST_BYTES);
  for (let at = 0; at < BALLAST_BYTES; at += PAGE_BYTES) ballast[at] = 1;
  const executor = commandExecutor();
  const byHand: number[] = [];
  const asAttempt: number[] = [];
  for (let number = 1; number <= ATTEMPTS; number += 1) {
    byHand.push(await timeOf(() => new Deno.Command("/bin/true", { stdin: "null" }).output()));
    const attempt = attemptOf({ evaluator, input: { candidate: {} } }, 0, number);
    asAttempt.push(await timeOf(() => observe(executor, attempt).ended));
  }
  await executor.close();
  equal(ballast[0], 1);
  // The quickest ones: what else this machine does slows the others down.
  const moreMs = Math.min(...asAttempt) - Math.min(...byHand);
  ok(moreMs < MORE_MAX_MS, `an attempt takes ${moreMs} ms more than its process`);
});

Deno.test({
  name: `an evaluator that removes what it lies beside ends, and the next ones run all the same${
    PYTHON === undefined ? " (passed over: there is no python3 in PATH)" : ""
  }`,
  ignore: PYTHON === undefined,
  timeout: 60_000,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/evaluate.py`;
    await Deno.writeTextFile(path, REMOVES);
    const command = { kind: "command", command: ["rm", "-rf", "{remove}"], result: "exit_code" } as const;
    const data = `${folder}/data`;
    const ways: [Executor, Evaluator, string][] = [
      [commandExecutor({ folder: data }), command, `${data}/commands`],
      [pythonExecutor({ folder: data }), { kind: "python", path, processTrials: 1 }, `${data}/python`],
    ];
    let number = 0;
    for (const [executor, evaluator, place] of ways) {
      for (const remove of [place, `${folder}/nothing`, place]) {
        const attempt = attemptOf({ evaluator, input: { candidate: { remove } } }, 0, number += 1);
        equal((await observe(executor, attempt).ended).state, "completed");
      }
      await executor.close();
    }
    await Deno.remove(folder, { recursive: true });
  },
});

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
