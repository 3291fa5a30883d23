/**
 * The seam for executors: a worker's ways of running evaluators.
 *
 * Promise: after `start`, exactly one `ended` event comes, whatever the evaluator does; nothing comes after it; and when
 * it has come, nothing of the attempt is alive.
 * Not here: deadlines and which attempt runs when (slots.ts): they use `stop`.
 *
 * @module
 */
import type { ArtifactFile, ArtifactRef, Restore } from "../../shared/model/artifact.ts";
import type { Device } from "../../shared/model/devices.ts";
import type { AttemptEnd, Metrics } from "../../shared/model/outcome.ts";
import type { Resources } from "../../shared/model/resources.ts";
import type { Evaluator, Lease } from "../../shared/model/task.ts";

/** One execution of a task. */
export interface Attempt {
  readonly lease: Lease;
  readonly evaluator: Evaluator;
  /** msgpack of a `TaskInput`. */
  readonly payload: Uint8Array;
  /** Which of the worker's slots it runs on, from 0: a warm process belongs to a slot. */
  readonly slot: number;
  /** What it was given of the worker's pool: its limits. */
  readonly resources?: Resources | undefined;
  /** The devices that are its own. */
  readonly devices?: readonly Device[] | undefined;
  /** The code that its evaluator's paths are relative to; resolved before an executor sees the attempt. */
  readonly code?: ArtifactRef | undefined;
  /** Where that code lies on this machine, absolute: all of it may be read by the evaluator. */
  readonly codeFolder?: string | undefined;
  /** The checkpoint that it goes on from; fetched before an executor sees the attempt. */
  readonly restore?: Restore | undefined;
  /** That checkpoint as a file or folder of its own on this machine. */
  readonly restored?: { readonly path: string; readonly step: number } | undefined;
  /** Patterns of files to keep when it ends. */
  readonly files?: readonly string[] | undefined;
  /**
   * To be awaited by an executor when the evaluator has ended and before it says so: keeps the files of the attempt's folder.
   * Never rejects.
   */
  readonly collect?: ((folder: string) => Promise<void>) | undefined;
}

/** What an evaluator printed. */
export interface Output {
  readonly type: "output";
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** What an executor tells of an attempt. `stopped` is the end of an attempt after `stop`. */
export type ExecutorEvent =
  | {
    readonly type: "report";
    readonly step: number;
    readonly metrics: Metrics;
    readonly checkpoint?: ArtifactRef | undefined;
    readonly file?: ArtifactFile | undefined;
  }
  /**
   * A checkpoint is whole, as a file or folder that nobody writes to any more; whoever takes the event removes it. Made a
   * report once it is kept at the master.
   */
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string }
  /** A file of the attempt is whole, likewise. */
  | { readonly type: "file"; readonly name: string; readonly path: string }
  | Output
  | {
    readonly type: "ended";
    readonly end: Extract<AttemptEnd, { state: "completed" | "failed" }> | { readonly state: "stopped" };
  };

/** An attempt that runs. */
export interface Running {
  /** Asks it to end, and kills it after the grace period; `ended` follows either way. */
  stop(graceMs: number): void;
}

/** A way of running evaluators. */
export interface Executor {
  /** The kind of evaluator that it runs, such as `module`. */
  readonly kind: Evaluator["kind"];
  /** Calls `events` from an empty stack or from within; the caller stands both. */
  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running;
  /** Ends everything that it keeps warm. */
  close(): Promise<void>;
}
