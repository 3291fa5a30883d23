/**
 * Changes: what the feed tells of committed facts.
 *
 * Promise: a `log` subscriber sees every change of every commit, in the order of commits.
 *
 * @module
 */
import type { ExperimentState } from "./experiment.ts";
import type { GroupId, TaskId } from "./ids.ts";
import type { AttemptEndCause, Metrics, OutcomeState } from "./outcome.ts";

/** One committed fact. */
export type Change =
  /** Tasks `first` to `first + count - 1` of a group are durable. */
  | { readonly kind: "submitted"; readonly group: GroupId; readonly first: number; readonly count: number }
  /** A task has its outcome. */
  | {
    readonly kind: "ended";
    readonly task: TaskId;
    readonly state: OutcomeState;
    readonly metrics?: Metrics | undefined;
    readonly cause?: string | undefined;
    readonly message?: string | undefined;
    readonly worker: string;
    readonly elapsedMs: number;
  }
  /** An attempt ended without an outcome; the task may be tried again. */
  | {
    readonly kind: "attempt_ended";
    readonly task: TaskId;
    readonly attempt: number;
    readonly worker: string;
    readonly cause: AttemptEndCause;
    readonly message: string;
  }
  | {
    readonly kind: "experiment";
    readonly experiment: GroupId;
    readonly name: string;
    readonly state: ExperimentState;
    readonly reason: string;
  };
