/**
 * Commands for tests of their executor.
 *
 * @module
 */
import type { CommandEvaluator } from "../../../shared/model/task.ts";
import { commandExecutor } from "../../../worker/executors/command/command.ts";
import type { Attempt, Executor } from "../../../worker/executors/executor.ts";
import { attemptOf, type End, observe, type Observed } from "../../conformance/executor_attempts.ts";

/** What a test has. */
export interface CommandRig {
  /** The worker's data folder. */
  readonly folder: string;
  readonly executor: Executor;
  readonly warnings: readonly string[];
  /** Starts a shell script, whose braces are its own. */
  script(text: string, more?: Partial<CommandEvaluator>, candidate?: unknown): Observed;
  /** Starts a shell script in an attempt that has been given more. */
  given(text: string, more: Partial<Attempt>): Observed;
  /** Runs it to its end. */
  run(text: string, more?: Partial<CommandEvaluator>, candidate?: unknown): Promise<End>;
}

/** A test with an executor, closed after it, and a folder, removed after it. */
export function withCommands(name: string, body: (rig: CommandRig) => Promise<void>): void {
  Deno.test({
    name,
    timeout: 60_000,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "espalier-command-" });
      const warnings: string[] = [];
      const executor = commandExecutor({ folder, warns: (message) => warnings.push(message) });
      let number = 0;
      const start = (
        text: string,
        more: Partial<CommandEvaluator>,
        candidate: unknown,
        given: Partial<Attempt>,
      ) => {
        const command = ["sh", "-c", text.replaceAll("{", "{{").replaceAll("}", "}}")];
        number += 1;
        const sample = { evaluator: { kind: "command", command, ...more } as const, input: { candidate } };
        return observe(executor, { ...attemptOf(sample, 0, number), ...given });
      };
      const script: CommandRig["script"] = (text, more = {}, candidate = {}) =>
        start(text, more, candidate, {});
      const given: CommandRig["given"] = (text, more) => start(text, { result: "exit_code" }, {}, more);
      try {
        await body({ folder, executor, warnings, script, given, run: (...words) => script(...words).ended });
      } finally {
        await executor.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** The folder of attempt 1 of task `number`. */
export function folderOf(rig: CommandRig, number = 1): string {
  return `${rig.folder}/attempts/test_${number}_1`;
}

/** The message and finality of a failure. */
export function failureOf(end: End): { readonly message: string; readonly final: boolean } {
  if (end.state !== "failed") throw new Error(`the attempt has not failed: ${JSON.stringify(end)}`);
  return { message: end.message, final: end.final };
}
