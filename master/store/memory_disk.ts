/**
 * The durable state of a `MemoryStore`: what outlives a killed process in the simulator.
 *
 * Promise: a commit is applied as a whole; nothing here depends on clocks or chance.
 * Not here: latency, faults and crashes (memory_store.ts), queries (memory_queries.ts).
 *
 * @module
 */
import type { Change } from "../../shared/model/change.ts";
import type { ExperimentState, Objective } from "../../shared/model/experiment.ts";
import type { CommandId, Epoch, GroupId, TaskId } from "../../shared/model/ids.ts";
import type { AttemptEndCause, Outcome, OutcomeState } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";
import { applyChange } from "./memory_apply.ts";
import { changesOf } from "./changes_of.ts";
import type { Committed, OpenAttempt, StoreChange, TrialRow } from "./store.ts";

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
  outcome: DiskOutcome | undefined;
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
  /** The newest is the last. */
  epochs: Epoch[];
  commit: number;
  readonly groups: Map<GroupId, DiskGroup>;
  readonly experiments: Map<GroupId, DiskExperiment>;
  readonly commands: Map<CommandId, Uint8Array>;
  /** Tasks without outcome, in the order of their submission. */
  readonly openTasks: Map<TaskId, DiskTask>;
  /** The feed: commits that changed something that it shows. */
  readonly log: { readonly commit: number; readonly changes: readonly Change[] }[];
  /** The last reports of each attempt by step; nothing asks for them yet. */
  readonly reports: Map<string, ReadonlyMap<number, unknown>>;
}

/** A disk that holds one store. */
export class MemoryDisk {
  readonly state: DiskState;
  /** Copies made by `backup`, by path. */
  readonly backups: Map<string, MemoryDisk> = new Map();
  /** The last batch by identity, so that the same array applied again gets its first answer. */
  #last: { readonly changes: readonly StoreChange[]; readonly committed: Committed } | undefined;

  /** An empty disk, or one with the state of another, such as a backup that is put back. */
  constructor(state: DiskState = emptyState()) {
    this.state = structuredClone(state);
  }

  /** Takes a new epoch: whoever held the one before is superseded. */
  addEpoch(epoch: Epoch): void {
    this.state.epochs.push(epoch);
  }

  /** Applies a batch, which the caller has checked to come from the newest epoch. */
  apply(changes: readonly StoreChange[]): Committed {
    if (this.#last?.changes === changes) return this.#last.committed;
    const verdicts = changes.map((change) => applyChange(this.state, change));
    const commit = ++this.state.commit;
    const told = changes.flatMap((change, index) => {
      const verdict = verdicts[index];
      return verdict === undefined ? [] : changesOf(change, verdict);
    });
    if (told.length > 0) this.state.log.push({ commit, changes: told });
    const committed = { commit, verdicts };
    this.#last = { changes, committed };
    return committed;
  }
}

function emptyState(): DiskState {
  return {
    storeId: "",
    epochs: [],
    commit: 0,
    groups: new Map(),
    experiments: new Map(),
    commands: new Map(),
    openTasks: new Map(),
    log: [],
    reports: new Map(),
  };
}
