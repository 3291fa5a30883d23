/**
 * Whether a task is tried again, and when.
 *
 * Promise: each cause is counted by itself, from rows that are durable before the retry.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { FailureCause } from "../../shared/model/outcome.ts";
import type { RetryPolicy } from "../../shared/model/task.ts";

/** Try again after a delay, or give up. */
export type RetryDecision = { readonly type: "again"; readonly afterMs: number } | {
  readonly type: "give_up";
};

/** How many retries a policy allows after failures by a cause. */
export function retriesAllowed(policy: RetryPolicy, cause: FailureCause): number {
  return cause === "crash" ? policy.crashLimit : policy.limit;
}

/**
 * Decides after a failure that has been counted.
 *
 * The delay doubles with each failure of the cause up to a maximum, and is drawn from its upper half, so that tasks
 * that failed together do not come back together.
 *
 * @param failures how often the task has failed by this cause, this time included
 */
export function decideRetry(
  policy: RetryPolicy,
  cause: FailureCause,
  failures: number,
  isFinal: boolean,
  random: Random,
): RetryDecision {
  if (isFinal || failures > retriesAllowed(policy, cause)) return { type: "give_up" };
  // The loss of a worker is not the task's fault: it need not wait.
  if (cause === "worker_lost") return { type: "again", afterMs: 0 };
  const fullMs = Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** (failures - 1));
  return { type: "again", afterMs: fullMs * (0.5 + random.next() / 2) };
}
