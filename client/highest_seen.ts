/**
 * The highest commit that this client was ever told: a master that lacks it has lost something.
 *
 * @module
 */
import { type Epoch, EPOCH_PATTERN, storeOf } from "../shared/model/ids.ts";

/** A commit and the epoch in which it was told. */
export interface Seen {
  readonly epoch: Epoch;
  readonly commit: number;
}

/** Remembers the highest (epoch, commit). */
export class HighestSeen {
  #seen: Seen | null = null;
  /** The epoch of the present session: a `change` does not repeat it. */
  #present: Epoch | undefined;

  /** What to present; null before the first word of any master. */
  get value(): Seen | null {
    return this.#seen;
  }

  /** The store of the master that spoke last; empty before the first word. */
  get store(): string {
    return this.#present === undefined ? "" : storeOf(this.#present);
  }

  /** A master has told of this commit, in a reply or a snapshot. */
  tell(epoch: string, commit: number): void {
    if (epoch !== this.#present) {
      // Only what has the form of an epoch may be presented to a master again.
      if (!isEpoch(epoch)) return;
      this.#present = epoch;
    }
    this.tellCommit(commit);
  }

  /** The master of the present session has told of this commit, without saying its epoch again. */
  tellCommit(commit: number): void {
    const epoch = this.#present;
    if (epoch === undefined) return;
    const seen = this.#seen;
    if (seen === null || storeOf(seen.epoch) !== storeOf(epoch) || isLater(epoch, commit, seen)) {
      this.#seen = { epoch, commit };
    }
  }
}

function isEpoch(text: string): text is Epoch {
  return EPOCH_PATTERN.test(text);
}

function isLater(epoch: Epoch, commit: number, seen: Seen): boolean {
  if (epoch === seen.epoch) return commit > seen.commit;
  return numberOf(epoch) > numberOf(seen.epoch);
}

/** The epoch's number within its store. */
function numberOf(epoch: Epoch): number {
  return Number(epoch.split(".")[1]);
}
