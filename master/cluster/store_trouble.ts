/**
 * Why the store cannot be relied on now: it fails, or is so slow that nobody should wait for it.
 *
 * @module
 */
import type { ClusterCore } from "./core.ts";

/** A commit without an answer for so long is told: a group commit takes milliseconds, on a busy disk a second. */
export const SLOW_COMMIT_MS = 5_000;

/** In a sentence; empty where all is well. */
export function storeTrouble({ storeState, log, context }: ClusterCore): string {
  if (storeState.state === "degraded") return `the store cannot write: ${storeState.reason}`;
  const sinceMs = log.oldestAtMs;
  if (sinceMs === undefined || context.attentiveNow() - sinceMs < SLOW_COMMIT_MS) return "";
  return `the store is slow: a commit has had no answer for over ${SLOW_COMMIT_MS / 1_000} s`;
}
