/**
 * What a module's process is given, and all that can be known of it without a process.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { taskParts } from "../../../shared/model/ids.ts";
import type { ModuleEvaluator, ModulePermissions, TaskInput } from "../../../shared/model/task.ts";
import type { Attempt } from "../executor.ts";
import { encodeFrame, FRAME_BYTES_MAX } from "./harness/frame.ts";
import type { Evaluate, Failure, Restored } from "./harness/message.ts";
import { decodeInput, SEED_DEFAULT } from "../input.ts";
import { type LimitOptions, limitsOf } from "../processes/limits.ts";
import { grant } from "./module_permissions.ts";
import type { ModuleFile } from "./module_process.ts";

/** The heap of an evaluator's process, unless told. */
export const HEAP_DEFAULT_MIB = 2_048;

/** What modules may do on this worker. */
export interface ModuleRules extends LimitOptions {
  /** Folders in which, at any depth, modules may lie; by default anywhere on the machine. */
  readonly within?: readonly string[] | undefined;
  /** What modules may be granted beyond reading their own folder; by default nothing. */
  readonly allowed?: ModulePermissions | undefined;
  /** Limit of the heap of each process. Typed arrays lie outside of it. */
  readonly heapMiB?: number | undefined;
}

/** An attempt that can be tried. */
export interface Work {
  readonly module: ModuleFile;
  readonly input: TaskInput;
}

/** Checks an attempt. */
export function prepare(attempt: Attempt, rules: ModuleRules): Work | Failure {
  const { evaluator, payload } = attempt;
  if (evaluator.kind !== "module") {
    return final(`the module executor cannot run an evaluator of kind ${evaluator.kind}`);
  }
  const module = findModule(evaluator, attempt, rules);
  if ("message" in module) return module;
  const input = decodeInput(payload);
  return typeof input === "string" ? final(input) : { module, input };
}

/** The frame that gives an attempt to its process. */
export function frameOf(
  { lease }: Attempt,
  { candidate, architecture, seed = SEED_DEFAULT }: TaskInput,
  id: number,
  restored: Restored | undefined,
): Uint8Array<ArrayBuffer> | Failure {
  const trial = taskParts(lease.task).number;
  const message: Evaluate = { id, trial, attempt: lease.attempt, candidate, architecture, seed, restored };
  const frame = encodeFrame(message);
  if (frame.length <= FRAME_BYTES_MAX) return frame;
  return final(
    `the candidate and its architecture take ${frame.length} bytes as JSON; they may take ${FRAME_BYTES_MAX}`,
  );
}

/**
 * What can be a module. Anything else is not even tried: what is wrong with it is told with the line that is, and whoever
 * may submit could have any file of this machine read out a line at a time.
 */
const MODULE_NAME = /\.[cm]?[jt]sx?$/;
const MIB = 1024 * 1024;

function findModule(
  evaluator: ModuleEvaluator,
  attempt: Attempt,
  rules: ModuleRules,
): ModuleFile | Failure {
  const { codeFolder, resources } = attempt;
  const { within, allowed = {}, heapMiB = HEAP_DEFAULT_MIB } = rules;
  const path = resolve(evaluator.path);
  const problem = pathProblem(path, codeFolder === undefined ? within : undefined);
  if (problem !== undefined) return final(problem);
  const root = codeFolder ?? dirname(path);
  const permissions = grant(evaluator.permissions, allowed, root);
  // Another worker may allow it.
  if (!permissions.ok) return { message: permissions.message, final: false };
  const modifiedMs = modifiedAt(path);
  if (typeof modifiedMs === "string") return final(modifiedMs);
  const memoryMiB = Math.floor((resources?.memoryBytes ?? 0) / MIB);
  return {
    path,
    modifiedMs,
    root,
    granted: permissions.granted,
    heapMiB: memoryMiB === 0 ? heapMiB : Math.min(heapMiB, memoryMiB),
    limits: limitsOf(attempt, rules),
  };
}

function pathProblem(path: string, within: readonly string[] | undefined): string | undefined {
  if (!MODULE_NAME.test(path)) {
    return `${path} is no TypeScript module: its name ends with none of .ts, .mts, .tsx, .js, .mjs, .jsx`;
  }
  if (within !== undefined && !liesWithin(path, within)) {
    return `${path} is in none of the folders from which this worker runs modules: ${within.join(", ")}`;
  }
  // Deno divides a permission's list of folders at commas, and has no way to write one.
  if (!path.includes(",")) return undefined;
  return `${path} has a comma in its path, which Deno cannot be told of: rename the folder`;
}

function modifiedAt(path: string): number | string {
  try {
    const { isFile, mtime } = Deno.statSync(path);
    if (isFile) return mtime?.getTime() ?? 0;
    return `${path} is not a file: an evaluator is a TypeScript module that exports a function evaluate`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no module ${path} on this machine`;
    return `the module ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
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
