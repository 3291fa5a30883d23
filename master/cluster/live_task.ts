/**
 * Tasks without an outcome, and the leases that are out for them.
 *
 * Promise: only open tasks are here; what has its outcome lives in the store.
 *
 * @module
 */
import { type Epoch, type GroupId, type TaskId, taskId, type WorkerId } from "../../shared/model/ids.ts";
import type { Restore } from "../../shared/model/artifact.ts";
import type { FailureCause, Metrics, Outcome } from "../../shared/model/outcome.ts";
import type { Timer } from "../../shared/actor/actor.ts";
import { type Lease, leaseKey, type TaskTemplate } from "../../shared/model/task.ts";
import { type Needs, needs, type Place, type Queued } from "../scheduling/queue.ts";
import { NO_DEVICES } from "./worker_devices.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** How many leases of one task may be live or doubtful: one at work, one in case it is gone. */
export const LIVE_LEASES_MAX = 2;

/** Tasks that were submitted together or belong to one experiment. */
export interface Group {
  readonly id: GroupId;
  readonly template: TaskTemplate;
  readonly templateBytes: Uint8Array;
  /** What placement must know of its tasks. */
  readonly needs: Needs;
  readonly open: Map<number, LiveTask>;
  /** Moving average of how long its attempts run; undefined before the first. Decides about prefetching. */
  meanMs: number | undefined;
}

/**
 * Where an open task is: `queued` for placement; `delayed` until its retry; `out` with at least one attempt;
 * `withheld` for a worker that may return after a restart of the master; `settling` while its outcome is committed.
 */
export type LiveTaskState = "queued" | "delayed" | "out" | "withheld" | "settling";

/** A task without a durable outcome. */
export interface LiveTask extends Queued<LiveTask> {
  readonly id: TaskId;
  readonly group: Group;
  readonly number: number;
  readonly payload: Uint8Array;
  readonly failures: Record<FailureCause, number>;
  /** Live and doubtful ones. */
  readonly attempts: LiveAttempt[];
  /** To whom each lease of this epoch was granted: attempt number 1 is the first. Whoever else names one lies. */
  grantedTo: readonly WorkerId[];
  /** Attempts known of from earlier epochs. */
  earlier: number;
  /** Whose they are, of those that were open when the master was restarted. */
  earlierRows: readonly { readonly key: string; readonly worker: WorkerId }[];
  /** Attempts that ended and whose rows are on their way to the store: until those are durable nothing is tried again. */
  ending: { readonly leases: readonly EndingLease[]; readonly pauseMs: number } | undefined;
  state: LiveTaskState;
  place: Place<LiveTask> | undefined;
  /** Runs while it is delayed: until its retry, or until its doubtful worker has been waited for. */
  delay: { readonly timer: Timer; readonly waitsFor: "retry" | "worker" } | undefined;
  /** Where it failed last, by whatever cause: avoided where another can take it. */
  avoid: WorkerId | undefined;
  /** Workers whose evaluator failed it: to blame if another completes it. */
  failedOn: readonly WorkerId[];
  /** Leases whose loss has been counted. One that comes back all the same may run on, and is not counted again. */
  lost: readonly string[];
  /** The failure that used up its retries, while another attempt may still complete it. */
  exhausted: Exhausted | undefined;
  /** It is to end for what it has reported: no attempt of it is begun any more. */
  isPruned: boolean;
  /** Its last report that counted. */
  measured: { readonly attempt: LiveAttempt; readonly metrics: Metrics } | undefined;
  /** The highest that is durable: its next attempt goes on from there. */
  checkpoint: Restore | undefined;
  /** Leases that go on from a checkpoint, with its step. */
  continued: readonly { readonly key: string; readonly step: number }[];
}

/** A lease whose end is on its way to the store. */
export interface EndingLease {
  readonly key: string;
  /** Who waits for it to be durable, beside the one who told it first. */
  readonly told: ((commit: number) => void)[];
}

/** Why a task fails for good. */
export interface Exhausted {
  readonly outcome: Outcome;
  /** Undefined where it failed in a store that this one was before. */
  readonly lease: Lease | undefined;
  readonly worker: WorkerId | "";
  readonly elapsedMs: number;
}

/** A lease that is out. */
export interface LiveAttempt {
  readonly lease: Lease;
  readonly task: LiveTask;
  readonly worker: WorkerRecord;
  /** The GPUs that are its own, where it needs some. */
  devices: readonly string[];
  /** On the cluster's monotonic clock. For a returned attempt: when it came back, less what its worker says it ran. */
  startedAtMs: number;
  /** The step of the furthest checkpoint that it saved or goes on from; below 0 where there is none. */
  checkpointStep: number;
  /** Whether the store has a row of it. */
  opened: boolean;
  doubtful: boolean;
  /** It was told to end, and why. */
  cancelling: "cancelled" | "duplicate" | "pruned" | "deadline" | undefined;
  recalled: boolean;
  ended: boolean;
}

/** With whose tasks those of a group take turns: of a submission, all of its name; of an experiment, its own. */
export function shareOf(id: GroupId): string {
  return id.replace(/\.[0-9]+$/, ".");
}

/** A group without tasks. */
export function newGroup(id: GroupId, template: TaskTemplate, templateBytes: Uint8Array): Group {
  return {
    id,
    template,
    templateBytes,
    needs: needs(
      template.priority,
      template.resources,
      template.evaluator.kind,
      shareOf(id),
      template.minTimeMs,
    ),
    open: new Map(),
    meanMs: undefined,
  };
}

/** Shared by all tasks that nothing has happened to. */
const NONE: readonly never[] = [];

/** A task that was just submitted, or recovered. */
export function newTask(
  group: Group,
  number: number,
  payload: Uint8Array,
  failures: Readonly<Record<FailureCause, number>> = { evaluator: 0, deadline: 0, worker_lost: 0, crash: 0 },
  earlier = 0,
): LiveTask {
  return {
    id: taskId(group.id, number),
    group,
    number,
    payload,
    failures: { ...failures },
    attempts: [],
    grantedTo: NONE,
    earlier,
    earlierRows: NONE,
    ending: undefined,
    state: "queued",
    place: undefined,
    delay: undefined,
    avoid: undefined,
    failedOn: NONE,
    lost: NONE,
    exhausted: undefined,
    isPruned: false,
    measured: undefined,
    checkpoint: undefined,
    continued: NONE,
  };
}

/**
 * Grants the next lease of a task to a worker.
 *
 * @returns the attempt, or why none may be granted now
 */
export function grantLease(
  task: LiveTask,
  epoch: Epoch,
  worker: WorkerRecord,
  nowMs: number,
  devices: readonly string[],
): LiveAttempt | "settling" | "enough_live" {
  if (task.state === "settling") return "settling";
  if (task.attempts.length >= LIVE_LEASES_MAX) return "enough_live";
  task.grantedTo = [...task.grantedTo, worker.id];
  const lease = { epoch, task: task.id, attempt: task.grantedTo.length };
  return holdLease(lease, task, worker, nowMs, devices);
}

/**
 * Whether a lease of an open task may be this worker's. A new life of a worker is the same worker.
 *
 * Of leases of earlier epochs only those that were open are known by their worker; the others may be anybody's.
 *
 * @param epoch the cluster's
 */
export function isGranted(task: LiveTask, epoch: Epoch | undefined, lease: Lease, worker: WorkerId): boolean {
  if (lease.epoch === epoch) return task.grantedTo[lease.attempt - 1] === worker;
  if (task.earlierRows.length === 0) return true;
  const key = leaseKey(lease);
  return (task.earlierRows.find((row) => row.key === key)?.worker ?? worker) === worker;
}

/** Takes a lease into the books of its task and its worker: a new one, or one that a worker brought back. */
export function holdLease(
  lease: Lease,
  task: LiveTask,
  worker: WorkerRecord,
  startedAtMs: number,
  devices: readonly string[] = NO_DEVICES,
): LiveAttempt {
  const attempt: LiveAttempt = {
    lease,
    task,
    worker,
    devices,
    startedAtMs,
    checkpointStep: -1,
    opened: false,
    doubtful: false,
    cancelling: undefined,
    recalled: false,
    ended: false,
  };
  task.attempts.push(attempt);
  if (task.state !== "settling") task.state = "out";
  worker.attempts.add(attempt);
  worker.draw(task.group.template.resources, devices);
  return attempt;
}

/** Takes a lease out of the books: its worker said that it has ended, or will never say so. */
export function releaseLease(attempt: LiveAttempt): void {
  if (attempt.ended) return;
  attempt.ended = true;
  const index = attempt.task.attempts.indexOf(attempt);
  if (index >= 0) attempt.task.attempts.splice(index, 1);
  attempt.worker.attempts.delete(attempt);
  attempt.worker.giveBack(attempt.task.group.template.resources, attempt.devices);
}

/** A worker's attempt under a lease. @param task the lease's task, where it is open */
export function attemptOf(
  worker: WorkerRecord,
  lease: Lease,
  task: LiveTask | undefined,
): LiveAttempt | undefined {
  for (const attempt of task?.attempts ?? []) {
    if (attempt.worker === worker && isSame(attempt.lease, lease)) return attempt;
  }
  // One that outlived its task: there are few.
  for (const attempt of worker.attempts) if (isSame(attempt.lease, lease)) return attempt;
  return undefined;
}

function isSame(a: Lease, b: Lease): boolean {
  return a.attempt === b.attempt && a.task === b.task && a.epoch === b.epoch;
}

/** Whether an attempt of the task runs, as far as is known, on a worker that is there. */
export function liveAttempt(task: LiveTask): LiveAttempt | undefined {
  return task.attempts.find((attempt) => !attempt.doubtful && attempt.cancelling === undefined);
}
