/**
 * The real run loop: the process's own clock, microtasks and timers.
 *
 * Promise: a timer never fires early, whatever its length; `yield` lets sockets be read before it calls.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { RunLoop } from "../actor/run_loop.ts";

/** The platform fires a longer timer at once: its delays are 32-bit integers. */
const PLATFORM_TIMER_MS_MAX = 2 ** 31 - 1;

/** The run loop of a process. */
export class RealLoop implements RunLoop {
  now(): number {
    return performance.now();
  }

  wallClock(): number {
    return Date.now();
  }

  soon(call: () => void): void {
    queueMicrotask(call);
  }

  yield(call: () => void): void {
    setImmediate(call);
  }

  timer(delayMs: number, call: () => void): () => void {
    const dueMs = performance.now() + delayMs;
    let handle: ReturnType<typeof setTimeout>;
    // The platform rounds to whole milliseconds and may be a little early: whoever asks the clock then must not see it.
    function wait(): void {
      const leftMs = dueMs - performance.now();
      handle = setTimeout(() => dueMs > performance.now() ? wait() : call(), platformDelay(leftMs));
    }
    wait();
    return () => clearTimeout(handle);
  }
}

function platformDelay(leftMs: number): number {
  return Math.min(PLATFORM_TIMER_MS_MAX, Math.max(0, Math.ceil(leftMs)));
}
