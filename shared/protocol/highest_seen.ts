/**
 * The highest commit that a peer was ever told: a master that lacks it has lost something.
 *
 * Promise: what was told of a store is given up only for what that store must have said later: of a newer epoch with no
 * fewer commits. A master over an older copy says less, and does not wipe out what proves it.
 * Not here: where it is kept over the end of a process (worker/seen_file.ts).
 *
 * @module
 */
import { type Epoch, EPOCH_PATTERN, storeOf } from "../model/ids.ts";

/** A commit and the epoch in which it was told. */
export interface Seen {
  readonly epoch: Epoch;
  readonly commit: number;
}

/** Remembers the highest (epoch, commit). */
export class HighestSeen {
  readonly #changed: (seen: Seen) => void;
  #seen: Seen | null;
  /** Of the master that spoke last: not all that it says repeats it. */
  #present: Epoch | undefined;

  /**
   * @param seen what is remembered from before
   * @param changed told whenever there is something higher
   */
  constructor(seen: Seen | null = null, changed: (seen: Seen) => void = () => {}) {
    this.#seen = seen;
    this.#changed = changed;
  }

  /** What to present; null before the first word of any master. */
  get value(): Seen | null {
    return this.#seen;
  }

  /** The store of the master that spoke last; empty before the first word. */
  get store(): string {
    return this.#present === undefined ? "" : storeOf(this.#present);
  }

  /** A master of this epoch has told of this commit. What has not the form of an epoch is not heard. */
  tell(epoch: string, commit: number): void {
    if (epoch !== this.#present) {
      if (!isEpoch(epoch)) return;
      this.#present = epoch;
    }
    this.tellCommit(commit);
  }

  /** The master that spoke last has told of this commit, without saying its epoch again. */
  tellCommit(commit: number): void {
    const epoch = this.#present;
    if (epoch === undefined || (this.#seen !== null && !isLater(epoch, commit, this.#seen))) return;
    this.#seen = { epoch, commit };
    this.#changed(this.#seen);
  }
}

function isEpoch(text: string): text is Epoch {
  return EPOCH_PATTERN.test(text);
}

/** Another store begins anew: its commits cannot be compared. */
function isLater(epoch: Epoch, commit: number, seen: Seen): boolean {
  if (epoch === seen.epoch) return commit > seen.commit;
  if (storeOf(epoch) !== storeOf(seen.epoch)) return true;
  return numberOf(epoch) > numberOf(seen.epoch) && commit >= seen.commit;
}

/** The epoch's number within its store. */
function numberOf(epoch: Epoch): number {
  return Number(epoch.split(".")[1]);
}
