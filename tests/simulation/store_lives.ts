/**
 * Lives of the master's store: what an operator's hand takes away is nobody's violation, and everything else still holds.
 *
 * Promise: an epoch belongs to the life of the store in which it was taken; what an earlier life has said counts nowhere
 * any more.
 * Not here: the disks themselves (world.ts), who puts a copy back (store_hands.ts).
 *
 * @module
 */
import { type Epoch, storeOf } from "../../shared/model/ids.ts";

/** Which store life each epoch belongs to. */
export class StoreLives {
  readonly #lifeOf = new Map<string, number>();
  #storeId = "";
  #life = 0;

  /** How often the store was replaced, or began anew under another name. */
  get life(): number {
    return this.#life;
  }

  /** The disk was replaced by another: an older copy, or an empty one. */
  replaced(): void {
    this.#life += 1;
  }

  epochAdded(epoch: Epoch): void {
    const storeId = storeOf(epoch);
    // An operator went on over an older copy: it has another name from then on.
    if (this.#storeId !== "" && storeId !== this.#storeId) this.#life += 1;
    this.#storeId = storeId;
    this.#lifeOf.set(epoch, this.#life);
  }

  /** Whether an epoch was ever taken. */
  has(epoch: string): boolean {
    return this.#lifeOf.has(epoch);
  }

  /** Whether an epoch was taken in the present life of the store. */
  isPresent(epoch: string): boolean {
    return this.#lifeOf.get(epoch) === this.#life;
  }
}
