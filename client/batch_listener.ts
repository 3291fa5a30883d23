/**
 * Hears of one batch: turns changes of its tasks into outcomes, and knows when the last one came.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";
import type { GroupId, TaskId } from "../shared/model/ids.ts";
import type { Metrics, OutcomeState } from "../shared/model/outcome.ts";
import type { LogListener } from "./log_router.ts";

/** How one task of a submission ended. */
export interface TaskOutcome {
  /** Which input: 0 for the first. */
  readonly index: number;
  readonly task: TaskId;
  readonly state: OutcomeState;
  readonly metrics: Metrics | undefined;
  /** Why it failed. */
  readonly cause: string | undefined;
  readonly message: string | undefined;
  readonly worker: string;
  readonly elapsedMs: number;
}

/** Who is told by a batch. */
export interface BatchEvents {
  ended(outcomes: readonly TaskOutcome[]): void;
  /** Every task of the batch has its outcome. */
  over(batch: BatchListener): void;
  broken(error: Error): void;
}

/** The tasks of one group. */
export class BatchListener implements LogListener {
  readonly #first: number;
  readonly #events: BatchEvents;
  #left: number;
  #ended: TaskOutcome[] = [];

  /** @param first the index of the group's first task among all inputs */
  constructor(readonly group: GroupId, first: number, count: number, events: BatchEvents) {
    this.#first = first;
    this.#left = count;
    this.#events = events;
  }

  change(change: Change): void {
    if (change.kind !== "ended") return;
    const { task, state, metrics, cause, message, worker, elapsedMs } = change;
    // The number stands behind the group and a slash, and counts from 1.
    const index = this.#first + Number(task.slice(this.group.length + 1)) - 1;
    this.#ended.push({ index, task, state, metrics, cause, message, worker, elapsedMs });
  }

  flush(): void {
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    this.#left -= ended.length;
    if (this.#left <= 0) this.#events.over(this);
    this.#events.ended(ended);
  }

  broken(error: Error): void {
    this.#events.broken(error);
  }
}
