/**
 * Leases that workers bring back.
 *
 * Promise: what still counts goes on, however late it comes; of two attempts of one task the further one is kept; what
 * does not go on keeps its slot until its worker says that it has ended.
 * Not here: leases that a worker should have brought and did not (registration.ts).
 *
 * @module
 */
import { storeOf, taskParts } from "../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../shared/model/resources.ts";
import {
  GRACE_DEFAULT_MS,
  type Lease,
  leaseKey,
  RETRY_DEFAULTS,
  type TaskTemplate,
} from "../../shared/model/task.ts";
import type { HeldLease } from "../../shared/protocol/worker_envelopes.ts";
import { knownStep, NO_CHECKPOINT } from "./checkpoints.ts";
import type { ClusterCore } from "./core.ts";
import { endAsTold, endUncounted } from "./failures.ts";
import {
  attemptOf,
  holdLease,
  isGranted,
  type LiveAttempt,
  type LiveTask,
  newGroup,
  newTask,
} from "./live_task.ts";
import { endAttempt } from "./settle.ts";
import { NO_DEVICES } from "./worker_devices.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Whether a lease that a worker brought back goes on. What does not is stopped, and keeps its slot until it has. */
export function takeBack(core: ClusterCore, worker: WorkerRecord, held: HeldLease, nowMs: number): boolean {
  const task = core.isOurs(held.epoch) ? core.tasks.get(held.task) : undefined;
  const present = attemptOf(worker, held, task);
  // Over an older copy no result is taken, so what it announces decides nothing.
  if (held.state === "finished" && core.lost !== undefined) return true;
  if (present !== undefined) present.doubtful = false;
  // What has finished uses nothing any more.
  const devices = held.state === "finished" ? NO_DEVICES : held.devices;
  if (present !== undefined && devices !== undefined) worker.holdsOn(present, devices);
  if (held.state === "finished") {
    // Its result is on its way: until then nobody else begins the task.
    if (present !== undefined) {
      worker.announced.add(present);
      resume(core, present.task);
    }
    return true;
  }
  // Of a newer copy of this store, which a person may bring back: nothing is ended for it.
  if (core.lost !== undefined && task === undefined && storeOf(held.epoch) === core.storeId) return true;
  if (task === undefined || task.state === "settling") {
    letStop(core, worker, held, present ?? task, "cancelled", nowMs);
    return false;
  }
  if (present?.cancelling !== undefined) return present.cancelling === "pruned";
  if (present === undefined && !mayBeIts(core, task, held, worker)) {
    letStop(core, worker, held, undefined, "duplicate", nowMs);
    return false;
  }
  const startedAtMs = nowMs - held.elapsedMs;
  const checkpointStep = Math.max(
    held.checkpoint ?? NO_CHECKPOINT,
    present?.checkpointStep ?? knownStep(task, held),
  );
  const rival = otherAttempt(task.attempts, present);
  if (rival !== undefined && !isFurther({ startedAtMs, checkpointStep }, rival)) {
    letStop(core, worker, held, present ?? task, "duplicate", nowMs);
    return false;
  }
  if (rival !== undefined) endAttempt(core, rival, "duplicate");
  resume(core, task);
  const attempt = present ?? adopt(core, task, held, worker, startedAtMs);
  // The worker's clock counts: it keeps the deadline.
  attempt.startedAtMs = startedAtMs;
  attempt.checkpointStep = checkpointStep;
  return true;
}

/** A lease that had been given up, or that a restarted master knows nothing of, goes on. */
function adopt(
  core: ClusterCore,
  task: LiveTask,
  held: HeldLease,
  worker: WorkerRecord,
  startedAtMs: number,
): LiveAttempt {
  const devices = devicesOf(worker, held, task.group.template);
  const attempt = holdLease(leaseOf(held), task, worker, startedAtMs, devices);
  core.young.push(attempt);
  if (task.isPruned) attempt.cancelling = "pruned";
  return attempt;
}

/** How far an attempt has come. */
type Progress = Pick<LiveAttempt, "startedAtMs" | "checkpointStep">;

/** Of two attempts of one task that with the further checkpoint is kept, then the longer run; of equals the one that is there. */
export function isFurther(comer: Progress, present: Progress): boolean {
  if (comer.checkpointStep !== present.checkpointStep) return comer.checkpointStep > present.checkpointStep;
  return comer.startedAtMs < present.startedAtMs;
}

/** Two executions never share a lease: one that another worker holds, or that was not granted to it, is not its own. */
function mayBeIts(core: ClusterCore, task: LiveTask, held: HeldLease, worker: WorkerRecord): boolean {
  if (!isGranted(task, core.epoch, held, worker.id)) return false;
  return !task.attempts.some(({ lease }) => leaseKey(lease) === leaseKey(held));
}

/** The results that it announced when it registered have not come with it: those attempts never were its own. */
export function forgetAnnounced(core: ClusterCore, worker: WorkerRecord): void {
  for (const attempt of worker.announced) {
    if (attempt.ended) continue;
    core.context.log("warning", `${worker.id} announced a result and did not send it`, {
      lease: leaseKey(attempt.lease),
    });
    if (attempt.cancelling !== undefined) endAsTold(core, attempt, 0);
    else endUncounted(core, attempt, "never_received", attempt.opened);
  }
  worker.announced.clear();
}

/** An attempt of the task is known to run, or to have run: it waits for nothing else. */
export function resume(core: ClusterCore, task: LiveTask): void {
  if (!core.isOpen(task) || task.state === "settling") return;
  core.takeOut(task);
  task.state = "out";
}

/** Attempts beyond its slots that a worker is known to end. */
const LET_STOP_MAX = 256;

/** An attempt that its worker is told to end: it takes its slot until the worker says that it has. */
function letStop(
  core: ClusterCore,
  worker: WorkerRecord,
  held: HeldLease,
  known: LiveAttempt | LiveTask | undefined,
  why: "cancelled" | "duplicate",
  nowMs: number,
): void {
  if (known !== undefined && "lease" in known) {
    known.cancelling ??= why;
    return;
  }
  // What is beyond takes no slot, and leases that were never granted must fill neither the memory nor the time.
  if (worker.attempts.size >= worker.slots + LET_STOP_MAX) return;
  const task = known ?? formerTask(core, held);
  const devices = devicesOf(worker, held, task.group.template);
  holdLease(leaseOf(held), task, worker, nowMs - held.elapsedMs, devices).cancelling = why;
}

/** Stands in for a task that is not in the heap any more. */
function formerTask(core: ClusterCore, held: HeldLease): LiveTask {
  const { group: id, number } = taskParts(held.task);
  // The devices that it has are taken for whole ones.
  const resources = { ...NO_RESOURCES, gpus: held.devices?.length ?? 0 };
  const template = { ...FORMER_TEMPLATE, resources };
  const group = core.groups.get(id) ?? newGroup(id, template, new Uint8Array());
  return newTask(group, number, new Uint8Array());
}

/** The devices of a lease that was brought back: what its worker says; those of an older one are not known. */
function devicesOf(worker: WorkerRecord, held: HeldLease, { resources }: TaskTemplate): readonly string[] {
  if (resources.gpus === 0) return NO_DEVICES;
  return held.devices ?? worker.devices.books.choose(resources) ?? NO_DEVICES;
}

/** Of tasks whose template is forgotten, it is only known that they take a slot. */
const FORMER_TEMPLATE: TaskTemplate = {
  evaluator: { kind: "builtin", name: "noop" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: RETRY_DEFAULTS,
  graceMs: GRACE_DEFAULT_MS,
  reassignAfterMs: 0,
};

function leaseOf({ epoch, task, attempt }: HeldLease): Lease {
  return { epoch, task, attempt };
}

/** Another attempt of the task that goes on, as far as is known, on a worker that is there. */
export function otherAttempt(
  attempts: readonly LiveAttempt[],
  mine: LiveAttempt | undefined,
): LiveAttempt | undefined {
  return attempts.find((each) => each !== mine && !each.doubtful && each.cancelling === undefined);
}
