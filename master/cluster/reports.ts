/**
 * Reports: what attempts measure on their way.
 *
 * Promise: each is kept once, and told to its experiment once, after it is durable and only from a live lease; its worker
 * hears that it was taken only then. What counts nowhere is taken at once, so that its worker forgets it.
 * Not here: how many may wait (report_intake.ts), what stands in a curve (store/).
 *
 * A lease that was given up may still bring its task's outcome: its reports are kept, and told to nobody.
 *
 * @module
 */
import { taskParts } from "../../shared/model/ids.ts";
import type { Lease } from "../../shared/model/task.ts";
import type { FromWorker, Report } from "../../shared/protocol/worker_envelopes.ts";
import { ATTEMPT_REPORTS_MAX } from "../store/limits.ts";
import { isMeasurement, type NewReport, type StoreVerdict } from "../store/store.ts";
import { checkpointsKept, checkpointsRecorded, continuedStep, newReport } from "./checkpoints.ts";
import type { ClusterCore } from "./core.ts";
import { attemptOf, isGranted, type LiveAttempt, type LiveTask } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** The reports of one lease that stand together in what a worker said, from a place on. */
export function reportsFrom(envelopes: readonly FromWorker[], from: number): readonly Report[] {
  const reports: Report[] = [];
  for (let index = from; index < envelopes.length; index++) {
    const envelope = envelopes[index];
    const last = reports.at(-1);
    if (envelope?.type !== "report" || (last !== undefined && !follows(envelope, last))) break;
    reports.push(envelope);
  }
  return reports;
}

function follows(report: Report, last: Report): boolean {
  return report.number === last.number + 1 && report.task === last.task && report.attempt === last.attempt &&
    report.epoch === last.epoch;
}

/** Takes in reports of one lease, in order. */
export function reportsCame(core: ClusterCore, worker: WorkerRecord, reports: readonly Report[]): void {
  const [first] = reports;
  const last = reports.at(-1);
  // Of an older copy nobody knows whether it stays: the worker keeps what it measured.
  if (first === undefined || last === undefined || core.lost !== undefined) return;
  const { intake } = core;
  const task = core.isOurs(first.epoch) ? core.tasks.get(first.task) : undefined;
  const attempt = attemptOf(worker, first, task);
  // An outcome that is on its way to the store is not durable: a master that ends now takes the reports before it along.
  if (task === undefined || !isGranted(task, core.epoch, first, worker.id)) {
    return intake.take(worker, first, last.number);
  }
  const hasRoom = !core.log.isBehind && intake.hasRoom(first);
  if (attempt !== undefined ? !intake.mayCome(attempt, first.number, hasRoom) : !hasRoom) return;
  const isKept = (report: Report) =>
    report.number <= ATTEMPT_REPORTS_MAX || (!isMeasurement(report) && intake.mayKeepBeyond(attempt));
  const kept = reports.filter(isKept).map(newReport);
  if (kept.length < reports.length) {
    drop(core, attempt, first, reports.length - kept.length);
    if (kept.length === 0 && !intake.isWaiting(first)) return intake.take(worker, first, last.number);
  }
  const settled = intake.sent(first, kept);
  const lease = { epoch: first.epoch, task: first.task, attempt: first.attempt };
  const keep = checkpointsKept(task, attempt, kept);
  const change = { type: "reports", lease, reports: kept } as const;
  core.log.add(keep === undefined ? change : { ...change, keep }, (verdict) => {
    settled();
    if (attempt !== undefined && keep !== undefined) checkpointsRecorded(task, attempt, kept, verdict);
    if (verdict.type === "gap") return intake.take(worker, lease, verdict.last, verdict.last + 1);
    intake.take(worker, lease, last.number);
    tellSource(core, task, attempt, kept, verdict);
  });
}

function drop(core: ClusterCore, attempt: LiveAttempt | undefined, lease: Lease, count: number): void {
  if (!core.intake.drop(attempt, count)) return;
  core.context.log("warning", `of ${lease.task} only the first ${ATTEMPT_REPORTS_MAX} reports are kept`, {
    attempt: lease.attempt,
  });
}

function tellSource(
  core: ClusterCore,
  task: LiveTask,
  attempt: LiveAttempt | undefined,
  reports: readonly NewReport[],
  verdict: StoreVerdict,
): void {
  if (verdict.type !== "recorded" || verdict.again === true) return;
  if (attempt === undefined || attempt.ended || attempt.doubtful || attempt.cancelling !== undefined) return;
  const above = continuedStep(task, attempt.lease);
  const measured = reports.slice(verdict.known ?? 0).filter((each) =>
    isMeasurement(each) && each.step > above
  );
  const metrics = measured.at(-1)?.metrics;
  if (metrics !== undefined) task.measured = { attempt, metrics };
  const source = core.sources.get(task.group.id);
  if (source === undefined) return;
  const { number } = taskParts(task.id);
  for (const { step, metrics } of measured) {
    core.context.send(source.ref, { type: "reported", number, step, metrics });
  }
}
