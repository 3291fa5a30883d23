/**
 * What it costs to start a program, and what is said where that cannot be done.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { commandExecutor } from "../../../worker/executors/command.ts";
import { attemptOf, observe } from "../../conformance/executor_attempts.ts";

const ATTEMPTS = 30;
/** The bar: so much more than to start the process by hand. */
const MORE_MAX_MS = 10;
const BALLAST_BYTES = 300 * 1024 * 1024;
const PAGE_BYTES = 4096;
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

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
