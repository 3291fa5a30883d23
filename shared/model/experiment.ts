/**
 * Experiments and trials as everyone sees them.
 *
 * @module
 */
import type { OutcomeState } from "./outcome.ts";
import type { Metrics } from "./outcome.ts";
import type { GroupId } from "./ids.ts";

/** What is maximised or minimised. */
export interface Objective {
  readonly metric: string;
  readonly direction: "maximize" | "minimize";
}

/** Where an experiment is. `broken`: its code failed for good, its cause is stored. */
export const EXPERIMENT_STATES = ["running", "paused", "completed", "cancelled", "broken"] as const;
export type ExperimentState = (typeof EXPERIMENT_STATES)[number];

/** Whether an experiment will propose no more. */
export function isOver(state: ExperimentState): boolean {
  return state === "completed" || state === "cancelled" || state === "broken";
}

/** How many trials ended in each way. */
export type TrialCounts = Readonly<Record<OutcomeState, number>>;

/** No trial has ended. */
export const NO_TRIALS: TrialCounts = { completed: 0, failed: 0, cancelled: 0, pruned: 0 };

/** The best trial so far: by the first objective. */
export interface BestTrial {
  readonly trial: number;
  readonly metrics: Metrics;
  readonly candidate: unknown;
}

/** An experiment as `run` and `show` print it. */
export interface ExperimentSummary {
  readonly experiment: GroupId;
  readonly name: string;
  readonly state: ExperimentState;
  /** Why it is in this state, where there is something to say. */
  readonly reason: string;
  readonly trials: TrialCounts;
  /** Trials that have no outcome yet. */
  readonly open: number;
  /** Attempts of all trials, retries and duplicates included. */
  readonly attempts: number;
  readonly budgetTrials: number | null;
  readonly objectives: readonly Objective[];
  readonly best: BestTrial | null;
  /** From its start to its end, or to now. */
  readonly seconds: number;
  readonly createdAtMs: number;
}

/** A trial as `trials` prints it. */
export interface TrialSummary {
  readonly trial: number;
  readonly state: "pending" | OutcomeState;
  readonly attempts: number;
  readonly metrics: Metrics | null;
  readonly candidate: unknown;
  /** Why it failed. */
  readonly cause: string | null;
  readonly message: string | null;
  /** Who evaluated it. */
  readonly worker: string | null;
  /** How long its last attempt ran, in milliseconds. */
  readonly elapsedMs: number | null;
  readonly endedAtMs: number | null;
  readonly parents: readonly number[];
}
