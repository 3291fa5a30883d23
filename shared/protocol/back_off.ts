/**
 * How long whoever lost its master waits before it tries again.
 *
 * Promise: a fleet that lost its master at one moment does not come back at one moment.
 *
 * @module
 */
import type { Random } from "../actor/random.ts";

/** The longest wait before the first try. */
export const RECONNECT_MIN_MS = 100;
/** The longest wait before any try: a master that came back is found within this time. */
export const RECONNECT_MAX_MS = 10_000;

/**
 * The wait before the next try: exponential, with full jitter ("Exponential Backoff And Jitter", M. Brooker, AWS
 * Architecture Blog, 2015).
 *
 * @param failures tries that have failed since the last success; 0 before the first
 * @returns milliseconds, evenly drawn between 0 and the present bound
 */
export function backOffMs(failures: number, random: Random): number {
  return random.next() * Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** failures);
}
