/**
 * What is free on this worker: slots by their numbers, and the pool.
 *
 * @module
 */
import {
  addResources,
  fits,
  needsNothing,
  type Resources,
  subtractResources,
} from "../shared/model/resources.ts";

/** Slots and resources that nobody uses. */
export class Free {
  readonly #pool: Resources;
  readonly #count: number;
  #left: Resources;
  /** The last given back is taken first: its process is the warmest. */
  readonly #slots: number[] = [];

  constructor(slots: number, pool: Resources) {
    this.#count = slots;
    this.#pool = pool;
    this.#left = pool;
    for (let slot = slots - 1; slot >= 0; slot--) this.#slots.push(slot);
  }

  /** Whether an attempt with this need could be begun if nothing else ran. */
  canEver(need: Resources): boolean {
    return needsNothing(need) || fits(need, this.#pool);
  }

  /** Whether one could be begun now. */
  can(need: Resources): boolean {
    return this.#slots.length > 0 && (needsNothing(need) || fits(need, this.#left));
  }

  /** Takes a slot and the resources; the answer is the slot's number. @throws RangeError where no slot is free: a bug */
  take(need: Resources): number {
    const slot = this.#slots.pop();
    if (slot === undefined) throw new RangeError("no slot is free");
    if (!needsNothing(need)) this.#left = subtractResources(this.#left, need);
    return slot;
  }

  give(slot: number, need: Resources): void {
    this.#slots.push(slot);
    if (needsNothing(need)) return;
    // Sums of fractions drift: where all is given back, the pool is whole again.
    this.#left = this.#slots.length === this.#count ? this.#pool : addResources(this.#left, need);
  }
}
