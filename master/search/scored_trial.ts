/**
 * Scored trials: what searches over one objective remember of a trial that has ended.
 *
 * @module
 */
import type { Candidate } from "../../shared/space/candidate.ts";
import type { FinishedTrial } from "./optimizer.ts";

/** A finished trial with a score that can be compared. */
export interface ScoredTrial {
  readonly number: number;
  readonly candidate: Candidate;
  /** Of the first objective; larger is better. May be infinite. */
  readonly score: number;
}

/** A trial with its first score; undefined where it failed, was cancelled, or has none that is a number. */
export function scoredTrial(trial: FinishedTrial): ScoredTrial | undefined {
  if (trial.state !== "completed" && trial.state !== "pruned") return undefined;
  const [score] = trial.scores;
  if (score === undefined || Number.isNaN(score)) return undefined;
  return { number: trial.number, candidate: trial.candidate, score };
}
