/**
 * The seam for stores: where the durable truth is.
 *
 * Promise: a commit is all or nothing, checks in the same transaction that its epoch is the newest, and is durable when
 * it is answered. A constraint is a verdict, never an error. A commit that fails is of unknown outcome: whoever asked
 * keeps the batch and applies the same batch again, which must be harmless.
 * Not here: grouping of commits and retries (store_actor.ts).
 *
 * Answers come by callback, not by promise, so that a simulated disk can stand behind the same seam in virtual time.
 *
 * @module
 */
import type { ArtifactFile, ArtifactRef, Restore } from "../../shared/model/artifact.ts";
import type { ExperimentState } from "../../shared/model/experiment.ts";
import type { CommandId, Epoch, GroupId, Incarnation, TaskId, WorkerId } from "../../shared/model/ids.ts";
import type { AttemptEndCause, FailureCause, Outcome, OutcomeState } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { Queries, StoredCheckpoint, StoredReport } from "./queries.ts";

export type {
  CurvePart,
  HistoryOutcome,
  HistoryTrial,
  Queries,
  StoredCheckpoint,
  StoredReport,
} from "./queries.ts";

/** What the store adds to a task that is a trial. */
export interface TrialRow {
  /** The candidate as JSON. */
  readonly candidate: string;
  readonly hash: string;
  readonly parents: readonly number[];
  /** How many outcomes the optimizer had been told when it proposed this: its place in the fold. */
  readonly toldBefore: number;
}

/** A report as it comes: a measurement, or word of a checkpoint or a file that is durable at the master. */
export interface NewReport extends StoredReport {
  readonly checkpoint?: ArtifactRef | undefined;
  readonly file?: ArtifactFile | undefined;
}

/** Whether a report measured something: what tells of a checkpoint or a file does not. */
export function isMeasurement({ checkpoint, file }: NewReport): boolean {
  return checkpoint === undefined && file === undefined;
}

/** One thing to make durable. */
export type StoreChange =
  /** Applied with all its changes if the id is new, else not at all. */
  | {
    readonly type: "command";
    readonly id: CommandId;
    /** What the first sender was or would have been told. */
    readonly reply: Uint8Array;
    readonly changes: readonly StoreChange[];
  }
  | {
    readonly type: "group_added";
    readonly group: GroupId;
    readonly template: Uint8Array;
    /** The hash of its packed code: an artifact that is needed from now on. */
    readonly code?: string | undefined;
  }
  | {
    readonly type: "tasks_submitted";
    readonly group: GroupId;
    /** The number of the first task; the others follow without gap. */
    readonly first: number;
    readonly payloads: readonly Uint8Array[];
    /** One for each payload where the tasks are trials, else absent. */
    readonly trials?: readonly TrialRow[] | undefined;
    readonly atMs: number;
  }
  /**
   * A lease has lived long enough to be worth remembering over a restart. One that ended as `worker_lost` is opened again
   * where its worker came back with it: its end stays, and counts once. One that goes on from a checkpoint says so when it
   * is opened, before anything of it.
   */
  | {
    readonly type: "attempt_opened";
    readonly lease: Lease;
    readonly worker: WorkerId;
    readonly incarnation: Incarnation;
    readonly atMs: number;
    readonly continues?: Restore | undefined;
  }
  /** An attempt ended without an outcome. Written before the retry. */
  | {
    readonly type: "attempt_ended";
    readonly lease: Lease;
    readonly worker: WorkerId;
    readonly cause: AttemptEndCause;
    readonly message: string;
    readonly atMs: number;
    /** The evaluator said that another try would fail too: over a restart its task is not tried again. */
    readonly final?: boolean | undefined;
  }
  /** A task's outcome; the first one wins. Closes what is open of its attempts, and lets its checkpoints go. */
  | {
    readonly type: "outcome";
    readonly task: TaskId;
    /** Absent where no attempt led to it (cancelled while pending). */
    readonly lease?: Lease | undefined;
    readonly worker: string;
    readonly outcome: Outcome;
    /** Leases granted for the task in all epochs that the master knows of. */
    readonly attempts: number;
    readonly elapsedMs: number;
    readonly atMs: number;
    /** The highest checkpoint stays all the same. */
    readonly keepCheckpoint?: boolean | undefined;
  }
  | {
    readonly type: "experiment_added";
    readonly experiment: GroupId;
    readonly name: string;
    /** The checked spec as JSON. */
    readonly spec: string;
    readonly atMs: number;
  }
  | {
    readonly type: "experiment_state";
    readonly experiment: GroupId;
    readonly state: ExperimentState;
    readonly reason: string;
    readonly atMs: number;
  }
  | {
    readonly type: "reports";
    readonly lease: Lease;
    /**
     * By number, without gap: those that follow what the store has are recorded, those that it has are left out. Beyond
     * `ATTEMPT_REPORTS_MAX` what measures nothing may stand alone.
     */
    readonly reports: readonly NewReport[];
    /**
     * So many of the task's checkpoints stay, the highest; of equal steps the newest. Absent where the lease was given up:
     * its checkpoints are none to go on from.
     */
    readonly keep?: number | undefined;
  };

/** What became of one change. */
export type StoreVerdict =
  | {
    readonly type: "recorded";
    /** All of it was there before, so this commit tells the feed nothing. */
    readonly again?: true | undefined;
    /** For a command: what became of its changes. */
    readonly nested?: readonly StoreVerdict[] | undefined;
    /** For `experiment_state`: the experiment's name, which the feed shows. */
    readonly name?: string | undefined;
    /** For `reports`: so many of the first were there before. Absent where none was. */
    readonly known?: number | undefined;
  }
  /** For `reports`: those after this number do not follow it, and are not recorded. `known` as above. */
  | { readonly type: "gap"; readonly last: number; readonly known?: number | undefined }
  /** The command was known: this is its first reply. */
  | { readonly type: "repeated"; readonly reply: Uint8Array }
  /** The task has an outcome already: this attempt's, or none's. */
  | { readonly type: "superseded"; readonly by: number | null; readonly state: OutcomeState }
  /** The store does not know the task, group or experiment. */
  | { readonly type: "unknown" };

/** A commit that is durable. */
export interface Committed {
  /** Rises by one with each commit. */
  readonly commit: number;
  /** One for each change, in order. */
  readonly verdicts: readonly StoreVerdict[];
}

/** A task without an outcome. */
export interface OpenTask {
  readonly task: TaskId;
  readonly payload: Uint8Array;
  /** Ended attempts by the causes that count. */
  readonly failures: Readonly<Record<FailureCause, number>>;
  /** Attempts that are known of, ended or open. */
  readonly attempts: number;
  /** One of them failed for good. */
  readonly isFinal: boolean;
}

/** The last attempt of a task without an outcome that failed by a cause. */
export interface LastFailure {
  readonly lease: Lease;
  readonly worker: WorkerId;
  readonly cause: FailureCause;
  readonly message: string;
  /** It said that another try would fail too. */
  readonly isFinal: boolean;
}

/** A lease that was out when the store was last written. */
export interface OpenAttempt {
  readonly lease: Lease;
  readonly worker: WorkerId;
  readonly incarnation: Incarnation;
  readonly openedAtMs: number;
}

/** The highest checkpoint of a task without an outcome. */
export interface OpenCheckpoint extends StoredCheckpoint {
  readonly task: TaskId;
}

/** An attempt of a task without an outcome that goes on from a checkpoint. */
export interface ContinuedAttempt {
  readonly lease: Lease;
  /** The checkpoint's: its own steps are higher. */
  readonly step: number;
}

/** A group that still matters. */
export interface OpenGroup {
  readonly group: GroupId;
  readonly template: Uint8Array;
  readonly lastNumber: number;
}

/** An experiment that is not over. */
export interface OpenExperiment {
  readonly experiment: GroupId;
  readonly name: string;
  readonly spec: string;
  readonly state: ExperimentState;
  readonly reason: string;
  readonly createdAtMs: number;
}

/** What a master needs to go on. */
export interface Recovered {
  /** New, and durable already. */
  readonly epoch: Epoch;
  /** Those of earlier lives over this store. */
  readonly earlierEpochs: readonly Epoch[];
  /** The newest commit when each of them ended. */
  readonly epochEnds: readonly number[];
  readonly commit: number;
  /** Groups that have open tasks or an experiment that is not over. */
  readonly groups: readonly OpenGroup[];
  /** In the order of their submission. */
  readonly tasks: readonly OpenTask[];
  readonly attempts: readonly OpenAttempt[];
  /** Of each of these tasks, for each cause; those of an earlier id of the store left out. */
  readonly lastFailures: readonly LastFailure[];
  readonly checkpoints: readonly OpenCheckpoint[];
  readonly continued: readonly ContinuedAttempt[];
  readonly experiments: readonly OpenExperiment[];
  /** Greater than the number in any experiment's or submission's id so far. */
  readonly nextGroup: number;
}

/** Why a store did not do what it was asked. */
export interface StoreError {
  /**
   * `superseded`: another master has taken a newer epoch, this one must end. `fault`: the world's fault (full disk,
   * read-only folder, ended thread): try again. `in_use`, `newer_schema`, `damaged` (or not a store at all): opening is
   * pointless until a person acts. `gone`: what it wrote was deleted or replaced under it, and nothing that it writes now
   * would be found again: it must end.
   */
  readonly kind: "superseded" | "fault" | "in_use" | "newer_schema" | "damaged" | "gone";
  readonly message: string;
}

/** An answer, or why there is none. */
export type StoreResult<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly error: StoreError;
};

/** Called once with the answer. */
export type Done<T> = (result: StoreResult<T>) => void;

/** How a store is opened. */
export interface OpenOptions {
  /**
   * The loss of what an older copy lacks is accepted: the store gets a new id with its new epoch, in one transaction.
   * Epochs of before are another store's from then on, and open attempts of theirs are forgotten.
   */
  readonly renew?: boolean;
}

/** A store. One commit is in flight at a time; queries may overlap it. */
export interface Store {
  /** Opens or makes the store and takes a new epoch, which is durable before the answer. */
  open(done: Done<Recovered>, options?: OpenOptions): void;
  /**
   * After a `fault` the same batch, as the same array, may be committed again: if it did become durable the answer is its
   * first one. Whatever else is applied twice answers `recorded` with `again`.
   */
  commit(epoch: Epoch, changes: readonly StoreChange[], done: Done<Committed>): void;
  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"], done: Done<Queries[K]["answer"]>): void;
  /** A consistent copy, made while the store is in use. */
  backup(path: string, done: Done<{ readonly bytes: number }>): void;
  /** Lets the store go; a later `open` of this object opens it again. */
  close(done: Done<null>): void;
}
