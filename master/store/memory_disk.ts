/**
 * The durable state of a `MemoryStore`: what outlives a killed process in the simulator.
 *
 * Promise: a commit is applied as a whole; nothing here depends on clocks or chance.
 * Not here: latency, faults and crashes (memory_store.ts), queries (memory_queries.ts).
 *
 * @module
 */
import type { Epoch } from "../../shared/model/ids.ts";
import { changesOf } from "./changes_of.ts";
import { applyChange } from "./memory_apply.ts";
import { type DiskState, emptyState } from "./memory_state.ts";
import type { Committed, StoreChange } from "./store.ts";

export type { DiskExperiment, DiskGroup, DiskOutcome, DiskState, DiskTask } from "./memory_state.ts";

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
    const { epochs, epochEnds, commit } = this.state;
    const last = epochs.at(-1);
    if (last !== undefined) epochEnds.set(last, commit);
    epochs.push(epoch);
  }

  /** Its loss is accepted: from now on it is another store, whose epochs are all to come. */
  renew(): void {
    const { state } = this;
    state.storeId = "";
    state.formerEpochs.push(...state.epochs);
    state.epochs = [];
    for (const task of state.openTasks.values()) task.open.clear();
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
