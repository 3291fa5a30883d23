/**
 * Probation: a worker that fails what others complete, or task after task while others do not, gets one attempt at a
 * time, with growing pauses.
 *
 * Promise: a broken machine cannot walk through the queue; one success of its own ends it. Where the evaluator is broken,
 * and tasks fail everywhere, nobody is blamed.
 *
 * @module
 */
import type { TaskId } from "../../shared/model/ids.ts";
import type { ClusterCore } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** So many tasks that it failed and another completed, without a success of its own, put a worker on probation. */
export const BLAME_MAX = 3;
/** So many different tasks that failed on it in a row, while no other worker fails so, put a worker on probation. */
export const STREAK_MAX = 5;
/** Where another worker has failed so many in a row, it may be the evaluator's fault. */
const COMMON_STREAK = 3;
/** The first pause; doubled with each further failure. */
export const PAUSE_MIN_MS = 5_000;
/** The longest pause. */
export const PAUSE_MAX_MS = 300_000;

/** A worker has completed a task: it is fine, and those that failed the task are to blame. */
export function creditCompletion(core: ClusterCore, worker: WorkerRecord, task: LiveTask): void {
  worker.completed += 1;
  worker.blamed = 0;
  worker.failing.clear();
  worker.probation = undefined;
  for (const id of task.failedOn) {
    const other = core.workers.get(id);
    if (other === undefined || other === worker) continue;
    other.blamed += 1;
    if (other.blamed < BLAME_MAX || other.probation !== undefined) continue;
    beginProbation(core, other, `failed ${other.blamed} tasks that other workers completed`, false);
  }
}

/** The evaluator of a task failed on a worker, or hung: on probation, the pause grows. */
export function blameFailure(core: ClusterCore, worker: WorkerRecord, task: TaskId): void {
  if (worker.failing.size < STREAK_MAX) worker.failing.add(task);
  if (worker.failing.size >= COMMON_STREAK) endStreaks(core, worker);
  const { probation } = worker;
  if (probation !== undefined) {
    probation.level += 1;
    probation.untilMs = core.context.now() + pauseMs(probation.level);
  } else if (worker.failing.size >= STREAK_MAX && failsAlone(core, worker)) {
    beginProbation(core, worker, `failed ${STREAK_MAX} tasks in a row, and no other worker does so`, true);
  }
}

/** Whether others are at work and do not fail as it does. */
function failsAlone(core: ClusterCore, worker: WorkerRecord): boolean {
  let isOtherAtWork = false;
  for (const other of core.workers.values()) {
    if (other === worker || other.session === undefined) continue;
    if (other.failing.size >= COMMON_STREAK) return false;
    if (other.attempts.size > 0 || other.completed > 0) isOtherAtWork = true;
  }
  return isOtherAtWork;
}

/** Another worker fails too: it is not the fault of those that failed before it. */
function endStreaks(core: ClusterCore, worker: WorkerRecord): void {
  for (const other of core.workers.values()) {
    if (other !== worker && other.probation?.isOfStreak === true) other.probation = undefined;
  }
}

function beginProbation(core: ClusterCore, worker: WorkerRecord, reason: string, isOfStreak: boolean): void {
  worker.probation = { level: 1, untilMs: core.context.now() + pauseMs(1), reason, isOfStreak };
  core.context.log("warning", `${worker.id} is on probation: it ${reason}`);
}

function pauseMs(level: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (level - 1));
}
