/**
 * Attention: a clock that stands still while this process was not running.
 *
 * Promise: whatever is first after a stall, a timer or a message from a socket, sees the clock as it was before the
 * stall, but for the second that lies between two looks at the clock at most.
 *
 * @module
 */
import type { RunLoop } from "./run_loop.ts";

/** What comes later than this was not listening: its lateness moves every silence deadline. */
const LATE_MS = 2_000;
/** How often the clock is looked at when nothing else happens, to notice that the process was not running. */
const TICK_MS = 1_000;

/** Watches whether the process runs when it should. */
export class Attention {
  readonly #loop: RunLoop;
  readonly #late: (latenessMs: number) => void;
  #latenessMs = 0;
  #lookedMs: number;
  #dueMs: number;
  #cancelTick: (() => void) | undefined;

  /** @param late is told of each stall, for the log */
  constructor(loop: RunLoop, late: (latenessMs: number) => void) {
    this.#loop = loop;
    this.#late = late;
    this.#lookedMs = this.#dueMs = loop.now();
  }

  /** The loop's clock without the stalls. */
  now(): number {
    return this.#loop.now() - this.#latenessMs;
  }

  /** To be called before and after each piece of work: notices a stall before the work, or work that was one. */
  look(): void {
    const nowMs = this.#loop.now();
    // The tick stands in for every timer: until it is due, nothing had to run.
    const lateMs = nowMs - Math.max(this.#dueMs, this.#lookedMs);
    this.#lookedMs = nowMs;
    if (lateMs <= LATE_MS) return;
    this.#latenessMs += lateMs;
    this.#late(lateMs);
  }

  /** Begins to look at the clock even when nothing happens. */
  start(): void {
    this.stop();
    this.#lookedMs = this.#loop.now();
    this.#arm();
  }

  /** Lets the run loop come to its end. */
  stop(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }

  #arm(): void {
    this.#dueMs = this.#loop.now() + TICK_MS;
    this.#cancelTick = this.#loop.timer(TICK_MS, () => {
      this.look();
      this.#arm();
    });
  }
}
