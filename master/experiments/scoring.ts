/**
 * From metrics to scores: one value an objective, turned so that larger is better.
 *
 * @module
 */
import type { Objective } from "../../shared/model/experiment.ts";
import type { Metrics, Outcome } from "../../shared/model/outcome.ts";
import type { AskedTrial, FinishedTrial } from "../search/optimizer.ts";

/** The scores of some metrics; the name of the first objective that they lack. */
export function scoresOf(
  objectives: readonly Objective[],
  metrics: Metrics,
): { readonly scores: readonly number[] } | { readonly missing: string } {
  const scores: number[] = [];
  for (const { metric, direction } of objectives) {
    const value = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
    if (value === undefined) return { missing: metric };
    scores.push(direction === "minimize" ? -value : value);
  }
  return { scores };
}

/** What the optimizer is told of an outcome. A trial without the objectives' metrics counts as failed, not as bad. */
export function finishedTrial(
  objectives: readonly Objective[],
  trial: AskedTrial,
  outcome: Pick<Outcome, "state"> & { readonly metrics?: Metrics | null },
): FinishedTrial {
  if (outcome.state === "failed" || outcome.state === "cancelled") return { ...trial, state: outcome.state };
  const scored = scoresOf(objectives, outcome.metrics ?? {});
  return "missing" in scored
    ? { ...trial, state: "failed" }
    : { ...trial, state: outcome.state, scores: scored.scores };
}
