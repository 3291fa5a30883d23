/**
 * What can be asked of output, and what is told of it.
 *
 * @module
 */

/** Which output to read. */
export interface OutputOptions {
  /** By default that of the attempt with the outcome, else of the newest. Of attempts with one number, the newest. */
  readonly attempt?: number | undefined;
  /** By default both. */
  readonly stream?: "stdout" | "stderr" | undefined;
  /** What comes, too, until the task has its outcome. */
  readonly follow?: boolean | undefined;
  /** Of what is there already, only so many lines. */
  readonly tailLines?: number | undefined;
}

/** A piece of what an attempt printed. */
export interface OutputPiece {
  readonly type: "piece";
  readonly attempt: number;
  /** The master's life that gave the attempt its number. */
  readonly epoch: string;
  readonly worker: string;
  readonly stream: "stdout" | "stderr";
  /** Bytes of the stream before it. */
  readonly offset: number;
  /** So many of those came after the piece before, and are not kept. */
  readonly leftOutBytes: number;
  readonly data: Uint8Array;
}

/** What a reader is told. */
export type OutputEvent =
  | OutputPiece
  /** The last word. The outcome is empty where the task has none yet. */
  | { readonly type: "end"; readonly outcome: string };
