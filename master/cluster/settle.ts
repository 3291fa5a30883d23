/**
 * How tasks get their outcomes, and attempts their ends.
 *
 * Promise: an outcome is told to the worker, the experiment and the feed only after its commit; the store's verdict
 * decides which of several results was first; an end that is not an outcome is durable before the retry.
 *
 * @module
 */
import type { AttemptEndCause, FailureCause, Outcome, Verdict } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { StoreVerdict } from "../store/store.ts";
import type { ClusterCore } from "./core.ts";
import { type LiveAttempt, type LiveTask, releaseLease } from "./live_task.ts";
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
  core.unqueue(task);
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
  if (verdict.type === "recorded" && core.tasks.has(task.id)) finish(core, settlement, atMs);
  if (!settlement.acknowledge || lease === undefined || worker === undefined) return;
  if (verdict.type === "superseded") core.counters.duplicates += 1;
  const by = verdict.type === "superseded" ? verdict.by : null;
  acknowledge(core, worker, lease, verdictOf(verdict), by, commit);
  if (verdict.type === "recorded" && outcome.state === "completed") creditCompletion(core, worker, task);
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
  const isOpen = core.tasks.has(task.id);
  if (isOpen) {
    task.failures[failure.cause] += 1;
    if (!task.failedOn.includes(attempt.worker.id)) task.failedOn.push(attempt.worker.id);
  }
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

function retryOrGiveUp(core: ClusterCore, attempt: LiveAttempt, failure: Failure): void {
  const task = attempt.task;
  const { cause, message, stack, elapsedMs } = failure;
  const policy = task.group.template.retry;
  const decision = decideRetry(policy, cause, task.failures[cause], failure.final, core.context.random);
  if (decision.type === "give_up") {
    const outcome: Outcome = { state: "failed", cause, message, ...(stack === undefined ? {} : { stack }) };
    task.exhausted = { outcome, attempt, elapsedMs };
    return afterEnd(core, task);
  }
  if (task.attempts.length > 0 || task.state === "queued" || task.state === "delayed") return;
  core.counters.retried += 1;
  requeueAfter(core, task, decision.afterMs);
}

/** An attempt has ended without an outcome: where none is left, the task goes back to the front, or fails for good. */
export function afterEnd(core: ClusterCore, task: LiveTask): void {
  // Another attempt may still complete it: a task fails only when none is live or doubtful.
  if (task.attempts.length > 0 || task.state === "settling" || !core.tasks.has(task.id)) return;
  if (task.exhausted === undefined) {
    if (task.state !== "delayed") requeueAfter(core, task, 0);
    return;
  }
  const { outcome, attempt, elapsedMs } = task.exhausted;
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
export function requeueAfter(core: ClusterCore, task: LiveTask, delayMs: number): void {
  if (!core.tasks.has(task.id) || task.state === "queued" || task.state === "settling") return;
  if (delayMs <= 0) return core.enqueueFront(task);
  task.state = "delayed";
  core.context.after(delayMs, { type: "retry_due", task: task.id });
}
