/**
 * Artifacts: bytes of any size, named by what they are.
 *
 * @module
 */
import type { Epoch } from "./ids.ts";

/** Bytes, wherever they lie. */
export interface ArtifactRef {
  /** 64 hexadecimal digits, of all the bytes. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A file of an attempt. */
export interface ArtifactFile extends ArtifactRef {
  /** Relative, with `/` between its parts; see `isFileName`. */
  readonly name: string;
}

/** A checkpoint that an attempt is to go on from. */
export interface Restore extends ArtifactRef {
  /** Whose it was: an attempt of the same task. */
  readonly epoch: Epoch;
  readonly attempt: number;
  /** What is reported from here on has higher steps. */
  readonly step: number;
}

/** How many checkpoints of a task are kept. */
export interface CheckpointPolicy {
  /** The highest ones of a task without an outcome. */
  readonly keep: number;
  /** Whether the highest stays once the task has its outcome. */
  readonly keepEnded: boolean;
}

/** Unless told. */
export const CHECKPOINTS_DEFAULT: CheckpointPolicy = { keep: 2, keepEnded: false };

/** A hash as it is written. */
export const SHA256_PATTERN = /^[0-9a-f]{64}$/;

/** The longest name of a file, in characters. */
export const FILE_NAME_MAX = 1_024;

/** Whether a name stays below the folder that it is relative to, on every system. */
export function isFileName(name: string): boolean {
  if (name.length === 0 || name.length > FILE_NAME_MAX || /[\0\\\n\r]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
