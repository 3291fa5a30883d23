/**
 * What tests of module executors share: an executor for each test, and ways to run fixtures.
 *
 * @module
 */
import { moduleExecutor, type ModuleOptions } from "../../worker/executors/module/module.ts";
import type { Executor } from "../../worker/executors/executor.ts";
import { type End, fixture, run } from "../conformance/executor_attempts.ts";

/** What hangs is a failure. */
const TIMEOUT_MS = 30_000;

/** A test with an executor of its own, which is closed afterwards. */
export function test(
  sentence: string,
  body: (executor: Executor) => Promise<void>,
  options: ModuleOptions = {},
): void {
  const fn = async () => {
    const executor = moduleExecutor(options);
    try {
      await body(executor);
    } finally {
      await executor.close();
    }
  };
  Deno.test(sentence, { timeout: TIMEOUT_MS }, fn);
}

/** Runs a fixture to its end. */
export function end(executor: Executor, name: string, candidate: unknown = {}): Promise<End> {
  return run(executor, { evaluator: fixture(name), input: { candidate } });
}

/** The failure of a fixture. */
export async function failure(executor: Executor, name: string, candidate: unknown = {}) {
  const ended = await end(executor, name, candidate);
  if (ended.state === "failed") return ended;
  throw new Error(`it ended as ${JSON.stringify(ended)}`);
}

/** Runs a module that is written for the test. */
export async function endOf(executor: Executor, source: string): Promise<End> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/evaluate.ts`, source);
    const evaluator = { kind: "module", path: `${folder}/evaluate.ts` } as const;
    return await run(executor, { evaluator, input: { candidate: {} } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
