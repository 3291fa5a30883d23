/**
 * Probation: a worker that fails what others complete gets one attempt at a time, with growing pauses.
 *
 * Promise: a broken machine cannot walk through the queue; one success of its own ends it.
 *
 * @module
 */
import type { ClusterCore } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** So many tasks that it failed and another completed, without a success of its own, put a worker on probation. */
export const BLAME_MAX = 3;
/** The first pause; doubled with each further failure. */
export const PAUSE_MIN_MS = 5_000;
/** The longest pause. */
export const PAUSE_MAX_MS = 300_000;

/** A worker has completed a task: it is fine, and those that failed the task are to blame. */
export function creditCompletion(core: ClusterCore, worker: WorkerRecord, task: LiveTask): void {
  worker.completed += 1;
  worker.blamed = 0;
  worker.probation = undefined;
  for (const id of task.failedOn) {
    const other = core.workers.get(id);
    if (other === undefined || other === worker) continue;
    other.blamed += 1;
    if (other.blamed >= BLAME_MAX && other.probation === undefined) beginProbation(core, other);
  }
}

/** An attempt failed on a worker: on probation, the pause grows. */
export function blameFailure(core: ClusterCore, worker: WorkerRecord): void {
  if (worker.probation === undefined) return;
  worker.probation.level += 1;
  worker.probation.untilMs = core.context.now() + pauseMs(worker.probation.level);
}

function beginProbation(core: ClusterCore, worker: WorkerRecord): void {
  worker.probation = {
    level: 1,
    untilMs: core.context.now() + pauseMs(1),
    reason: `failed ${worker.blamed} tasks that other workers completed`,
  };
  core.context.log("warning", `${worker.id} is on probation: it ${worker.probation.reason}`);
}

function pauseMs(level: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (level - 1));
}
