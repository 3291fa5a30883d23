/**
 * The seam for where logs are kept: a disk, or the memory of a simulation.
 *
 * Promise: what was appended is read in order, or left out as a whole where a limit says so; a call that fails has
 * changed nothing that counts. Answers come by callback, so that a simulated disk can stand behind it.
 *
 * @module
 */
import type { TaskId } from "../../shared/model/ids.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { KeptAttempt, KeptPiece, LogPlace, LogRead, Stream } from "./logs.ts";

/** Pieces of both streams of one attempt. */
export type AttemptPieces = Readonly<Record<Stream, readonly KeptPiece[]>>;

/** How far the streams of an attempt are kept. */
export interface KeptEnds {
  readonly worker: string;
  readonly stdout: number;
  readonly stderr: number;
}

/** What became of a call. */
export type Done<T> = (
  result: { readonly ok: true; readonly value: T } | {
    readonly ok: false;
    readonly reason: string;
  },
) => void;

/** Keeps logs. */
export interface LogFiles {
  /** What is kept of an attempt; null where nothing is. */
  ends(lease: Lease, done: Done<KeptEnds | null>): void;
  append(lease: Lease, worker: string, pieces: AttemptPieces, done: Done<void>): void;
  /** All of the attempt is there. */
  complete(lease: Lease, done: Done<void>): void;
  attempts(task: TaskId, done: Done<readonly KeptAttempt[]>): void;
  read(lease: Lease, stream: Stream, from: LogPlace, bytesMax: number, done: Done<LogRead>): void;
}
