/**
 * Attempts that end before anything was started.
 *
 * @module
 */
import type { ExecutorEvent, Running } from "./executor.ts";

type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

/** Tells the end, and gives what can be stopped no more. */
export function endAtOnce(events: (event: ExecutorEvent) => void, end: End): Running {
  events({ type: "ended", end });
  return { stop() {} };
}

/** The evaluator's failure, in words. @param final whether it would be the same on every machine */
export function refuse(
  events: (event: ExecutorEvent) => void,
  { message, final }: { readonly message: string; readonly final: boolean },
): Running {
  return endAtOnce(events, { state: "failed", cause: "evaluator", message, final });
}

/** What the machine cannot do is its own trouble: another may do better. @param what it cannot, in words */
export function attemptTo<Result>(
  what: string,
  action: () => Result,
): Result | { readonly message: string; readonly final: boolean } {
  try {
    return action();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { message: `this worker cannot ${what}: ${words}`, final: false };
  }
}
