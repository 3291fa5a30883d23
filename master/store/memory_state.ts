/**
 * What a `MemoryDisk` holds, as plain maps.
 *
 * @module
 */
import type { ArtifactFile, Restore } from "../../shared/model/artifact.ts";
import type { Change } from "../../shared/model/change.ts";
import type { ExperimentState, Objective } from "../../shared/model/experiment.ts";
import type { CommandId, Epoch, GroupId, TaskId } from "../../shared/model/ids.ts";
import type { AttemptEndCause, Outcome, OutcomeState } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { LastFailure, NewReport, OpenAttempt, StoredCheckpoint, TrialRow } from "./store.ts";

/** A task with all that is known of it. */
export interface DiskTask {
  readonly id: TaskId;
  readonly number: number;
  readonly payload: Uint8Array;
  readonly trial: TrialRow | undefined;
  /** Ended attempts by lease. */
  readonly ended: Map<string, AttemptEndCause>;
  /** Open attempts by lease. */
  readonly open: Map<string, OpenAttempt>;
  /** What its attempts measured, by lease. */
  readonly curves: Map<string, DiskCurve>;
  /** What its attempts go on from, by lease. */
  readonly continued: Map<string, { readonly lease: Lease; readonly from: Restore }>;
  /** Those that are kept, in the order in which they were recorded. */
  checkpoints: readonly StoredCheckpoint[];
  /** What its attempts kept, by lease and name. */
  readonly files: Map<string, { readonly lease: Lease; readonly byName: Map<string, ArtifactFile> }>;
  /** One of the ended failed for good. */
  isFinal: boolean;
  /** By cause, and whether it failed for good. */
  readonly lastFailures: Map<string, LastFailure>;
  outcome: DiskOutcome | undefined;
}

/** What one attempt reported, by number. */
export interface DiskCurve {
  readonly lease: Lease;
  readonly reports: NewReport[];
}

/** An outcome as it was recorded. */
export interface DiskOutcome {
  readonly outcome: Outcome;
  readonly lease: Lease | undefined;
  readonly worker: string;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly atMs: number;
}

/** A group and its tasks. */
export interface DiskGroup {
  readonly id: GroupId;
  readonly template: Uint8Array;
  readonly code: string | undefined;
  readonly tasks: Map<number, DiskTask>;
  /** Where each submission begins, and how many tasks it has. */
  readonly submissions: Map<number, number>;
  lastNumber: number;
  attempts: number;
  readonly counts: Record<OutcomeState | "submitted", number>;
  /** Trials in the order of their outcomes. */
  readonly outcomes: DiskTask[];
}

/** An experiment. */
export interface DiskExperiment {
  readonly id: GroupId;
  readonly name: string;
  readonly spec: string;
  readonly objectives: readonly Objective[];
  readonly budgetTrials: number | null;
  readonly createdAtMs: number;
  state: ExperimentState;
  reason: string;
  endedAtMs: number | null;
  best: { readonly number: number; readonly score: number } | undefined;
}

/** Everything that is durable. */
export interface DiskState {
  storeId: string;
  /** Since it has this id; the newest is the last. */
  epochs: Epoch[];
  /** The newest commit when each epoch but the last ended. */
  readonly epochEnds: Map<Epoch, number>;
  /** Those under earlier ids, in their order. */
  formerEpochs: Epoch[];
  commit: number;
  readonly groups: Map<GroupId, DiskGroup>;
  readonly experiments: Map<GroupId, DiskExperiment>;
  readonly commands: Map<CommandId, Uint8Array>;
  /** Tasks without outcome, in the order of their submission. */
  readonly openTasks: Map<TaskId, DiskTask>;
  /** The feed: commits that changed something that it shows. */
  readonly log: { readonly commit: number; readonly changes: readonly Change[] }[];
}

/** A disk on which nothing was ever written. */
export function emptyState(): DiskState {
  return {
    storeId: "",
    epochs: [],
    epochEnds: new Map(),
    formerEpochs: [],
    commit: 0,
    groups: new Map(),
    experiments: new Map(),
    commands: new Map(),
    openTasks: new Map(),
    log: [],
  };
}
