/**
 * The processes that are kept warm: at most one a slot.
 *
 * Promise: a process is taken by one attempt at a time; one whose module has changed, that served its time or that idled
 * for long is replaced by a new one. Nothing is left after `close`.
 *
 * @module
 */
import { findDeno, harnessFile } from "./deno_program.ts";
import { openLifeline } from "./lifeline.ts";
import { type ModuleFile, ModuleProcess, type Runtime } from "./module_process.ts";

/** How processes are kept. */
export interface WarmOptions {
  readonly deno?: string | undefined;
  readonly folder?: string | undefined;
  readonly heapMiB: number;
  readonly slots: number;
  readonly attemptsMax: number;
  readonly idleMaxMs: number;
}

interface Idle {
  readonly process: ModuleProcess;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The idle process of each slot. */
export class WarmProcesses {
  readonly #options: WarmOptions;
  readonly #idle = new Map<number, Idle>();
  /** Every process that is not known to have ended. */
  readonly #alive = new Set<ModuleProcess>();
  #runtime: Runtime | undefined;
  #warmed: ModuleFile | undefined;
  #isClosed = false;

  constructor(options: WarmOptions) {
    this.#options = options;
  }

  /**
   * The slot's idle process if it fits the module, or a new one. The caller gives it back or kills it.
   *
   * @throws Error where none can be started
   */
  take(slot: number, module: ModuleFile): ModuleProcess {
    const idle = this.#idle.get(slot);
    this.#idle.delete(slot);
    if (idle === undefined) return this.#start(module);
    clearTimeout(idle.timer);
    if (idle.process.isUsable && isSame(idle.process.module, module)) return idle.process;
    idle.process.kill();
    return this.#start(module);
  }

  /** Keeps a process for the slot's next attempt, or ends it. */
  giveBack(slot: number, process: ModuleProcess): void {
    const isWanted = process.isUsable && process.attempts < this.#options.attemptsMax;
    if (this.#isClosed || !isWanted || this.#idle.has(slot)) return process.kill();
    process.listener = undefined;
    const timer = setTimeout(() => this.#retire(slot), this.#options.idleMaxMs);
    // A warm process is no reason for the worker to stay.
    Deno.unrefTimer(timer);
    this.#idle.set(slot, { process, timer });
  }

  /** A module has proved loadable: the slots that have no process yet get theirs before they are asked. */
  warmUp(module: ModuleFile, busy: ReadonlySet<number>): void {
    if (this.#warmed !== undefined && isSame(this.#warmed, module)) return;
    this.#warmed = module;
    for (let slot = 0; slot < this.#options.slots; slot += 1) {
      if (!busy.has(slot) && !this.#idle.has(slot)) this.giveBack(slot, this.#start(module));
    }
  }

  /** Ends all of them, also those that were taken. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    for (const process of this.#alive) process.kill();
    await Promise.all([...this.#alive].map(({ ended }) => ended));
    this.#runtime?.lifeline.close();
    this.#runtime = undefined;
  }

  #retire(slot: number): void {
    this.#idle.get(slot)?.process.kill();
    this.#idle.delete(slot);
  }

  #start(module: ModuleFile): ModuleProcess {
    if (this.#isClosed) throw new Error("the executor is closed");
    this.#runtime ??= openRuntime(this.#options);
    const process = new ModuleProcess(module, this.#runtime);
    this.#alive.add(process);
    process.ended.then(() => this.#alive.delete(process));
    return process;
  }
}

function openRuntime(options: WarmOptions): Runtime {
  const deno = options.deno ?? findDeno();
  const lifeline = openLifeline(options.folder);
  return { deno, harness: harnessFile(lifeline.folder), lifeline, heapMiB: options.heapMiB };
}

function isSame(a: ModuleFile, b: ModuleFile): boolean {
  return a.path === b.path && a.modifiedMs === b.modifiedMs;
}
