/**
 * Mutants: parts of the world that break a promise on purpose, to see whether a checker notices.
 *
 * Not here: the mutants themselves (mutants/). None of them touches what is shipped.
 *
 * @module
 */
import type { DiskState } from "../../master/store/memory_state.ts";
import type { WatchedDisk } from "./disk.ts";
import type { Tamper } from "./network.ts";
import type { WrapStore } from "./nodes/master_node.ts";
import type { DiskObserver } from "./disk.ts";

/** What may be broken. */
export interface Mutant {
  readonly store?: WrapStore;
  readonly disk?: (observer: DiskObserver, state?: DiskState) => WatchedDisk;
  readonly tamper?: Tamper;
  /** Slots that a worker says it has and has not. */
  readonly extraSlots?: number;
}
