/**
 * How tasks get their outcomes, and attempts their ends.
 *
 * Promise: an outcome is told to the worker, the experiment and the feed only after its commit; the store's verdict
 * decides which of several results was first; an end that is not an outcome is durable before the retry.
 *
 * @module
 */
import type { AttemptEndCause, FailureCause, Outcome, Verdict } from "../../shared/model/outcome.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { StoreVerdict } from "../store/store.ts";
import type { ClusterCore } from "./core.ts";
import { LIVE_LEASES_MAX, type LiveAttempt, liveAttempt, type LiveTask, releaseLease } from "./live_task.ts";
import { blameFailure, creditCompletion } from "./probation.ts";
import { decideRetry } from "./retry.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** The grace of an attempt whose task another has completed: nobody waits for what it would save. */
const DUPLICATE_GRACE_MS = 1_000;

/** A result on its way to the store. */
export interface Settlement {
  readonly task: LiveTask;
  readonly outcome: Outcome;
  readonly lease: Lease | undefined;
  readonly worker: WorkerRecord | undefined;
  readonly elapsedMs: number;
  /** Whether a worker waits for an acknowledgement. */
  readonly acknowledge: boolean;
}

/** Sends an outcome to the store. The first to arrive there wins. */
export function settle(core: ClusterCore, settlement: Settlement): void {
  const { task, outcome, lease } = settlement;
  const atMs = core.context.wallClock();
  const source = core.sources.get(task.group.id);
  if (source !== undefined) source.committing += 1;
  core.takeOut(task);
  task.state = "settling";
  core.log.add({
    type: "outcome",
    task: task.id,
    lease,
    worker: settlement.worker?.id ?? "",
    outcome,
    attempts: task.earlier + task.granted,
    elapsedMs: settlement.elapsedMs,
    atMs,
  }, (verdict, commit) => {
    if (source !== undefined) source.committing -= 1;
    settled(core, settlement, verdict, commit, atMs);
  });
}

function settled(
  core: ClusterCore,
  settlement: Settlement,
  verdict: StoreVerdict,
  commit: number,
  atMs: number,
): void {
  const { task, outcome, lease, worker } = settlement;
  const isFirst = core.isOpen(task);
  if (isFirst && verdict.type !== "recorded") {
    throw new Error(`the store answered ${verdict.type} to the first outcome of ${task.id}`);
  }
  if (isFirst) finish(core, settlement, atMs);
  if (!settlement.acknowledge || lease === undefined || worker === undefined) return;
  if (verdict.type === "superseded") core.counters.duplicates += 1;
  const by = verdict.type === "superseded" ? verdict.by : null;
  acknowledge(core, worker, lease, verdictOf(verdict), by, commit);
  if (isFirst && outcome.state === "completed") creditCompletion(core, worker, task);
}

function verdictOf(verdict: StoreVerdict): Verdict {
  if (verdict.type === "superseded" || verdict.type === "unknown") return verdict.type;
  return "recorded";
}

function finish(core: ClusterCore, settlement: Settlement, atMs: number): void {
  const { task, outcome } = settlement;
  core.removeTask(task);
  core.counters[outcome.state] += 1;
  for (const attempt of [...task.attempts]) {
    if (attempt.doubtful && attempt.worker.session === undefined) continue;
    endAttempt(core, attempt, outcome.state === "cancelled" ? "cancelled" : "duplicate");
  }
  const source = core.sources.get(task.group.id);
  if (source === undefined) return;
  source.wants = true;
  core.context.send(source.ref, {
    type: "ended",
    number: task.number,
    outcome,
    attempts: task.earlier + task.granted,
    elapsedMs: settlement.elapsedMs,
    atMs,
  });
}

/** Tells a worker to end an attempt. It keeps its slot until the worker says that it has ended. */
export function endAttempt(
  core: ClusterCore,
  attempt: LiveAttempt,
  reason: "cancelled" | "duplicate" | "deadline",
): void {
  if (attempt.cancelling !== undefined) return;
  attempt.cancelling = reason;
  const graceMs = reason === "duplicate" ? DUPLICATE_GRACE_MS : attempt.task.group.template.graceMs;
  core.say(attempt.worker.session, { type: "cancel", ...attempt.lease, graceMs, reason });
}

/** Answers a result. */
export function acknowledge(
  core: ClusterCore,
  worker: WorkerRecord,
  lease: Lease,
  verdict: Verdict,
  by: number | null,
  commit: number,
): void {
  core.say(worker.session, { type: "acknowledge", ...lease, verdict, by, commit });
}

/** Writes down that an attempt ended without an outcome. */
export function writeEnd(
  core: ClusterCore,
  attempt: { readonly lease: Lease; readonly worker: WorkerRecord },
  cause: AttemptEndCause,
  message: string,
  then?: (commit: number) => void,
): void {
  core.log.add({
    type: "attempt_ended",
    lease: attempt.lease,
    worker: attempt.worker.id,
    cause,
    message,
    atMs: core.context.wallClock(),
  }, then === undefined ? undefined : (_verdict, commit) => then(commit));
}

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
  writeEnd(core, attempt, failure.cause, failure.message, acknowledged);
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
  acknowledged?.(core.commit);
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
