/**
 * The seam for search algorithms.
 *
 * Promise: an optimizer is a fold. `propose` changes nothing; `asked` and `told` do. The same history and the same
 * random stream give the same proposal, so a search can be rebuilt from its stored history.
 * Not here: whether a proposal is a duplicate, when to ask, what to store (experiments/).
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { Candidate } from "../../shared/space/candidate.ts";

/** A candidate that the optimizer would like to see evaluated. */
export interface Proposal {
  readonly candidate: Candidate;
  /** Numbers of the trials that it was made from. */
  readonly parents?: readonly number[];
  /** The trial whose checkpoint it goes on from. */
  readonly continues?: number;
}

/** A trial that was made of a proposal. */
export interface AskedTrial {
  /** 1 for the first trial of the experiment. */
  readonly number: number;
  readonly candidate: Candidate;
  readonly parents?: readonly number[];
}

/**
 * A trial that has ended. `scores` has one value an objective, each turned so that larger is better.
 * A failure is never a bad score: it has none.
 */
export type FinishedTrial =
  & AskedTrial
  & (
    | { readonly state: "completed" | "pruned"; readonly scores: readonly number[] }
    | { readonly state: "failed" | "cancelled" }
  );

/** A search algorithm. */
export interface Optimizer {
  /**
   * The next candidate; `wait` where it needs an outcome first; `exhausted` where there is nothing more to try.
   *
   * @param random seeded by (experiment seed, trial number, try)
   */
  propose(random: Random): Proposal | "wait" | "exhausted";
  /** A proposal became a trial. */
  asked(trial: AskedTrial): void;
  /** A trial has ended and its outcome is durable. Called once a trial, in the order of commits. */
  told(trial: FinishedTrial): void;
}
