/**
 * An experiment of which nothing has happened yet, as it is shown.
 *
 * @module
 */
import { type ExperimentSummary, NO_TRIALS } from "../../shared/model/experiment.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import { trialLimit } from "./budget.ts";

/** Its summary before its first trial. */
export function beginning(experiment: GroupId, spec: Spec, createdAtMs: number): ExperimentSummary {
  return {
    experiment,
    name: spec.name,
    state: "running",
    reason: "",
    trials: NO_TRIALS,
    open: 0,
    attempts: 0,
    budgetTrials: trialLimit(spec) ?? null,
    objectives: spec.objectives,
    best: null,
    seconds: 0,
    createdAtMs,
  };
}
