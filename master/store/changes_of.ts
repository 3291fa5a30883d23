/**
 * What a commit tells the feed.
 *
 * Promise: for every commit, the changes that the store's query `changes` answers are those that this function makes
 * of what was committed and its verdicts, in that order. So live subscribers and those who read later see the same.
 *
 * @module
 */
import type { Change } from "../../shared/model/change.ts";
import type { TaskId } from "../../shared/model/ids.ts";
import type { Outcome } from "../../shared/model/outcome.ts";
import type { StoreChange, StoreVerdict } from "./store.ts";

const NOTHING: readonly Change[] = [];

/**
 * The changes that one committed thing shows to the feed: none where it was refused or had been recorded before.
 *
 * @param verdict what the store answered to it
 */
export function changesOf(change: StoreChange, verdict: StoreVerdict): readonly Change[] {
  if (verdict.type !== "recorded" || verdict.again) return NOTHING;
  switch (change.type) {
    case "command": {
      const nested = verdict.nested ?? [];
      return change.changes.flatMap((each, index) => changesOf(each, nested[index] ?? { type: "unknown" }));
    }
    case "tasks_submitted": {
      const count = change.payloads.length;
      if (count === 0) return NOTHING;
      return [{ kind: "submitted", group: change.group, first: change.first, count }];
    }
    case "outcome":
      return [endedChange(change.task, change.outcome, change.worker, change.elapsedMs)];
    case "attempt_ended": {
      const { lease, worker, cause, message } = change;
      return [{ kind: "attempt_ended", task: lease.task, attempt: lease.attempt, worker, cause, message }];
    }
    case "experiment_added": {
      const { experiment, name } = change;
      return [{ kind: "experiment", experiment, name, state: "running", reason: "" }];
    }
    case "experiment_state": {
      const { experiment, state, reason } = change;
      return [{ kind: "experiment", experiment, name: verdict.name ?? "", state, reason }];
    }
    case "group_added":
    case "attempt_opened":
    case "reports":
      return NOTHING;
  }
}

/** The feed's word for an outcome. */
export function endedChange(task: TaskId, outcome: Outcome, worker: string, elapsedMs: number): Change {
  switch (outcome.state) {
    case "completed":
    case "pruned":
      return { kind: "ended", task, state: outcome.state, metrics: outcome.metrics, worker, elapsedMs };
    case "failed": {
      const { state, cause, message } = outcome;
      return { kind: "ended", task, state, cause, message, worker, elapsedMs };
    }
    case "cancelled":
      return { kind: "ended", task, state: "cancelled", worker, elapsedMs };
  }
}
