/**
 * What can be asked of a store, and its answers.
 *
 * @module
 */
import type { ArtifactFile, ArtifactRef } from "../../shared/model/artifact.ts";
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

/** A checkpoint that is kept. */
export interface StoredCheckpoint extends ArtifactRef {
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly step: number;
}

/** A part of a curve: what one attempt measured above a step, up to where the next one goes on. */
export interface CurvePart {
  readonly epoch: Epoch;
  readonly attempt: number;
  /** Steps at or below it are an earlier part's; null where it is the first. */
  readonly above: number | null;
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
   * What a task measured, from the attempt that began it to the one that the outcome names; of a task without outcome, to
   * the newest that reported or goes on from another. Each goes on above the step of its checkpoint: no gap, no double
   * step. `after` counts measurements. `lease` is that of the last part.
   */
  readonly curve: {
    readonly ask: { readonly task: TaskId; readonly after: number; readonly limit: number };
    readonly answer: {
      readonly known: boolean;
      readonly lease: Lease | null;
      /** In their order; the last is the lease's. */
      readonly parts: readonly CurvePart[];
      readonly reports: readonly StoredReport[];
    };
  };
  /**
   * The files of a task's attempt by name, from `after` (exclusive; empty for all), and the task's checkpoints, the highest
   * first. Without a number it is the attempt that the outcome names; of a task without outcome the newest that kept a
   * file. A number that several epochs gave out is that of the newest of them.
   */
  readonly files: {
    readonly ask: {
      readonly task: TaskId;
      readonly attempt: number | null;
      readonly after: string;
      readonly limit: number;
    };
    readonly answer: {
      readonly known: boolean;
      readonly lease: Lease | null;
      readonly files: readonly ArtifactFile[];
      readonly checkpoints: readonly StoredCheckpoint[];
    };
  };
  /**
   * Which artifacts are needed: as a checkpoint that is kept or that an open attempt goes on from, as a file, as the code
   * of a group. All of them are answered, in the order of the question: ask for a thousand at a time.
   */
  readonly artifacts_used: {
    readonly ask: { readonly hashes: readonly string[] };
    readonly answer: { readonly used: readonly string[] };
  };
  /** How many tasks of a group there are, and how many ended in each way. */
  readonly counts: {
    readonly ask: { readonly group: GroupId };
    readonly answer: Readonly<Record<OutcomeState | "submitted", number>>;
  };
  /** The newest commit of an epoch; null where the store never had it. What was told in it names no later one. */
  readonly epoch_end: { readonly ask: { readonly epoch: Epoch }; readonly answer: number | null };
}
