/**
 * What workers say: results, reports, heartbeats, farewells.
 *
 * Promise: a completed result of any lease ever granted for an open task is a valid evaluation and goes to the store;
 * failures count only from a live lease; every result gets one acknowledgement, after the commit it rests on.
 *
 * @module
 */
import type { Metrics } from "../../shared/model/outcome.ts";
import type { FromWorker, Register, Result } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import { attemptOf, type LiveAttempt, type LiveTask, releaseLease } from "./live_task.ts";
import { failAttempt, type Failure, goOn } from "./failures.ts";
import { reportCame } from "./reports.ts";
import { acknowledge, settle, writeEnd } from "./settle.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** How fast the moving average of a group's duration follows: about the last ten attempts count. */
const MEAN_WEIGHT = 0.1;

/** Takes in what a worker said, in order. */
export function workerSaid(
  core: ClusterCore,
  worker: WorkerRecord,
  envelopes: readonly Exclude<FromWorker, Register>[],
): void {
  for (const envelope of envelopes) {
    switch (envelope.type) {
      case "result":
        resultCame(core, worker, envelope);
        break;
      case "report":
        reportCame(core, worker, envelope);
        break;
      case "heartbeat":
        worker.vitals = envelope.vitals;
        worker.roundTripMs = envelope.roundTripMs;
        core.say(worker.session, { type: "heartbeat", sequence: envelope.sequence, commit: core.commit });
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
        // Output is kept on the worker; following it over the socket has no room here yet.
        break;
    }
  }
}

function resultCame(core: ClusterCore, worker: WorkerRecord, result: Result): void {
  const task = core.isOurs(result.epoch) ? core.tasks.get(result.task) : undefined;
  const attempt = attemptOf(worker, result, task);
  if (!core.isOurs(result.epoch)) {
    if (attempt !== undefined) releaseLease(attempt);
    return acknowledge(core, worker, leaseOf(result), "unknown", null, core.commit);
  }
  if (task === undefined) return resolvedElsewhere(core, worker, result, attempt);
  switch (result.end.state) {
    case "completed":
      return completed(core, worker, result, task, attempt, result.end.metrics, "completed");
    case "pruned":
      if (attempt?.cancelling === "pruned") {
        return completed(core, worker, result, task, attempt, result.end.metrics, "pruned");
      }
      return returned(core, worker, result, task, attempt);
    case "failed":
      return failed(core, worker, result, attempt);
    case "cancelled":
    case "returned":
      return returned(core, worker, result, task, attempt);
  }
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
  const mean = task.group.meanMs;
  task.group.meanMs = mean === undefined ? result.elapsedMs : mean + MEAN_WEIGHT * (result.elapsedMs - mean);
  settle(core, {
    task,
    outcome: { state, metrics },
    lease: leaseOf(result),
    worker,
    elapsedMs: result.elapsedMs,
    acknowledge: true,
  });
}

function failed(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  attempt: LiveAttempt | undefined,
): void {
  const end = result.end;
  if (end.state !== "failed") return;
  const lease = leaseOf(result);
  // A stale failure counts nowhere: its lease was given up, and with it the attempt's word.
  if (attempt === undefined) return acknowledge(core, worker, lease, "superseded", null, core.commit);
  if (attempt.cancelling !== undefined) return returned(core, worker, result, attempt.task, attempt);
  const { cause, message, stack, final } = end;
  const failure: Failure = { cause, message, stack, final, elapsedMs: result.elapsedMs };
  failAttempt(core, attempt, failure, (commit) => acknowledge(core, worker, lease, "recorded", null, commit));
}

/** An attempt ended without counting: cancelled by our word, recalled, or handed back by a worker that leaves. */
function returned(
  core: ClusterCore,
  worker: WorkerRecord,
  result: Result,
  task: LiveTask,
  attempt: LiveAttempt | undefined,
): void {
  const lease = leaseOf(result);
  if (attempt === undefined) return acknowledge(core, worker, lease, "recorded", null, core.commit);
  const then = (commit: number) => acknowledge(core, worker, lease, "recorded", null, commit);
  if (attempt.cancelling === "deadline") return overdue(core, attempt, result, then);
  releaseLease(attempt);
  if (attempt.opened) writeEnd(core, attempt, causeOf(attempt), "", then);
  else then(core.commit);
  goOn(core, task, 0);
}

/** The master had to end it, whatever its worker calls that: it would run as long the next time. */
function overdue(
  core: ClusterCore,
  attempt: LiveAttempt,
  { elapsedMs }: Result,
  then: (commit: number) => void,
): void {
  const message = `it ran longer than its deadline of ${attempt.task.group.template.deadlineMs} ms`;
  failAttempt(core, attempt, { cause: "deadline", message, final: false, elapsedMs }, then);
}

function causeOf({ cancelling }: LiveAttempt): "duplicate" | "returned" | "cancelled" {
  if (cancelling === undefined) return "returned";
  return cancelling === "duplicate" ? "duplicate" : "cancelled";
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
    // Without an answer there is no acknowledgement: the worker keeps the result and sends it again.
    if (answer === undefined || (answer.known && answer.state === null)) return;
    const verdict = !answer.known ? "unknown" : answer.by === result.attempt ? "recorded" : "superseded";
    acknowledge(core, worker, lease, verdict, answer.by, core.commit);
  });
}

function leaseOf(result: Result): { epoch: Result["epoch"]; task: Result["task"]; attempt: number } {
  return { epoch: result.epoch, task: result.task, attempt: result.attempt };
}
