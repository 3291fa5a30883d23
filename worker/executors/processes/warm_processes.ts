/**
 * The processes that are kept warm: at most one a slot.
 *
 * Promise: a process is taken by one attempt at a time; one whose code has changed, that served its time or that idled
 * for long is replaced by a new one. Nothing is left after `close`.
 *
 * @module
 */
/** How processes are kept. */
export interface WarmOptions {
  /** Slots that get a process before they are asked. */
  readonly slots: number;
  readonly idleMaxMs: number;
}

/** A process that can be kept. */
export interface WarmProcess<Code> {
  /** What it has loaded. */
  readonly code: Code;
  /** Whether it can take another attempt. */
  readonly isUsable: boolean;
  /** Resolves when nothing of it is alive. */
  readonly ended: Promise<void>;
  /** Nobody listens to it any more. */
  rest(): void;
  /** Ends it and all that it started. */
  kill(): void;
}

/** What processes are started for, and how. */
export interface Starter<Code, Process> {
  /** @throws Error where none can be started */
  start(code: Code): Process;
  /** Whether a process with one serves for the other. */
  isSame(a: Code, b: Code): boolean;
  /** No process is left, and none will be started. */
  close(): void;
}

interface Idle<Process> {
  readonly process: Process;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The idle process of each slot. */
export class WarmProcesses<Code, Process extends WarmProcess<Code>> {
  readonly #starter: Starter<Code, Process>;
  readonly #options: WarmOptions;
  readonly #idle = new Map<number, Idle<Process>>();
  /** Every process that is not known to have ended. */
  readonly #alive = new Set<Process>();
  #warmed: Code | undefined;
  #isClosed = false;

  constructor(starter: Starter<Code, Process>, options: WarmOptions) {
    this.#starter = starter;
    this.#options = options;
  }

  /**
   * The slot's idle process if it fits the code, or a new one. The caller gives it back or kills it.
   *
   * @throws Error where none can be started
   */
  take(slot: number, code: Code): Process {
    const own = this.#release(slot);
    if (own === undefined) return this.#start(code);
    if (this.#fits(own, code)) return own;
    const other = [...this.#idle].find(([, { process }]) => this.#fits(process, code));
    if (other === undefined) {
      own.kill();
      return this.#start(code);
    }
    // Slots that are given one another's devices exchange their processes, which took long to import.
    const [place] = other;
    const found = this.#release(place);
    this.giveBack(place, own);
    return found ?? this.#start(code);
  }

  /** Keeps a process for the slot's next attempt, or ends it. */
  giveBack(slot: number, process: Process): void {
    if (this.#isClosed || !process.isUsable || this.#idle.has(slot)) return process.kill();
    process.rest();
    const timer = setTimeout(() => this.#retire(slot), this.#options.idleMaxMs);
    // A warm process is no reason for the worker to stay.
    Deno.unrefTimer(timer);
    this.#idle.set(slot, { process, timer });
  }

  /** A code has proved loadable: the slots that have no process yet get theirs before they are asked. */
  warmUp(code: Code, busy: ReadonlySet<number>): void {
    if (this.#warmed !== undefined && this.#starter.isSame(this.#warmed, code)) return;
    this.#warmed = code;
    for (let slot = 0; slot < this.#options.slots; slot += 1) {
      if (!busy.has(slot) && !this.#idle.has(slot)) this.giveBack(slot, this.#start(code));
    }
  }

  /** Ends all of them, also those that were taken. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    for (const process of this.#alive) process.kill();
    await Promise.all([...this.#alive].map(({ ended }) => ended));
    this.#starter.close();
  }

  #retire(slot: number): void {
    this.#release(slot)?.kill();
  }

  /** The slot's idle process, which is idle no more. */
  #release(slot: number): Process | undefined {
    const idle = this.#idle.get(slot);
    this.#idle.delete(slot);
    clearTimeout(idle?.timer);
    return idle?.process;
  }

  #fits(process: Process, code: Code): boolean {
    return process.isUsable && this.#starter.isSame(process.code, code);
  }

  #start(code: Code): Process {
    if (this.#isClosed) throw new Error("the executor is closed");
    const process = this.#starter.start(code);
    this.#alive.add(process);
    process.ended.then(() => this.#alive.delete(process));
    return process;
  }
}
