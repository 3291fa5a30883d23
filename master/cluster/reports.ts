/**
 * Reports: what attempts measure on their way.
 *
 * Promise: a stale report counts nowhere.
 *
 * @module
 */
import { taskParts } from "../../shared/model/ids.ts";
import type { Report } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import { attemptOf } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Takes in one report of a worker. */
export function reportCame(core: ClusterCore, worker: WorkerRecord, report: Report): void {
  const task = core.tasks.get(report.task);
  const attempt = task === undefined ? undefined : attemptOf(worker, report, task);
  // A stale report counts nowhere; one that would only wait for a disk that is behind is shown and not kept.
  if (attempt === undefined || attempt.doubtful || attempt.cancelling !== undefined) return;
  attempt.task.measured = { attempt, metrics: report.metrics };
  if (!core.log.isBehind) {
    const reports = [{ step: report.step, metrics: report.metrics }];
    core.log.add({ type: "reports", lease: attempt.lease, reports });
  }
  const source = core.sources.get(attempt.task.group.id);
  if (source === undefined) return;
  const number = taskParts(report.task).number;
  core.context.send(source.ref, { type: "reported", number, step: report.step, metrics: report.metrics });
}
