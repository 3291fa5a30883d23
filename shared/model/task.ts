/**
 * Tasks: the runtime's unit of work. It knows nothing of search.
 *
 * @module
 */
import type { ArtifactRef, CheckpointPolicy } from "./artifact.ts";
import type { Epoch, GroupId, TaskId } from "./ids.ts";
import type { Resources } from "./resources.ts";

/** The user's code that turns an input into metrics. */
export type Evaluator =
  /** Part of the worker: `noop`, `sleep` and `heuristic`. */
  | { readonly kind: "builtin"; readonly name: "noop" | "sleep" | "heuristic" }
  /** A TypeScript module with an exported function `evaluate`, run in a subprocess that may read its own folder. */
  | ModuleEvaluator
  /** Any program, run as the worker's user. */
  | CommandEvaluator
  /** A function of a Python file, run as the worker's user. */
  | PythonEvaluator;

/** A TypeScript module. */
export interface ModuleEvaluator {
  readonly kind: "module";
  readonly path: string;
  /** What it asks for beyond reading its own folder: granted only where the worker's configuration allows it. */
  readonly permissions?: ModulePermissions | undefined;
}

/** Permissions of Deno, by their names; each is a list, as `--allow-…` takes it. */
export const MODULE_PERMISSIONS = ["read", "write", "net", "env", "sys"] as const;
export type ModulePermission = (typeof MODULE_PERMISSIONS)[number];
export type ModulePermissions = Readonly<Partial<Record<ModulePermission, readonly string[] | undefined>>>;

/** A program that is started anew for each attempt. */
export interface CommandEvaluator {
  readonly kind: "command";
  /** The program and its arguments, with values as `{name}`; see `fillCommand`. */
  readonly command: readonly string[];
  /** Where it runs, absolute; by default the attempt's own folder. */
  readonly folder?: string | undefined;
  /** What it gets beside what every program gets: `NAME` is the worker's own, `NAME=value` is set. */
  readonly env?: readonly string[] | undefined;
  /** Where its metrics are; by default in `result.json` where that exists, else those of its last report. */
  readonly result?: CommandResult | undefined;
  /** The candidate is an index of an array of tasks, which the program finds in `ESPALIER_ARRAY_INDEX`. */
  readonly array?: boolean | undefined;
}

/** A Python file with a function `evaluate`, imported once for many attempts. */
export interface PythonEvaluator {
  readonly kind: "python";
  readonly path: string;
  /** A name in PATH, or a path, from the file's folder on; by default `python3`. */
  readonly interpreter?: string | undefined;
  /** After so many attempts a process is replaced; by default it is kept. */
  readonly processTrials?: number | undefined;
  /** As a command's. */
  readonly env?: readonly string[] | undefined;
}

/** Where the metrics of a program are: in the last line that it prints, in its `result.json`, nowhere. */
export const COMMAND_RESULTS = ["last_line", "file", "exit_code"] as const;
export type CommandResult = (typeof COMMAND_RESULTS)[number];

/** How failures are retried; each cause is counted by itself. */
export interface RetryPolicy {
  /** Retries after evaluator failures, after passed deadlines and after lost workers, each. */
  readonly limit: number;
  /** Retries after a worker process died while it ran the task. */
  readonly crashLimit: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

/** Defaults of the retry policy. */
export const RETRY_DEFAULTS: RetryPolicy = { limit: 3, crashLimit: 3, backoffMs: 500, backoffMaxMs: 30_000 };

/** What all tasks of a group share. */
export interface TaskTemplate {
  readonly evaluator: Evaluator;
  readonly resources: Resources;
  /** Higher goes first. */
  readonly priority: number;
  readonly retry: RetryPolicy;
  /** How long the evaluator may run, by the worker's monotonic clock. */
  readonly deadlineMs?: number | undefined;
  /** How long a cancelled attempt has before it is killed. */
  readonly graceMs: number;
  /** How long a doubtful task stays with its worker before another gets it. */
  readonly reassignAfterMs: number;
  /**
   * The folder of the evaluator's code, packed. Its paths are relative to it then, and workers fetch it; without it they
   * are absolute, and the same on every machine.
   */
  readonly code?: ArtifactRef | undefined;
  /** Patterns of files in an attempt's folder that are kept at the master when it ends, such as `*.png`. */
  readonly files?: readonly string[] | undefined;
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** Given only to a worker that has at least so long left. */
  readonly minTimeMs?: number | undefined;
}

/** How long a cancelled attempt has, unless told. */
export const GRACE_DEFAULT_MS = 5_000;

/** The right to run one attempt of a task. */
export interface Lease {
  readonly epoch: Epoch;
  readonly task: TaskId;
  /** 1 for the first attempt of the task in this epoch. */
  readonly attempt: number;
}

/** A lease as a key of maps. */
export function leaseKey(lease: Lease): string {
  return `${lease.task} ${lease.attempt} ${lease.epoch}`;
}

/** What a task's payload holds, encoded once by who submits it and decoded once by the executor. */
export interface TaskInput {
  readonly candidate: unknown;
  /** The layer graph, where the space has one. */
  readonly architecture?: unknown;
  readonly seed?: number | undefined;
}

/** Tasks as they are submitted: the payloads share a template. */
export interface Submission {
  readonly group: GroupId;
  readonly template: TaskTemplate;
  readonly payloads: readonly Uint8Array[];
}

/** Where a task is, as people see it. */
export type TaskState = "pending" | "running" | "completed" | "failed" | "cancelled" | "pruned";
