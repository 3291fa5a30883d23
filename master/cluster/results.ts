/**
 * What workers say: results, reports, heartbeats, farewells.
 *
 * Promise: a completed result of any lease ever granted for an open task is a valid evaluation and goes to the store;
 * failures count only from a live lease; every result gets one acknowledgement, after the commit it rests on.
 *
 * @module
 */
import type { Metrics } from "../../shared/model/outcome.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { FromWorker, Register, Result } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import { attemptOf, isGranted, type LiveAttempt, type LiveTask, releaseLease } from "./live_task.ts";
import { endAsTold, failAttempt, type Failure, whenEndIsDurable } from "./failures.ts";
import { forgetAnnounced } from "./returns.ts";
import { reportsCame, reportsFrom } from "./reports.ts";
import { acknowledge, settle } from "./settle.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** How fast the moving average of a group's duration follows: about the last ten attempts count. */
const MEAN_WEIGHT = 0.1;

/** Takes in what a worker said, in order. */
export function workerSaid(
  core: ClusterCore,
  worker: WorkerRecord,
  envelopes: readonly Exclude<FromWorker, Register>[],
): void {
  for (let index = 0; index < envelopes.length; index++) {
    const envelope = envelopes[index];
    switch (envelope?.type) {
      case "result":
        resultCame(core, worker, envelope);
        break;
      case "report": {
        const reports = reportsFrom(envelopes, index);
        reportsCame(core, worker, reports);
        index += reports.length - 1;
        break;
      }
      case "heartbeat":
        if (worker.announced.size > 0) forgetAnnounced(core, worker);
        worker.vitals = envelope.vitals;
        worker.devices.heard(envelope.devicesOut ?? []);
        worker.roundTripMs = envelope.roundTripMs;
        core.say(worker.session, { type: "heartbeat", sequence: envelope.sequence, commit: core.toldCommit });
        break;
      case "stop":
        worker.leaving = true;
        core.context.log("info", `${worker.id} is leaving: ${envelope.reason}`);
        break;
      case "refused":
        core.context.log(
          "error",
          `${worker.id} refused what it was sent: ${envelope.message} at ${envelope.path}`,
        );
        break;
      case "log":
        // Its session takes output past the cluster.
        break;
    }
  }
}

function resultCame(core: ClusterCore, worker: WorkerRecord, result: Result): void {
  const task = core.isOurs(result.epoch) ? core.tasks.get(result.task) : undefined;
  const attempt = attemptOf(worker, result, task);
  if (core.lost !== undefined) {
    // Of an older copy nobody knows whether it stays: without an acknowledgement the worker keeps the result.
    if (attempt !== undefined && task === undefined) releaseLease(attempt);
    return;
  }
  if (!core.isOurs(result.epoch)) {
    if (attempt !== undefined) releaseLease(attempt);
    return acknowledge(core, worker, leaseOf(result), "unknown", null, core.commit);
  }
  if (attempt !== undefined) worker.announced.delete(attempt);
  if (task === undefined) return resolvedElsewhere(core, worker, result, attempt);
  if (!isGranted(task, core.epoch, result, worker.id)) return neverGranted(core, worker, result, attempt);
  // It comes again, after the reports before it.
  if (attempt !== undefined && hasMeasured(result) && core.intake.misses(attempt)) return;
  switch (result.end.state) {
    case "completed":
      return completed(core, worker, result, task, attempt, result.end.metrics, "completed");
    case "pruned":
      // A worker says so by a master's word, which may have been that of an earlier life.
      if (task.isPruned || result.epoch !== core.epoch) {
        return completed(core, worker, result, task, attempt, result.end.metrics, "pruned");
      }
      return returned(core, worker, result, attempt);
    case "failed":
      return failed(core, worker, result, task, attempt);
    case "cancelled":
    case "returned":
      return returned(core, worker, result, attempt);
  }
}

/** No word of such a lease counts: it is somebody else's, or nobody's. */
function neverGranted(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  attempt: LiveAttempt | undefined,
): void {
  if (attempt !== undefined) releaseLease(attempt);
  core.context.log("warning", `${worker.id} told a result of a lease that it was never granted`, {
    lease: leaseKey(result),
  });
  acknowledge(core, worker, leaseOf(result), "unknown", null, core.commit);
}

/** Whether its reports are to stand before it: all but those of an attempt that was given up. */
function hasMeasured({ end }: Result): boolean {
  return end.state !== "cancelled" && end.state !== "returned";
}

function completed(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  task: LiveTask,
  attempt: LiveAttempt | undefined,
  metrics: Metrics,
  state: "completed" | "pruned",
): void {
  if (attempt !== undefined) releaseLease(attempt);
  if (state === "completed") noteDuration(task, result.elapsedMs);
  settle(core, {
    task,
    outcome: { state, metrics },
    lease: leaseOf(result),
    worker: worker.id,
    elapsedMs: result.elapsedMs,
    acknowledgeTo: worker,
  });
}

function noteDuration({ group }: LiveTask, elapsedMs: number): void {
  const mean = group.meanMs;
  group.meanMs = mean === undefined ? elapsedMs : mean + MEAN_WEIGHT * (elapsedMs - mean);
}

function failed(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  task: LiveTask,
  attempt: LiveAttempt | undefined,
): void {
  const end = result.end;
  if (end.state !== "failed") return;
  const lease = leaseOf(result);
  const { cause, message, stack, final } = end;
  const then = (commit: number) => acknowledge(core, worker, lease, "recorded", null, commit);
  if (attempt === undefined) {
    // Said once more, over another connection, while it is on its way to the store.
    if (whenEndIsDurable(task, lease, then)) return;
    // A stale failure counts nowhere: its lease was given up, and with it the attempt's word.
    return acknowledge(core, worker, lease, "superseded", null, core.commit);
  }
  if (attempt.cancelling !== undefined) return returned(core, worker, result, attempt);
  const failure: Failure = { cause, message, stack, final, elapsedMs: result.elapsedMs };
  failAttempt(core, attempt, failure, then);
}

/** An attempt ended without counting: cancelled by our word, recalled, or handed back by a worker that leaves. */
function returned(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  attempt: LiveAttempt | undefined,
): void {
  const lease = leaseOf(result);
  if (attempt === undefined) return acknowledge(core, worker, lease, "recorded", null, core.commit);
  const isUnasked = attempt.cancelling === undefined && !attempt.recalled && !worker.leaving;
  if (isUnasked && result.elapsedMs === 0) worker.handedBack(attempt, core.context.now());
  const then = (commit: number) => acknowledge(core, worker, lease, "recorded", null, commit);
  endAsTold(core, attempt, result.elapsedMs, then);
}

/** The heap no longer knows the task: the store answers. */
function resolvedElsewhere(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  attempt: LiveAttempt | undefined,
): void {
  if (attempt !== undefined) releaseLease(attempt);
  const lease = leaseOf(result);
  if (result.end.state === "cancelled" || result.end.state === "returned") {
    return acknowledge(core, worker, lease, "recorded", null, core.commit);
  }
  core.askOutcome(result.task, (answer) => {
    if (answer === undefined) {
      return void core.askAgain.push(() => resolvedElsewhere(core, worker, result, undefined));
    }
    // Without an outcome there is no acknowledgement: the worker keeps the result and sends it again.
    if (answer.known && answer.state === null) return;
    const isIts = answer.by === result.attempt && answer.epoch === result.epoch;
    const verdict = !answer.known ? "unknown" : isIts ? "recorded" : "superseded";
    acknowledge(core, worker, lease, verdict, answer.by, core.commit);
  });
}

function leaseOf(result: Result): { epoch: Result["epoch"]; task: Result["task"]; attempt: number } {
  return { epoch: result.epoch, task: result.task, attempt: result.attempt };
}
