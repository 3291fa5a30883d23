/**
 * What a search is measured on: a space whose every candidate's worth is known without any training.
 *
 * @module
 */
import type { Candidate } from "../../shared/space/candidate.ts";
import type { Space } from "../../shared/space/space.ts";

/** What a trial would have come to. */
export interface Evaluation {
  /** What the search is told. */
  readonly value: number;
  /** What it is not told: how good the candidate is on data that were kept back, larger is better. */
  readonly test?: number;
  /** How long the trial takes, on the virtual clock. */
  readonly seconds: number;
}

/** A space with the worth of its candidates. */
export interface SearchProblem {
  readonly name: string;
  readonly space: Space;
  readonly direction: "maximize" | "minimize";
  /** The best value that any candidate has. */
  readonly optimum: number;
  /** The best `test` of any candidate, where they have one. */
  readonly testOptimum?: number;
  evaluate(candidate: Candidate): Evaluation;
}
