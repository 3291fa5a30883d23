/**
 * A queue for mailboxes: first in, first out, without an allocation for each item.
 *
 * Promise: `put` and `take` cost the same however long the queue is, and an emptied queue holds on to nothing.
 * Not here: limits. What comes from outside is bounded where it comes in.
 *
 * @module
 */

/** Most mailboxes never hold more than a few messages. */
const CAPACITY_MIN = 8;
/** A queue that was once longer than this gives its memory back when it is empty. */
const CAPACITY_KEPT = 1_024;

/** A queue in a ring that doubles when it is full. */
export class Fifo<T> {
  /** Its length is a power of two, so that a mask wraps the positions. */
  #ring: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  /** How many items wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds an item at the end. */
  put(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length += 1;
  }

  /** Removes the first item; `undefined` where there is none. */
  take(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && this.#ring.length > CAPACITY_KEPT) this.clear();
    return item;
  }

  /** Removes everything. */
  clear(): void {
    this.#ring = [];
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const grown: (T | undefined)[] = [];
    for (let i = 0; i < this.#length; i++) grown.push(this.#ring[(this.#head + i) & (this.#ring.length - 1)]);
    const capacity = Math.max(CAPACITY_MIN, 2 * this.#length);
    while (grown.length < capacity) grown.push(undefined);
    this.#ring = grown;
    this.#head = 0;
  }
}
