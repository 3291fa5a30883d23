/**
 * One life of a simulated process: a run loop with a clock of its own, that can be paused, put to sleep and ended.
 *
 * Promise: nothing of an ended process runs any more; what falls due while it is paused comes when it goes on. A process
 * that sleeps is paused, and its monotonic clock stands still: its timers are due so much later.
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
  /** How far the machine's wall clock is off now. */
  readonly wallOffsetMs: () => number;
}

/** What is left after rounding is no time. */
const NO_TIME_MS = 1e-3;

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
  /** When the present sleep began. */
  #asleepSinceMs: number | undefined;
  /** All sleep before it. */
  #sleptMs = 0;

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
    const untilMs = this.#asleepSinceMs ?? this.#loop.now();
    return this.#clock.offsetMs + (untilMs - this.#bornMs - this.#sleptMs) * this.#clock.rate;
  }

  wallClock(): number {
    return this.#loop.wallClock() + this.#clock.wallOffsetMs();
  }

  soon(call: () => void): void {
    this.#loop.soon(this.#guarded({ run: call, isCancelled: false }));
  }

  yield(call: () => void): void {
    this.#loop.yield(this.#guarded({ run: call, isCancelled: false }));
  }

  timer(delayMs: number, run: () => void): () => void {
    const sleptMs = this.#sleptMs;
    const dueMs = this.now() + delayMs;
    const call: Call = {
      run: () => {
        const leftMs = this.#sleptMs === sleptMs ? 0 : dueMs - this.now();
        if (leftMs > NO_TIME_MS) cancel = this.#arm(leftMs, call);
        else run();
      },
      isCancelled: false,
    };
    let cancel = this.#arm(delayMs, call);
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

  /** Pauses with the machine: its monotonic clock stands still. */
  sleep(): void {
    this.pause();
    if (this.isPaused) this.#asleepSinceMs ??= this.#loop.now();
  }

  goOn(): void {
    if (this.#state !== "paused") return;
    if (this.#asleepSinceMs !== undefined) this.#sleptMs += this.#loop.now() - this.#asleepSinceMs;
    this.#asleepSinceMs = undefined;
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

  #arm(delayMs: number, call: Call): () => void {
    return this.#loop.timer(delayMs / this.#clock.rate, this.#guarded(call));
  }

  #guarded(call: Call): () => void {
    return () => {
      if (call.isCancelled || this.#state === "ended") return;
      if (this.#state === "paused") this.#deferred.push(call);
      else call.run();
    };
  }
}
