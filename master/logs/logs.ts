/**
 * What evaluators printed, as the gateway speaks of it: who brings it, who reads it.
 *
 * Not here: which of it is kept (log_book.ts), where (log_files.ts).
 *
 * @module
 */
import type { TaskId, WorkerId } from "../../shared/model/ids.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { Log, Logged } from "../../shared/protocol/worker_envelopes.ts";

/** The two ways out of a program. */
export const STREAMS = ["stdout", "stderr"] as const;
export type Stream = (typeof STREAMS)[number];

/** A piece as a worker's session brings it. */
export interface Brought {
  readonly worker: WorkerId;
  readonly log: Log;
  /** Whether the lease is this worker's, or was until a moment ago. Where that is not known, what is kept must say so. */
  readonly isGranted: boolean;
  /** Called once it has been taken in, or counts for nothing. */
  readonly answer: (logged: Logged) => void;
}

/** A piece of a stream as it is kept. */
export interface KeptPiece {
  /** Bytes of the stream before it. What lies between the end of one piece and this was left out. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** When it was taken in, in milliseconds since 1970: the streams of an attempt are read in this order. */
  readonly atMs: number;
}

/** How far a stream was read. */
export interface LogPlace {
  readonly segment: number;
  readonly position: number;
}

/** Where every stream begins. */
export const LOG_BEGIN: LogPlace = { segment: 0, position: 0 };

/** The next pieces of a stream; none where nothing more is kept so far. */
export interface LogRead {
  readonly pieces: readonly KeptPiece[];
  readonly next: LogPlace;
}

/** An attempt that something is kept of. */
export interface KeptAttempt {
  readonly lease: Lease;
  readonly worker: string;
  /** Whether all that it will ever say is there. */
  readonly isComplete: boolean;
}

/** What the gateway's sessions and the feed may do with the logs. */
export interface Logs {
  take(brought: Brought): void;
  /** The attempts of a task that something is kept of, in the order in which they began. */
  attempts(task: TaskId, found: (attempts: readonly KeptAttempt[]) => void): void;
  /** The next pieces of a stream, of about so many bytes. */
  read(
    ask: {
      readonly lease: Lease;
      readonly stream: Stream;
      readonly from: LogPlace;
      readonly bytesMax: number;
    },
    found: (read: LogRead) => void,
  ): void;
  /** Calls whenever there may be more of a task. @returns ends it */
  watch(task: TaskId, grown: () => void): () => void;
}

/** Keeps nothing. */
export const NO_LOGS: Logs = {
  take: () => {},
  attempts: (_task, found) => found([]),
  read: ({ from }, found) => found({ pieces: [], next: from }),
  watch: () => () => {},
};
