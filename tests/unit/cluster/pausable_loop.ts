/**
 * A run loop whose process can be stopped for a while.
 *
 * @module
 */
import type { RunLoop } from "../../../shared/actor/run_loop.ts";
import type { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";

/** Calls that fall into a pause come at its end, as after SIGSTOP and SIGCONT. */
export class PausableLoop implements RunLoop {
  readonly #inner: VirtualLoop;
  #pausedUntilMs = 0;

  constructor(inner: VirtualLoop) {
    this.#inner = inner;
  }

  /** Nothing runs from now on for a while; the clock does. */
  pause(spanMs: number): void {
    this.#pausedUntilMs = this.#inner.now() + spanMs;
    this.#inner.runFor(spanMs);
  }

  now(): number {
    return this.#inner.now();
  }

  wallClock(): number {
    return this.#inner.wallClock();
  }

  soon(call: () => void): void {
    this.timer(0, call);
  }

  yield(call: () => void): void {
    this.timer(1, call);
  }

  timer(delayMs: number, call: () => void): () => void {
    let cancel = this.#inner.timer(delayMs, () => {
      const lateMs = this.#pausedUntilMs - this.#inner.now();
      if (lateMs > 0) cancel = this.#inner.timer(lateMs, call);
      else call();
    });
    return () => cancel();
  }
}
