/**
 * The highest commit that this worker was ever told: a master that lacks it has lost something.
 *
 * @module
 */
import { type Epoch, storeOf } from "../shared/model/ids.ts";

/** A commit and the epoch in which it was told. */
export interface Seen {
  readonly epoch: Epoch;
  readonly commit: number;
}

/** Remembers the highest (epoch, commit); outlives the lives of the link. */
export class HighestSeen {
  #seen: Seen | null = null;

  /** What to present; null before the first word of any master. */
  get value(): Seen | null {
    return this.#seen;
  }

  /** A master of this epoch has told of this commit. Another store begins anew: its commits cannot be compared. */
  tell(epoch: Epoch, commit: number): void {
    const seen = this.#seen;
    if (seen !== null && seen.epoch === epoch && seen.commit >= commit) return;
    if (seen === null || storeOf(seen.epoch) !== storeOf(epoch) || isLater(epoch, commit, seen)) {
      this.#seen = { epoch, commit };
    }
  }
}

function isLater(epoch: Epoch, commit: number, seen: Seen): boolean {
  const difference = numberOf(epoch) - numberOf(seen.epoch);
  return difference > 0 || (difference === 0 && commit > seen.commit);
}

/** The epoch's number within its store. */
function numberOf(epoch: Epoch): number {
  return Number(epoch.split(".")[1]);
}
