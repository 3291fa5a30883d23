/**
 * The seam for executors: a worker's ways of running evaluators.
 *
 * Promise: after `start`, exactly one `ended` event comes, whatever the evaluator does; nothing comes after it; and when
 * it has come, nothing of the attempt is alive.
 * Not here: deadlines and which attempt runs when (slots.ts): they use `stop`.
 *
 * @module
 */
import type { AttemptEnd, Metrics } from "../../shared/model/outcome.ts";
import type { Evaluator, Lease } from "../../shared/model/task.ts";

/** One execution of a task. */
export interface Attempt {
  readonly lease: Lease;
  readonly evaluator: Evaluator;
  /** msgpack of a `TaskInput`. */
  readonly payload: Uint8Array;
  /** Which of the worker's slots it runs on, from 0: a warm process belongs to a slot. */
  readonly slot: number;
}

/** What an executor tells of an attempt. `stopped` is the end of an attempt after `stop`. */
export type ExecutorEvent =
  | { readonly type: "report"; readonly step: number; readonly metrics: Metrics }
  | {
    readonly type: "ended";
    readonly end: Extract<AttemptEnd, { state: "completed" | "failed" }> | { readonly state: "stopped" };
  };

/** An attempt that runs. */
export interface Running {
  /** Asks it to end, and kills it after the grace period; `ended` follows either way. */
  stop(graceMs: number): void;
}

/** A way of running evaluators. */
export interface Executor {
  /** The kind of evaluator that it runs, such as `module`. */
  readonly kind: Evaluator["kind"];
  /** Calls `events` from an empty stack or from within; the caller stands both. */
  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running;
  /** Ends everything that it keeps warm. */
  close(): Promise<void>;
}
