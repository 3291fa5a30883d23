/**
 * When an experiment has had enough.
 *
 * @module
 */
import { POPULATION_DEFAULT } from "../../shared/model/optimizer_options.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import type { TrialCounts } from "../../shared/model/experiment.ts";

/** How many outcomes end the experiment; undefined where only time or a target does. */
export function trialLimit(spec: Spec): number | undefined {
  const { trials, generations } = spec.budget;
  const { optimizer } = spec;
  const population = "population" in optimizer ? optimizer.population : POPULATION_DEFAULT;
  const byGenerations = generations === undefined ? Infinity : generations * population;
  const limit = Math.min(trials ?? Infinity, byGenerations);
  return Number.isFinite(limit) ? limit : undefined;
}

/** Outcomes that the budget counts: every one but cancelled. */
export function counted(counts: TrialCounts): number {
  return counts.completed + counts.failed + counts.pruned;
}

/** Whether a score is as good as the target. @param score turned so that larger is better */
export function reachesTarget(spec: Spec, score: number | undefined): boolean {
  const { target } = spec.budget;
  if (target === undefined || score === undefined) return false;
  return score >= (spec.objectives[0]?.direction === "minimize" ? -target : target);
}
