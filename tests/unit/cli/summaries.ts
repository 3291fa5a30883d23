/**
 * Experiments and trials for tests of what is printed.
 *
 * @module
 */
import type { ExperimentSummary, TrialSummary } from "../../../shared/model/experiment.ts";
import { groupId } from "../../../shared/model/ids.ts";

/** A running experiment, unless told. */
export function summaryOf(id: string, other: Partial<ExperimentSummary> = {}): ExperimentSummary {
  return {
    experiment: groupId(id),
    name: id.replace(/-\d+$/, ""),
    state: "running",
    reason: "",
    trials: { completed: 0, failed: 0, cancelled: 0, pruned: 0 },
    open: 0,
    attempts: 0,
    budgetTrials: 4,
    objectives: [{ metric: "loss", direction: "minimize" }],
    best: null,
    seconds: 1,
    createdAtMs: 0,
    ...other,
  };
}

/** A trial that failed with a message, or completed with metrics. */
export function trialOf(trial: number, end: string | Readonly<Record<string, number>>): TrialSummary {
  const isFailed = typeof end === "string";
  return {
    trial,
    state: isFailed ? "failed" : "completed",
    attempts: 1,
    metrics: isFailed ? null : end,
    candidate: {},
    cause: isFailed ? "evaluator" : null,
    message: isFailed ? end : null,
    worker: null,
    elapsedMs: 1,
    endedAtMs: 1,
    parents: [],
  };
}
