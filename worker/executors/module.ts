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
import { resolve } from "node:path";
import { taskParts } from "../../shared/model/ids.ts";
import type { Evaluator } from "../../shared/model/task.ts";
import { findDeno, harnessFile } from "./deno_program.ts";
import type { Executor, ExecutorEvent, Running } from "./executor.ts";
import { encodeFrame, FRAME_BYTES_MAX } from "./harness/frame.ts";
import type { Evaluate, Failure } from "./harness/message.ts";
import { decodeInput } from "./input.ts";
import { openLifeline } from "./lifeline.ts";
import { type End, ModuleAttempt } from "./module_attempt.ts";
import { type ModuleFile, ModuleProcess, type Runtime } from "./module_process.ts";
import { type Starter, WarmProcesses } from "./warm_processes.ts";

/** The heap of an evaluator's process, unless told. */
export const HEAP_DEFAULT_MIB = 2_048;
/** Attempts that one process serves, unless told: what evaluators leave behind does not pile up for ever. */
export const ATTEMPTS_PER_PROCESS_DEFAULT = 2_000;
/** How long an idle process is kept, unless told; each takes about 45 MB. */
export const IDLE_DEFAULT_MS = 10 * 60_000;
/** The seed of an attempt whose task has none. */
export const SEED_DEFAULT = 0;

/** How modules are run. */
export interface ModuleOptions {
  /** The deno that runs them; by default this one, or in a compiled binary the one in PATH. */
  readonly deno?: string | undefined;
  /** The worker's data folder, held by this process alone. By default a temporary one, which a killed worker leaves behind. */
  readonly folder?: string | undefined;
  /** Limit of the heap of each process. Typed arrays lie outside of it. */
  readonly heapMiB?: number | undefined;
  /** Slots of the worker: when a module has proved loadable, all of them get a process for it. By default none does. */
  readonly slots?: number | undefined;
  readonly attemptsPerProcess?: number | undefined;
  readonly idleMs?: number | undefined;
  /** Folders in which, at any depth, modules may lie; by default anywhere on the machine. */
  readonly within?: readonly string[] | undefined;
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
  const heapMiB = options.heapMiB ?? HEAP_DEFAULT_MIB;
  const processes = new WarmProcesses(starterOf(options, heapMiB), {
    slots: options.slots ?? 0,
    idleMaxMs: options.idleMs ?? IDLE_DEFAULT_MS,
  });
  /** The attempts that run, and their slots. */
  const running = new Map<ModuleAttempt, number>();
  let attempts = 0;
  let isClosed = false;
  return {
    kind: "module",
    start({ lease, evaluator, payload, slot }, events) {
      if (isClosed) return endAtOnce({ state: "stopped" }, events);
      attempts += 1;
      const id = attempts;
      const place = { id, trial: taskParts(lease.task).number, attempt: lease.attempt };
      const work = prepare(evaluator, payload, place, options.within);
      if ("message" in work) return refuse(work, events);
      const process = attemptTo(() => processes.take(slot, work.module));
      if (!(process instanceof ModuleProcess)) return refuse(process, events);
      const attempt = new ModuleAttempt(process, { id, frame: work.frame, heapMiB }, {
        loaded: () => processes.warmUp(work.module, new Set(running.values())),
        report: (step, metrics) => events({ type: "report", step, metrics }),
        ended(end, reusable) {
          running.delete(attempt);
          if (reusable !== undefined) processes.giveBack(slot, reusable);
          events({ type: "ended", end });
        },
      });
      running.set(attempt, slot);
      return attempt;
    },
    async close() {
      isClosed = true;
      for (const attempt of running.keys()) attempt.stop(0);
      await processes.close();
    },
  };
}

function starterOf(options: ModuleOptions, heapMiB: number): Starter<ModuleFile, ModuleProcess> {
  const open = (): Runtime => {
    const deno = options.deno ?? findDeno();
    const lifeline = openLifeline(options.folder);
    const attemptsMax = options.attemptsPerProcess ?? ATTEMPTS_PER_PROCESS_DEFAULT;
    return { deno, harness: harnessFile(lifeline.folder), lifeline, heapMiB, attemptsMax };
  };
  let runtime: Runtime | undefined;
  return {
    start: (module) => new ModuleProcess(module, runtime ??= open()),
    isSame: (a, b) => a.path === b.path && a.modifiedMs === b.modifiedMs,
    close() {
      runtime?.lifeline.close();
      runtime = undefined;
    },
  };
}

/** What is given to a process. */
interface Work {
  readonly module: ModuleFile;
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** Checks all that can be known without a process. */
function prepare(
  evaluator: Evaluator,
  payload: Uint8Array,
  place: Pick<Evaluate, "id" | "trial" | "attempt">,
  within: readonly string[] | undefined,
): Work | Failure {
  if (evaluator.kind !== "module") {
    return final(`the module executor cannot run an evaluator of kind ${evaluator.kind}`);
  }
  const module = findModule(evaluator.path, within);
  if ("message" in module) return module;
  const input = decodeInput(payload);
  if (typeof input === "string") return final(input);
  const { candidate, architecture, seed = SEED_DEFAULT } = input;
  const message: Evaluate = { ...place, candidate, architecture, seed };
  const frame = encodeFrame(message);
  if (frame.length <= FRAME_BYTES_MAX) return { module, frame };
  return final(
    `the candidate and its architecture take ${frame.length} bytes as JSON; they may take ${FRAME_BYTES_MAX}`,
  );
}

/**
 * What can be a module. Anything else is not even tried: what is wrong with it is told with the line that is, and whoever
 * may submit could have any file of this machine read out a line at a time.
 */
const MODULE_NAME = /\.[cm]?[jt]sx?$/;

function findModule(given: string, within: readonly string[] | undefined): ModuleFile | Failure {
  const path = resolve(given);
  if (!MODULE_NAME.test(path)) {
    return final(
      `${path} is no TypeScript module: its name ends with none of .ts, .mts, .tsx, .js, .mjs, .jsx`,
    );
  }
  if (within !== undefined && !liesWithin(path, within)) {
    return final(
      `${path} is in none of the folders from which this worker runs modules: ${within.join(", ")}`,
    );
  }
  // Deno divides a permission's list of folders at commas, and has no way to write one.
  if (path.includes(",")) {
    return final(`${path} has a comma in its path, which Deno cannot be told of: rename the folder`);
  }
  try {
    const { isFile, mtime } = Deno.statSync(path);
    if (isFile) return { path, modifiedMs: mtime?.getTime() ?? 0 };
    return final(
      `${path} is not a file: an evaluator is a TypeScript module that exports a function evaluate`,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return final(`there is no module ${path} on this machine`);
    return final(`the module ${path} cannot be read: ${wordsOf(error)}`);
  }
}

/** Where it really lies: a link may lead anywhere. What is not there lies nowhere, and is told by who reads it. */
function liesWithin(path: string, folders: readonly string[]): boolean {
  try {
    const real = Deno.realPathSync(path);
    return folders.some((folder) => real.startsWith(`${Deno.realPathSync(folder)}/`));
  } catch {
    return false;
  }
}

function final(message: string): Failure {
  return { message, final: true };
}

/** A process that cannot be started is this machine's trouble: another may do better. */
function attemptTo<Result>(action: () => Result): Result | Failure {
  try {
    return action();
  } catch (error) {
    return {
      message: `this worker cannot start a process for the evaluator: ${wordsOf(error)}`,
      final: false,
    };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refuse({ message, final }: Failure, events: (event: ExecutorEvent) => void): Running {
  return endAtOnce({ state: "failed", cause: "evaluator", message, final }, events);
}

function endAtOnce(end: End, events: (event: ExecutorEvent) => void): Running {
  events({ type: "ended", end });
  return { stop() {} };
}
