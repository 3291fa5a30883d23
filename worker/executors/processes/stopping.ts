/**
 * How an attempt is brought to its end: it is asked, has its grace period, and is killed.
 *
 * Promise: it is asked once, however often it is told to stop; of several grace periods the one that is over first counts.
 * Not here: what asking and killing are (the executors), and that nothing is alive afterwards (process_group.ts).
 *
 * @module
 */

/** The two things that can be done to an attempt. */
export interface Stoppable {
  /** Whether anybody would hear the question; where nobody does, the attempt is killed at once. By default it is so. */
  isHeard?(): boolean;
  /** Asks it to end: a signal, or a word to whoever runs the evaluator. */
  ask(): void;
  /** Ends it and all that it started. May be called again. */
  kill(): void;
}

/** The longest delay of a timer: a longer one would be over at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** The stop of one attempt. */
export class Stopping {
  readonly #attempt: Stoppable;
  #hasBegun = false;
  #isOver = false;
  #killAtMs = Infinity;
  #killTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(attempt: Stoppable) {
    this.#attempt = attempt;
  }

  /** Whether it was told to stop before it was over. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Asks, and kills after the grace period; at once where there is none. */
  stop(graceMs: number): void {
    if (this.#isOver) return;
    const isHeard = graceMs > 0 && (this.#attempt.isHeard?.() ?? true);
    if (isHeard && !this.#hasBegun) this.#attempt.ask();
    this.#hasBegun = true;
    if (!isHeard) return this.#attempt.kill();
    const killAtMs = performance.now() + graceMs;
    if (killAtMs >= this.#killAtMs) return;
    this.#killAtMs = killAtMs;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.#attempt.kill(), Math.min(graceMs, TIMER_MAX_MS));
  }

  /** The attempt has ended by itself or otherwise: nothing is left to ask or to kill. */
  over(): void {
    this.#isOver = true;
    clearTimeout(this.#killTimer);
  }
}
