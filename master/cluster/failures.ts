/**
 * What follows an attempt that ended without an outcome, or became doubtful: once more, later, or never again.
 *
 * Promise: such an end is on its way to the store before the retry; a task fails only when none of its attempts is live
 * or doubtful; no third lease is granted while two are.
 * Not here: when to try again (retry.ts), how an outcome is recorded (settle.ts).
 *
 * @module
 */
import type { FailureCause, Outcome } from "../../shared/model/outcome.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { ClusterCore } from "./core.ts";
import { LIVE_LEASES_MAX, type LiveAttempt, liveAttempt, type LiveTask, releaseLease } from "./live_task.ts";
import { blameFailure } from "./probation.ts";
import { decideRetry } from "./retry.ts";
import { settle, writeEnd } from "./settle.ts";

/** A failure of an attempt that counts. */
export interface Failure {
  readonly cause: FailureCause;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly final: boolean;
  readonly elapsedMs: number;
}

/**
 * An attempt has failed by a cause that counts: writes it down, then tries again or gives the task up.
 *
 * @param acknowledged called with the commit that the failure's acknowledgement rests on
 */
export function failAttempt(
  core: ClusterCore,
  attempt: LiveAttempt,
  failure: Failure,
  acknowledged?: (commit: number) => void,
): void {
  const task = attempt.task;
  releaseLease(attempt);
  attempt.worker.failed += 1;
  const isOpen = core.isOpen(task);
  if (task.lost.includes(leaseKey(attempt.lease))) return failAgain(core, attempt, failure, acknowledged);
  if (isOpen) noteFailure(task, attempt, failure.cause);
  if (failure.cause === "evaluator") blameFailure(core, attempt.worker);
  writeEnd(core, attempt, failure.cause, failure.message, (commit, isNew) => {
    // An earlier life of the cluster had called it lost: one attempt is one failure.
    if (isOpen && !isNew) task.failures[failure.cause] -= 1;
    acknowledged?.(commit);
  });
  if (!isOpen || task.state === "settling") return;
  if (failure.cause === "evaluator") {
    const source = core.sources.get(task.group.id);
    if (source !== undefined) {
      core.context.send(source.ref, {
        type: "attempt_failed",
        number: task.number,
        message: failure.message,
      });
    }
  }
  retryOrGiveUp(core, attempt, failure);
}

/** Its loss has been counted, and it came back: one attempt is one failure. */
function failAgain(
  core: ClusterCore,
  attempt: LiveAttempt,
  failure: Failure,
  acknowledged: ((commit: number) => void) | undefined,
): void {
  // What is there already stays; but the answer comes after it.
  writeEnd(core, attempt, failure.cause, failure.message, acknowledged);
  if (failure.final && core.isOpen(attempt.task) && attempt.task.state !== "settling") {
    return retryOrGiveUp(core, attempt, failure);
  }
  goOn(core, attempt.task, 0);
}

function noteFailure(task: LiveTask, attempt: LiveAttempt, cause: FailureCause): void {
  const worker = attempt.worker.id;
  task.failures[cause] += 1;
  if (cause === "worker_lost") task.lost = [...task.lost, leaseKey(attempt.lease)];
  task.avoid = worker;
  // A machine that was lost or restarted took all its tasks with it: that says nothing about any of them.
  const isItsFault = cause === "evaluator" || cause === "deadline";
  if (isItsFault && !task.failedOn.includes(worker)) task.failedOn = [...task.failedOn, worker];
}

function retryOrGiveUp(core: ClusterCore, attempt: LiveAttempt, failure: Failure): void {
  const task = attempt.task;
  const { cause, message, stack, elapsedMs } = failure;
  const policy = task.group.template.retry;
  const decision = decideRetry(policy, cause, task.failures[cause], failure.final, core.context.random);
  if (decision.type === "give_up") {
    const outcome: Outcome = { state: "failed", cause, message, ...(stack === undefined ? {} : { stack }) };
    task.exhausted ??= { outcome, attempt, elapsedMs };
    return goOn(core, task, 0);
  }
  core.counters.retried += 1;
  // It is waited for longer than it takes to call it lost: only the lease is.
  if (cause === "worker_lost" && task.delay?.waitsFor === "worker") return;
  goOn(core, task, decision.afterMs);
}

/**
 * Decides what follows for a task, one of whose attempts has ended without an outcome or become doubtful.
 *
 * While an attempt is live, nothing does; where none is left and its retries are used up, it fails for good; else it
 * goes back to the front of the queue.
 *
 * @param delayMs how long it waits before that
 */
export function goOn(core: ClusterCore, task: LiveTask, delayMs: number): void {
  if (!core.isOpen(task) || task.state === "settling") return;
  if (task.exhausted !== undefined) return failForGood(core, task, task.exhausted);
  const isAlone = task.attempts.length === 0;
  if (task.state === "withheld" && !isAlone) return;
  if (task.state === "queued" || task.delay?.waitsFor === "retry") return;
  if (liveAttempt(task) !== undefined || task.attempts.length >= LIVE_LEASES_MAX) return;
  if (isAlone) return requeueAfter(core, task, delayMs, "retry");
  if (task.state === "delayed") return;
  // Its worker may still be at it, and is given its time.
  requeueAfter(core, task, Math.max(delayMs, task.group.template.reassignAfterMs), "worker");
}

/** Only when no attempt is live or doubtful: until then another may still complete it. */
function failForGood(core: ClusterCore, task: LiveTask, exhausted: NonNullable<LiveTask["exhausted"]>): void {
  core.takeOut(task);
  if (task.attempts.length > 0) return;
  const { outcome, attempt, elapsedMs } = exhausted;
  settle(core, {
    task,
    outcome,
    lease: attempt.lease,
    worker: attempt.worker,
    elapsedMs,
    acknowledge: false,
  });
}

/** Puts a task back, now to the front or after a delay. */
function requeueAfter(
  core: ClusterCore,
  task: LiveTask,
  delayMs: number,
  waitsFor: "retry" | "worker",
): void {
  core.takeOut(task);
  if (delayMs <= 0) return core.enqueueFront(task);
  const timer = core.context.after(delayMs, { type: "retry_due", task: task.id });
  task.delay = { timer, waitsFor };
  task.state = "delayed";
}

/** The delay of a task is over. */
export function delayOver(core: ClusterCore, task: LiveTask): void {
  if (task.state !== "delayed") return;
  core.takeOut(task);
  if (liveAttempt(task) === undefined && task.attempts.length < LIVE_LEASES_MAX) core.enqueueFront(task);
}
