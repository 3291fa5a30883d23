/**
 * Evaluators that are TypeScript modules: `evaluate(candidate, context)` in a process that may read its own folder.
 *
 * A module may import what lies in its folder, what `node:` offers, and packages that are in the machine's Deno cache; the
 * folder's own `deno.json` may map their names. Imports of types alone may point anywhere: they are erased.
 *
 * Promise: what an evaluator does, it does to its own process only; see process_group.ts for how that ends.
 * Not here: what runs in the process (harness/).
 *
 * @module
 */
import { attemptTo, endAtOnce, refuse } from "../refused.ts";
import { findDeno, harnessFile } from "./deno_program.ts";
import { AtClose } from "../at_close.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../executor.ts";
import type { Failure } from "./harness/message.ts";
import { endEarlierLives, openLifeline } from "../processes/lifeline.ts";
import { type End, type Given, ModuleAttempt } from "./module_attempt.ts";
import { ModuleFolders } from "./module_folders.ts";
import { isSameModule, type ModuleFile, ModuleProcess, type Runtime } from "./module_process.ts";
import { frameOf, type ModuleRules, prepare, type Work } from "./module_work.ts";
import { type Starter, WarmProcesses } from "../processes/warm_processes.ts";

/** Attempts that one process serves, unless told: what evaluators leave behind does not pile up for ever. */
export const ATTEMPTS_PER_PROCESS_DEFAULT = 2_000;
/** How long an idle process is kept, unless told; each takes about 45 MB. */
export const IDLE_DEFAULT_MS = 10 * 60_000;

/** How modules are run. */
export interface ModuleOptions extends ModuleRules {
  /** The deno that runs them; by default this one, or in a compiled binary the one in PATH. */
  readonly deno?: string | undefined;
  /** The worker's data folder, held by this process alone. By default a temporary one, which a killed worker leaves behind. */
  readonly folder?: string | undefined;
  /** Slots of the worker: when a module has proved loadable, all of them get a process for it. By default none does. */
  readonly slots?: number | undefined;
  readonly attemptsPerProcess?: number | undefined;
  readonly idleMs?: number | undefined;
}

/**
 * An executor of TypeScript modules.
 *
 * @example
 * ```ts ignore
 * const executor = moduleExecutor({ slots: 4 });
 * executor.start(attempt, (event) => console.log(event));
 * await executor.close();
 * ```
 */
export function moduleExecutor(options: ModuleOptions = {}): Executor {
  return new ModuleExecutor(options);
}

class ModuleExecutor implements Executor {
  readonly kind = "module";
  readonly #options: ModuleOptions;
  readonly #processes: WarmProcesses<ModuleFile, ModuleProcess>;
  /** The attempts that run, and their slots. */
  readonly #running = new Map<ModuleAttempt, number>();
  /** Attempts that have not ended, and what is removed of those that have. */
  readonly #ending = new AtClose();
  #attempts = 0;
  #isClosed = false;

  constructor(options: ModuleOptions) {
    this.#options = options;
    // What a killed worker's modules left: they may start no processes, and their control groups are removed.
    if (options.folder !== undefined) this.#ending.add(endEarlierLives(options.folder));
    this.#processes = new WarmProcesses(starterOf(options), {
      slots: options.slots ?? 0,
      idleMaxMs: options.idleMs ?? IDLE_DEFAULT_MS,
    });
  }

  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running {
    if (this.#isClosed) return endAtOnce(events, { state: "stopped" });
    const work = prepare(attempt, this.#options);
    if ("message" in work) return refuse(events, work);
    const begun = attemptTo("start a process for the evaluator", () => this.#begin(attempt, work));
    return "message" in begun ? refuse(events, begun) : this.#run(attempt, begun, events);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const attempt of this.#running.keys()) attempt.stop(0);
    await this.#ending.settled();
    await this.#processes.close();
  }

  /** @throws Error where this machine cannot */
  #begin(attempt: Attempt, { module, input }: Work): Begun | Failure {
    this.#attempts += 1;
    const id = this.#attempts;
    const process = this.#processes.take(attempt.slot, module);
    const folders = new ModuleFolders(process.scratch, id);
    const frame = attemptTo(
      "start a process for the evaluator",
      () => frameOf(attempt, input, id, folders.place(attempt.restored)),
    );
    if (!("message" in frame)) {
      return { module, process, folders, given: { id, frame, heapMiB: module.heapMiB } };
    }
    this.#ending.add(folders.remove());
    this.#processes.giveBack(attempt.slot, process);
    return frame;
  }

  #run(attempt: Attempt, begun: Begun, events: (event: ExecutorEvent) => void): Running {
    const { module, process, folders, given } = begun;
    const over = Promise.withResolvers<void>();
    this.#ending.add(over.promise);
    const running = new ModuleAttempt(process, given, {
      loaded: () => this.#processes.warmUp(module, new Set(this.#running.values())),
      report: (step, metrics) => events({ type: "report", step, metrics }),
      kept: events,
      printed: (stream, data) => events({ type: "output", stream, data }),
      ended: (end, reusable) => {
        const finish = () => {
          this.#running.delete(running);
          if (reusable !== undefined) this.#processes.giveBack(attempt.slot, reusable);
          over.resolve();
          events({ type: "ended", end });
        };
        // Most attempts have no folder: those wait for nothing.
        if (reusable !== undefined && !folders.isUsed) return finish();
        void this.#clear(attempt, begun, end, reusable).then(finish);
      },
    });
    this.#running.set(running, attempt.slot);
    return running;
  }

  /** Keeps what is to be kept, and removes the rest. */
  async #clear(
    { collect }: Attempt,
    { process, folders }: Begun,
    { state }: End,
    reusable: ModuleProcess | undefined,
  ): Promise<void> {
    const { own } = folders;
    if (own !== undefined && state !== "stopped") await collect?.(own);
    await (reusable === undefined ? process.removeScratch() : folders.remove());
  }
}

/** An attempt that has its process. */
interface Begun {
  readonly module: ModuleFile;
  readonly process: ModuleProcess;
  readonly folders: ModuleFolders;
  readonly given: Given;
}

function starterOf(options: ModuleOptions): Starter<ModuleFile, ModuleProcess> {
  const open = (): Omit<Runtime, "harness"> => {
    const deno = options.deno ?? findDeno();
    const lifeline = openLifeline(options.folder, options);
    const attemptsMax = options.attemptsPerProcess ?? ATTEMPTS_PER_PROCESS_DEFAULT;
    return { deno, lifeline, attemptsMax };
  };
  let runtime: Omit<Runtime, "harness"> | undefined;
  return {
    start(module) {
      runtime ??= open();
      return new ModuleProcess(module, { ...runtime, harness: harnessFile(runtime.lifeline.folder) });
    },
    isSame: isSameModule,
    close() {
      runtime?.lifeline.close();
      runtime = undefined;
    },
  };
}
