/**
 * What can be asked of a store, and its answers.
 *
 * @module
 */
import type { Change } from "../../shared/model/change.ts";
import type { ExperimentSummary, TrialSummary } from "../../shared/model/experiment.ts";
import type { Epoch, GroupId, TaskId } from "../../shared/model/ids.ts";
import type { Metrics, OutcomeState } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";

/** One measurement of an attempt. */
export interface StoredReport {
  /** 1 for the first of the attempt. */
  readonly number: number;
  readonly step: number;
  readonly metrics: Metrics;
}

/** A trial in the history that an optimizer is rebuilt from. */
export interface HistoryTrial {
  readonly number: number;
  readonly candidate: string;
  readonly hash: string;
  readonly parents: readonly number[];
  readonly toldBefore: number;
}

/** An outcome in that history. */
export interface HistoryOutcome {
  readonly number: number;
  readonly state: OutcomeState;
  readonly metrics: Metrics | null;
  readonly cause: string | null;
  readonly message: string | null;
  readonly attempts: number;
  readonly atMs: number;
}

/** Every question, with its answer. Answers are bounded by a limit wherever a table stands behind them. */
export interface Queries {
  /** The outcome of a task: undefined where it has none; `known` tells whether there is such a task. */
  readonly outcome: {
    readonly ask: { readonly task: TaskId };
    readonly answer: {
      readonly known: boolean;
      readonly state: OutcomeState | null;
      /** The number of the attempt that led to it; null where none did. */
      readonly by: number | null;
      /** That attempt's epoch: numbers begin anew with each. */
      readonly epoch: Epoch | null;
    };
  };
  /** Trials of an experiment by number, from `after` (exclusive). */
  readonly history_trials: {
    readonly ask: { readonly experiment: GroupId; readonly after: number; readonly limit: number };
    readonly answer: readonly HistoryTrial[];
  };
  /** Outcomes of an experiment in the order of commits; `after` counts outcomes. */
  readonly history_outcomes: {
    readonly ask: { readonly experiment: GroupId; readonly after: number; readonly limit: number };
    readonly answer: readonly HistoryOutcome[];
  };
  /** Changes of the commits after `after`, whole commits only, about `limit` changes. */
  readonly changes: {
    readonly ask: { readonly after: number; readonly limit: number };
    readonly answer: {
      readonly commits: readonly { readonly commit: number; readonly changes: readonly Change[] }[];
      /** The last commit that was looked at. */
      readonly upTo: number;
    };
  };
  /** The newest first. */
  readonly experiments: {
    readonly ask: { readonly offset: number; readonly limit: number };
    readonly answer: readonly ExperimentSummary[];
  };
  /** `last` is the newest. */
  readonly experiment: {
    readonly ask: { readonly experiment: GroupId | "last" };
    readonly answer: { readonly summary: ExperimentSummary; readonly spec: string } | null;
  };
  readonly trials: {
    readonly ask: { readonly experiment: GroupId; readonly after: number; readonly limit: number };
    readonly answer: readonly TrialSummary[];
  };
  /**
   * What a task's attempt measured, by number from `after` (exclusive): the attempt that the outcome names; of a task
   * without outcome the newest that reported.
   */
  readonly curve: {
    readonly ask: { readonly task: TaskId; readonly after: number; readonly limit: number };
    readonly answer: { readonly lease: Lease | null; readonly reports: readonly StoredReport[] };
  };
  /** How many tasks of a group there are, and how many ended in each way. */
  readonly counts: {
    readonly ask: { readonly group: GroupId };
    readonly answer: Readonly<Record<OutcomeState | "submitted", number>>;
  };
  /** The newest commit of an epoch; null where the store never had it. What was told in it names no later one. */
  readonly epoch_end: { readonly ask: { readonly epoch: Epoch }; readonly answer: number | null };
}
