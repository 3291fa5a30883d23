/**
 * Checkpoints: from where the next attempt of a task goes on.
 *
 * Promise: only what is durable is gone on from, the highest step first, and only what a live lease saved; an attempt that
 * goes on from a checkpoint has a row that says so before its worker hears of it. What it reports at or below that step is
 * told to nobody: the curve has that step already.
 * Not here: which checkpoints stay (store/), their bytes (artifacts/), how workers fetch them (the worker's files).
 *
 * @module
 */
import { CHECKPOINTS_DEFAULT, type Restore } from "../../shared/model/artifact.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { Report } from "../../shared/protocol/worker_envelopes.ts";
import { isMeasurement, type NewReport, type Recovered, type StoreVerdict } from "../store/store.ts";
import type { ClusterCore } from "./core.ts";
import type { LiveAttempt, LiveTask } from "./live_task.ts";

/** The step of an attempt that has saved nothing and goes on from nothing. */
export const NO_CHECKPOINT = -1;

/** A report as the store takes it. */
export function newReport({ number, step, metrics, checkpoint, file }: Report): NewReport {
  const measured = { number, step, metrics };
  return isMeasurement({ ...measured, checkpoint, file }) ? measured : { ...measured, checkpoint, file };
}

/**
 * How many checkpoints of a task stay when these reports are recorded.
 *
 * @param attempt whose they are; undefined where its lease was given up
 * @returns undefined where there is none among them, or none that counts
 */
export function checkpointsKept(
  task: LiveTask,
  attempt: LiveAttempt | undefined,
  reports: readonly NewReport[],
): number | undefined {
  if (attempt === undefined || attempt.ended || attempt.cancelling !== undefined) return undefined;
  if (!reports.some(({ checkpoint }) => checkpoint !== undefined)) return undefined;
  return (task.group.template.checkpoints ?? CHECKPOINTS_DEFAULT).keep;
}

/** Reports with checkpoints that count were answered by the store: what was recorded is gone on from. */
export function checkpointsRecorded(
  task: LiveTask,
  attempt: LiveAttempt,
  reports: readonly NewReport[],
  verdict: StoreVerdict,
): void {
  const { epoch, attempt: number } = attempt.lease;
  for (const { step, checkpoint } of recordedOf(reports, verdict)) {
    if (checkpoint === undefined) continue;
    attempt.checkpointStep = Math.max(attempt.checkpointStep, step);
    if (step < (task.checkpoint?.step ?? 0)) continue;
    const { sha256, bytes } = checkpoint;
    task.checkpoint = { epoch, attempt: number, step, sha256, bytes };
  }
}

/** Those of some reports that a commit made durable. */
function recordedOf(reports: readonly NewReport[], verdict: StoreVerdict): readonly NewReport[] {
  if (verdict.type === "gap") {
    return reports.filter(({ number }) => number <= verdict.last).slice(verdict.known ?? 0);
  }
  if (verdict.type !== "recorded" || verdict.again === true) return [];
  return reports.slice(verdict.known ?? 0);
}

/** The step that a lease goes on from; `NO_CHECKPOINT` where it began at the beginning. */
export function continuedStep(task: LiveTask, lease: Lease): number {
  if (task.continued.length === 0) return NO_CHECKPOINT;
  const key = leaseKey(lease);
  return task.continued.find((each) => each.key === key)?.step ?? NO_CHECKPOINT;
}

/** Takes in what the store holds of open tasks. */
export function recoverCheckpoints(core: ClusterCore, { checkpoints, continued }: Recovered): void {
  for (const { task: id, ...restore } of checkpoints) {
    const task = core.tasks.get(id);
    if (task !== undefined) task.checkpoint = restore;
  }
  for (const { lease, step } of continued) {
    const task = core.tasks.get(lease.task);
    if (task !== undefined) task.continued = [...task.continued, { key: leaseKey(lease), step }];
  }
}

/** How far an attempt that the store knows is known to have come. */
export function knownStep(task: LiveTask, lease: Lease): number {
  const { checkpoint } = task;
  const isIts = checkpoint?.epoch === lease.epoch && checkpoint.attempt === lease.attempt;
  return Math.max(isIts ? checkpoint.step : NO_CHECKPOINT, continuedStep(task, lease));
}

/**
 * An attempt that was just granted goes on from a checkpoint.
 *
 * @param assign called once that is durable, unless the attempt has ended meanwhile
 * @param unwanted called where it is not wanted any more: its worker never heard of it
 */
export function continueFrom(
  core: ClusterCore,
  attempt: LiveAttempt,
  restore: Restore,
  assign: () => void,
  unwanted: () => void,
): void {
  const { task, lease, worker } = attempt;
  task.continued = [...task.continued, { key: leaseKey(lease), step: restore.step }];
  attempt.checkpointStep = restore.step;
  attempt.opened = true;
  core.log.add({
    type: "attempt_opened",
    lease,
    worker: worker.id,
    incarnation: worker.incarnation,
    atMs: core.context.wallClock(),
    continues: restore,
  }, () => {
    // Over an older copy nothing is given out.
    if (attempt.ended || core.lost !== undefined) return;
    if (isWanted(core, attempt)) assign();
    else unwanted();
  });
}

/** Whether an attempt that its worker has not heard of yet is still to be begun there. */
function isWanted(core: ClusterCore, { task, worker, cancelling, devices }: LiveAttempt): boolean {
  if (cancelling !== undefined || !core.isOpen(task) || task.state === "settling") return false;
  if (worker.doubtful || worker.leaving) return false;
  return devices.length === 0 || !worker.devices.out.some(({ id }) => devices.includes(id));
}
