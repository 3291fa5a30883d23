/**
 * One life of a simulated process: a run loop with a clock of its own, that can be paused and ended.
 *
 * Promise: nothing of an ended process runs any more; what falls due while it is paused comes when it goes on.
 * Not here: what runs in it (the nodes).
 *
 * @module
 */
import type { RunLoop } from "../../shared/actor/run_loop.ts";
import type { VirtualLoop } from "../../shared/actor/virtual_loop.ts";

/** How a process sees time. */
export interface ClockOptions {
  /** What its monotonic clock says at its start. */
  readonly offsetMs: number;
  /** How fast it goes: 1 is right. */
  readonly rate: number;
}

interface Call {
  readonly run: () => void;
  isCancelled: boolean;
}

/** The run loop of one process. */
export class SimulatedProcess implements RunLoop {
  readonly node: string;
  readonly #loop: VirtualLoop;
  readonly #clock: ClockOptions;
  readonly #bornMs: number;
  #state: "running" | "paused" | "ended" = "running";
  #deferred: Call[] = [];

  constructor(node: string, loop: VirtualLoop, clock: ClockOptions) {
    this.node = node;
    this.#loop = loop;
    this.#clock = clock;
    this.#bornMs = loop.now();
  }

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  now(): number {
    return this.#clock.offsetMs + (this.#loop.now() - this.#bornMs) * this.#clock.rate;
  }

  wallClock(): number {
    return this.#loop.wallClock();
  }

  soon(call: () => void): void {
    this.#loop.soon(this.#guarded({ run: call, isCancelled: false }));
  }

  yield(call: () => void): void {
    this.#loop.yield(this.#guarded({ run: call, isCancelled: false }));
  }

  timer(delayMs: number, run: () => void): () => void {
    const call: Call = { run, isCancelled: false };
    const cancel = this.#loop.timer(delayMs / this.#clock.rate, this.#guarded(call));
    return () => {
      call.isCancelled = true;
      cancel();
    };
  }

  /** Lets something from outside in: at once, after a pause, or never. */
  enter(run: () => void): void {
    this.#guarded({ run, isCancelled: false })();
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  goOn(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const deferred = this.#deferred;
    this.#deferred = [];
    // On one instant, in an order that the seed draws: which of its sockets and timers a process looks at first is open.
    for (const call of deferred) this.#loop.soon(this.#guarded(call));
  }

  end(): void {
    this.#state = "ended";
    this.#deferred = [];
  }

  #guarded(call: Call): () => void {
    return () => {
      if (call.isCancelled || this.#state === "ended") return;
      if (this.#state === "paused") this.#deferred.push(call);
      else call.run();
    };
  }
}
