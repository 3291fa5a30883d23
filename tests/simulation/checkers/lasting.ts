/**
 * How long something has been so, as far as anybody looked.
 *
 * Promise: time in which nobody looked does not count: a process that slept is blamed for nothing.
 *
 * @module
 */

/** Whoever looks less often than this did not look. */
const GAP_MS = 1_000;

/** What is so, by name, and since when. */
export class Lasting {
  #since = new Map<string, number>();
  #still = new Map<string, number>();
  #nowMs = -Infinity;

  /** Looks anew: what is not claimed again until the next look has ended. */
  look(nowMs: number): void {
    const isContinued = nowMs - this.#nowMs <= GAP_MS;
    this.#since = isContinued ? this.#still : new Map();
    this.#still = new Map();
    this.#nowMs = nowMs;
  }

  /** It is so now. @returns for how long it has been */
  claim(name: string): number {
    const sinceMs = this.#since.get(name) ?? this.#nowMs;
    this.#still.set(name, sinceMs);
    return this.#nowMs - sinceMs;
  }
}
