/**
 * What a system of actors stands on: a clock and a way to be called.
 *
 * Promise: `soon` and `timer` call from an empty stack, never from within the call that asked.
 * Not here: the real loop (shared/platform/real_loop.ts), the simulator's (virtual_loop.ts).
 *
 * @module
 */

/** A clock and a way to be called later. */
export interface RunLoop {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Milliseconds since 1970. */
  wallClock(): number;
  /** Calls as soon as the present work is done. */
  soon(call: () => void): void;
  /** Calls after what waits outside (sockets, timers) has had its turn. */
  yield(call: () => void): void;
  /** Calls once after a delay. The answer cancels it. */
  timer(delayMs: number, call: () => void): () => void;
}
