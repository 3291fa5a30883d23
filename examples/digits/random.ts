/**
 * Seeded randomness: the same seed gives the same stream on every machine.
 *
 * An evaluator may read its own folder only, so the example brings its own.
 *
 * @module
 */
import type { Vector } from "./vector.ts";

/** A stream of real numbers in [0, 1). */
export type Random = () => number;

/** The stream of a seed and of what it is for, so that one use never shifts another. */
export function seededRandom(seed: number, purpose: string): Random {
  let state = seed | 0;
  for (let i = 0; i < purpose.length; i++) {
    state = Math.imul(state ^ purpose.charCodeAt(i), 0x9e3779b1);
    state ^= state >>> 15;
  }
  return mulberry32(state);
}

/** Puts a list into a random order (Fisher and Yates). */
export function shuffle(items: Uint32Array, random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [items[last], items[other]];
    if (a === undefined || b === undefined) throw new RangeError("an index left the list");
    items[last] = b;
    items[other] = a;
  }
}

/** Fills a vector with numbers uniform in (-bound, bound). */
export function fillUniform(vector: Vector, bound: number, random: Random): void {
  for (let i = 0; i < vector.length; i++) vector[i] = (2 * random() - 1) * bound;
}

/** Mulberry32 (Tommy Ettinger): 32 bits of state, enough for initial weights and masks. */
function mulberry32(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 0x100000000;
  };
}
