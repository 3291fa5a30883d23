/**
 * Limits of every store.
 *
 * @module
 */

/** The most rows that one query answers, whatever limit it names: an answer stands in the master's memory. */
export const QUERY_ROWS_MAX = 10_000;

/**
 * Reports of one attempt that are kept; what an evaluator measures beyond is taken from its worker and dropped. Of
 * checkpoints and files as many again are kept.
 */
export const ATTEMPT_REPORTS_MAX = 20_000;

/** A limit as a query names it, brought into what is allowed. */
export function rowLimit(limit: number): number {
  return Math.max(1, Math.min(QUERY_ROWS_MAX, Math.floor(limit)));
}
