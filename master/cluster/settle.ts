/**
 * How tasks get their outcomes.
 *
 * Promise: an outcome is told to the worker and the experiment only after its commit; the store's verdict decides which
 * of several results was first.
 * Not here: what follows an end that is no outcome (failures.ts).
 *
 * @module
 */
import type { WorkerId } from "../../shared/model/ids.ts";
import type { AttemptEndCause, Outcome, Verdict } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { StoreVerdict } from "../store/store.ts";
import type { ClusterCore } from "./core.ts";
import type { LiveAttempt, LiveTask } from "./live_task.ts";
import { creditCompletion } from "./probation.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** The grace of an attempt whose task another has completed: nobody waits for what it would save. */
const DUPLICATE_GRACE_MS = 1_000;

/** A result on its way to the store. */
export interface Settlement {
  readonly task: LiveTask;
  readonly outcome: Outcome;
  readonly lease: Lease | undefined;
  /** Empty where no attempt led to it. */
  readonly worker: WorkerId | "";
  readonly elapsedMs: number;
  /** The worker that waits for an acknowledgement. */
  readonly acknowledgeTo: WorkerRecord | undefined;
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
    worker: settlement.worker,
    outcome,
    // A lease of an earlier epoch that was too young for a row is known by its result alone.
    attempts: Math.max(task.earlier + task.grantedTo.length, lease === undefined ? 0 : 1),
    elapsedMs: settlement.elapsedMs,
    atMs,
    ...(task.group.template.checkpoints?.keepEnded === true ? { keepCheckpoint: true } : {}),
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
  const { task, outcome, lease, acknowledgeTo: worker } = settlement;
  const isFirst = core.isOpen(task);
  if (isFirst && verdict.type !== "recorded") {
    throw new Error(`the store answered ${verdict.type} to the first outcome of ${task.id}`);
  }
  if (isFirst) finish(core, settlement, atMs);
  if (lease === undefined || worker === undefined) return;
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
    attempts: task.earlier + task.grantedTo.length,
    elapsedMs: settlement.elapsedMs,
    atMs,
  });
}

/** Tells a worker to end an attempt. It keeps its slot until the worker says that it has ended. */
export function endAttempt(
  core: ClusterCore,
  attempt: LiveAttempt,
  reason: NonNullable<LiveAttempt["cancelling"]>,
): void {
  if (attempt.cancelling !== undefined) return;
  attempt.cancelling = reason;
  sayCancel(core, attempt, reason);
}

/** Says that an attempt is to end: once, and again to a worker that comes back with it. */
export function sayCancel(
  core: ClusterCore,
  attempt: LiveAttempt,
  reason: NonNullable<LiveAttempt["cancelling"]>,
): void {
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

/**
 * Writes down that an attempt ended without an outcome.
 *
 * @param final whether its task is not to be tried again
 * @param then called once that is durable; not `isNew` where an end of this attempt had been written before
 */
export function writeEnd(
  core: ClusterCore,
  attempt: { readonly lease: Lease; readonly worker: WorkerRecord },
  cause: AttemptEndCause,
  message: string,
  then?: (commit: number, isNew: boolean) => void,
  final = false,
): void {
  core.log.add(
    {
      type: "attempt_ended",
      lease: attempt.lease,
      worker: attempt.worker.id,
      cause,
      message,
      atMs: core.context.wallClock(),
      ...(final ? { final } : {}),
    },
    then === undefined ? undefined : (verdict, commit) => {
      then(commit, verdict.type !== "recorded" || verdict.again !== true);
    },
  );
}
