/**
 * A run loop whose process can be stopped, or whose work takes time.
 *
 * @module
 */
import type { RunLoop } from "../../../shared/actor/run_loop.ts";

/** A process that can be stopped: time passes, timers are late, and what is overdue comes in any order. */
export class StoppableLoop implements RunLoop {
  #nowMs = 0;
  #calls: (() => void)[] = [];
  #timers: { readonly dueMs: number; readonly call: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  wallClock(): number {
    return this.#nowMs;
  }

  soon(call: () => void): void {
    this.#calls.push(call);
  }

  yield(call: () => void): void {
    this.#calls.push(call);
  }

  timer(delayMs: number, call: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** The clock alone goes on. */
  stall(spanMs: number): void {
    this.#nowMs += spanMs;
  }

  /** What was asked for by `soon` and `yield`. */
  runCalls(): void {
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) call();
  }

  /** A process that runs: each timer in its time. */
  run(spanMs: number): void {
    const untilMs = this.#nowMs + spanMs;
    this.runCalls();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#timers = this.#timers.filter((each) => each !== next);
      next.call();
      this.runCalls();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number) {
    return this.#timers.toSorted((a, b) => a.dueMs - b.dueMs).find((timer) => timer.dueMs <= untilMs);
  }
}
