/**
 * What follows an attempt that ended without an outcome, or became doubtful: once more, later, or never again.
 *
 * Promise: such an end is durable before the retry; a task fails only when none of its attempts is live or doubtful; no
 * third lease is granted while two are; a lease that is only doubtful is given away without waiting for a disk.
 * Not here: when to try again (retry.ts), how an outcome is recorded (settle.ts).
 *
 * @module
 */
import type { AttemptEndCause, FailureCause, Outcome } from "../../shared/model/outcome.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { ClusterCore } from "./core.ts";
import {
  type EndingLease,
  type Exhausted,
  LIVE_LEASES_MAX,
  type LiveAttempt,
  liveAttempt,
  type LiveTask,
  releaseLease,
} from "./live_task.ts";
import { blameFailure } from "./probation.ts";
import { pruneIfAlone } from "./pruning.ts";
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
  const { task, worker } = attempt;
  const { cause, final } = failure;
  const wasLost = task.lost.includes(leaseKey(attempt.lease));
  releaseLease(attempt);
  worker.failed += 1;
  if (core.isOpen(task) && !wasLost) blame(core, attempt, cause);
  writeBeforeRetry(core, attempt, cause, failure.message, (commit, isNew) => {
    acknowledged?.(commit);
    if (!core.isOpen(task)) return;
    // It had been called lost before, maybe by an earlier life of the cluster: one attempt is one failure.
    if (isNew) countFailure(core, task, failure);
    if (!final) retryOrGiveUp(core, attempt, failure);
  }, final);
  // Whatever the rows say: it is given up in the same commit.
  if (final) giveUp(core, attempt, failure);
}

/** An attempt has ended, and that is nobody's failure. @param isKnown whether it has a row, or is worth one: it ran */
export function endUncounted(
  core: ClusterCore,
  attempt: LiveAttempt,
  cause: Exclude<AttemptEndCause, FailureCause>,
  isKnown: boolean,
  acknowledged?: (commit: number) => void,
): void {
  const { task } = attempt;
  releaseLease(attempt);
  // The outcome has closed what was open of it.
  if (!isKnown || !core.isOpen(task)) {
    acknowledged?.(core.commit);
    return goOn(core, task, 0);
  }
  writeBeforeRetry(core, attempt, cause, "", (commit) => {
    acknowledged?.(commit);
    goOn(core, task, 0);
  });
}

/** An attempt that was told to end has done so, or will never say so any more. @param ranMs as far as is known */
export function endAsTold(
  core: ClusterCore,
  attempt: LiveAttempt,
  ranMs: number,
  acknowledged?: (commit: number) => void,
): void {
  const { cancelling, opened, task } = attempt;
  // The master had to end it, whatever its worker calls that: it would run as long the next time.
  if (cancelling === "deadline") {
    const message = `it ran longer than its deadline of ${task.group.template.deadlineMs} ms`;
    const failure: Failure = { cause: "deadline", message, final: false, elapsedMs: ranMs };
    return failAttempt(core, attempt, failure, acknowledged);
  }
  const cause = cancelling === undefined
    ? "returned"
    : cancelling === "duplicate"
    ? "duplicate"
    : "cancelled";
  endUncounted(core, attempt, cause, opened || ranMs > 0, acknowledged);
}

/** The end of an attempt becomes durable; until it is, its task waits. */
function writeBeforeRetry(
  core: ClusterCore,
  attempt: LiveAttempt,
  cause: AttemptEndCause,
  message: string,
  then: (commit: number, isNew: boolean) => void,
  final = false,
): void {
  const { task } = attempt;
  const ending: EndingLease = { key: leaseKey(attempt.lease), told: [] };
  const before = task.ending ?? { leases: [], pauseMs: 0 };
  task.ending = { ...before, leases: [...before.leases, ending] };
  // It was given away while the attempt was only doubtful: from now on it would be a retry.
  if (task.state === "queued") core.takeOut(task);
  // Its experiment is asked for another trial when it knows what became of this one, or its retry has the slot.
  const source = core.sources.get(task.group.id);
  if (source !== undefined) source.committing += 1;
  writeEnd(core, attempt, cause, message, (commit, isNew) => {
    if (source !== undefined) source.committing -= 1;
    const { leases = [], pauseMs = 0 } = task.ending ?? {};
    task.ending = { leases: leases.filter((each) => each !== ending), pauseMs };
    for (const tell of ending.told) tell(commit);
    then(commit, isNew);
  }, final);
}

/** Calls back when the end of a lease is durable that is on its way to the store. @returns whether there is one */
export function whenEndIsDurable(task: LiveTask, lease: Lease, then: (commit: number) => void): boolean {
  const key = leaseKey(lease);
  const ending = task.ending?.leases.find((each) => each.key === key);
  ending?.told.push(then);
  return ending !== undefined;
}

function blame(core: ClusterCore, attempt: LiveAttempt, cause: FailureCause): void {
  const { task, worker } = attempt;
  if (cause === "worker_lost") task.lost = [...task.lost, leaseKey(attempt.lease)];
  task.avoid = worker.id;
  // A machine that was lost or restarted took all its tasks with it: that says nothing about any of them.
  const isItsFault = cause === "evaluator" || cause === "deadline";
  if (isItsFault && !task.failedOn.includes(worker.id)) task.failedOn = [...task.failedOn, worker.id];
  if (isItsFault) blameFailure(core, worker, task.id);
}

function countFailure(core: ClusterCore, task: LiveTask, { cause, message, final }: Failure): void {
  task.failures[cause] += 1;
  if (cause !== "evaluator" || (task.state === "settling" && !final)) return;
  const source = core.sources.get(task.group.id);
  if (source === undefined) return;
  core.context.send(source.ref, { type: "attempt_failed", number: task.number, message });
}

function retryOrGiveUp(core: ClusterCore, attempt: LiveAttempt, failure: Failure): void {
  const { task } = attempt;
  if (task.state === "settling") return;
  const { cause, final } = failure;
  const policy = task.group.template.retry;
  const decision = decideRetry(policy, cause, task.failures[cause], final, core.context.random);
  if (decision.type === "give_up") return giveUp(core, attempt, failure);
  core.counters.retried += 1;
  // It is waited for longer than it takes to call it lost: only the lease is.
  if (cause === "worker_lost" && task.delay?.waitsFor === "worker") return;
  goOn(core, task, decision.afterMs);
}

function giveUp(core: ClusterCore, attempt: LiveAttempt, failure: Failure): void {
  const { task } = attempt;
  if (!core.isOpen(task) || task.state === "settling") return;
  const { cause, message, stack, elapsedMs } = failure;
  const outcome: Outcome = { state: "failed", cause, message, ...(stack === undefined ? {} : { stack }) };
  task.exhausted ??= { outcome, lease: attempt.lease, worker: attempt.worker.id, elapsedMs };
  goOn(core, task, 0);
}

/**
 * Decides what follows for a task, one of whose attempts has ended without an outcome or become doubtful.
 *
 * While an attempt is live, nothing does; where none is left and its retries are used up, it fails for good; else it
 * goes back to the front of the queue, once the ends of its attempts are durable.
 *
 * @param delayMs how long it waits before that
 */
export function goOn(core: ClusterCore, task: LiveTask, delayMs: number): void {
  if (!core.isOpen(task) || task.state === "settling") return;
  if (task.isPruned) return pruneIfAlone(core, task);
  if (task.exhausted !== undefined) return failForGood(core, task, task.exhausted);
  const pauseMs = Math.max(delayMs, task.ending?.pauseMs ?? 0);
  if (task.ending !== undefined && task.ending.leases.length > 0) {
    task.ending = { ...task.ending, pauseMs };
    return;
  }
  task.ending = undefined;
  const isAlone = task.attempts.length === 0;
  if (task.state === "queued" || task.delay?.waitsFor === "retry") return;
  if (liveAttempt(task) !== undefined) return;
  if (task.attempts.some(isAwaited)) return withhold(core, task);
  if (task.attempts.length >= LIVE_LEASES_MAX) return;
  if (isAlone) return requeueAfter(core, task, pauseMs, "retry");
  if (task.state === "delayed") return;
  // Its worker may still be at it, and is given its time.
  requeueAfter(core, task, Math.max(pauseMs, task.group.template.reassignAfterMs), "worker");
}

/** Whether a restarted master waits for its worker, who may run it and has not come back since. */
function isAwaited({ worker }: LiveAttempt): boolean {
  return worker.registrations === 0;
}

function withhold(core: ClusterCore, task: LiveTask): void {
  core.takeOut(task);
  task.state = "withheld";
}

/** Only when no attempt is live or doubtful: until then another may still complete it. */
function failForGood(core: ClusterCore, task: LiveTask, exhausted: Exhausted): void {
  core.takeOut(task);
  if (task.attempts.length > 0) return;
  settle(core, { task, ...exhausted, acknowledgeTo: undefined });
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
  // The last end that becomes durable puts it back.
  if (task.ending !== undefined && task.ending.leases.length > 0) return;
  if (liveAttempt(task) === undefined && task.attempts.length < LIVE_LEASES_MAX) core.enqueueFront(task);
}
