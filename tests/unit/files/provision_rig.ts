/**
 * What tests of provision stand on: executors that are provided with files, and one that says what it was given.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Evaluator } from "../../../shared/model/task.ts";
import type { Attempt, Executor, ExecutorEvent } from "../../../worker/executors/executor.ts";
import { Provision } from "../../../worker/files/provision.ts";
import { attemptOf } from "../../conformance/executor_attempts.ts";
import { FolderTransfer, inFolder, namesIn } from "./rig.ts";

/** Of one test. */
export interface Rig {
  readonly folder: string;
  readonly transfer: FolderTransfer;
  readonly warnings: string[];
  readonly provision: Provision;
  /** An executor that is closed after the test. */
  provided(executor: Executor): Executor;
}

/** A test with a provision that leaves nothing. */
export function withProvision(name: string, body: (rig: Rig) => Promise<void>): void {
  Deno.test({
    name,
    timeout: 30_000,
    fn: () =>
      inFolder(async (folder) => {
        const transfer = new FolderTransfer(folder);
        const warnings: string[] = [];
        const dataFolder = `${folder}/data`;
        const provision = new Provision({ dataFolder, transfer, warns: (message) => warnings.push(message) });
        const executors: Executor[] = [];
        const provided = (executor: Executor) => {
          executors.push(provision.around(executor));
          return executors.at(-1) ?? executor;
        };
        await body({ folder, transfer, warnings, provision, provided });
        await Promise.all(executors.map((executor) => executor.close()));
        await provision.close();
        assert.deepEqual(await namesIn(`${dataFolder}/transfers`), []);
      }),
  });
}

/** An attempt of a task of its own. */
export function attemptAt(evaluator: Evaluator, more: Partial<Attempt> = {}, number = 1): Attempt {
  return { ...attemptOf({ evaluator, input: { candidate: { x: 1 } } }, 0, number), ...more };
}

/** Ends when told, or at a stop, and says what it was given. */
export class ToldExecutor implements Executor {
  readonly kind = "command";
  readonly given: Attempt[] = [];
  readonly started = Promise.withResolvers<void>();
  events: (event: ExecutorEvent) => void = () => {};

  start(attempt: Attempt, events: (event: ExecutorEvent) => void) {
    this.given.push(attempt);
    this.events = events;
    this.started.resolve();
    return { stop: () => events({ type: "ended", end: { state: "stopped" } }) };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.events({ type: "ended", end: { state: "completed", metrics: { x: 1 } } });
  }
}

/** Is never run. */
export const COMMAND: Evaluator = { kind: "command", command: ["true"] };
