/**
 * Why an experiment is not begun or steered, in words for the person who asked.
 *
 * @module
 */
import type { ExperimentState } from "../../shared/model/experiment.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import type { CommandReply } from "../cluster/messages.ts";

/** A reply that says why not. */
export function failure(
  code: string,
  message: string,
  path: string,
  advice: string,
  retryAfterMs: number | null = null,
): CommandReply {
  return { ok: false, error: { code, message, path, advice, retryAfterMs } };
}

/** It has ended, and can only be run anew; one that is broken can be tried again. */
export function over(group: GroupId, state: ExperimentState): CommandReply {
  const advice = state === "broken"
    ? `try it again: espalier resume ${group}`
    : "run the spec again to begin a new one";
  return failure("experiment_over", `${group} is ${state}`, "", advice);
}

/** It has just ended. */
export function hasEnded(group: GroupId): CommandReply {
  return failure("experiment_over", `${group} is over`, "", "run the spec again to begin a new one");
}

/** The master has just begun. */
export function notReady(): CommandReply {
  return failure("not_ready", "the master is reading its store", "", "try again", 200);
}

/** There is none. */
export function unknown(group: GroupId): CommandReply {
  return failure(
    "unknown_experiment",
    `there is no experiment ${group}`,
    "",
    "espalier experiments lists them",
  );
}

/** It was tried again, and broke before it could go on. */
export function brokeAgain(group: GroupId, cause: string): CommandReply {
  const advice = "what broke it is still there: mend it, restart the master, and resume it again";
  return failure("experiment_broken", `${group} broke again: ${cause}`, "", advice);
}

/** The store is an older copy: what is acknowledged over it would be lost with it. */
export function storeLost(why: string): CommandReply {
  return failure("store_lost", why, "", "an operator must decide");
}
