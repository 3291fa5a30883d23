/**
 * Workers come, come back and go: one path for a first connection, a reattachment and a restarted master.
 *
 * Promise: a session that ends makes leases doubtful, not lost; a worker that returns keeps what still counts; an
 * assignment that the same incarnation does not list was never received; one that another incarnation does not list
 * died with its process.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import { storeOf, taskParts } from "../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../shared/model/resources.ts";
import {
  GRACE_DEFAULT_MS,
  type Lease,
  leaseKey,
  RETRY_DEFAULTS,
  type TaskTemplate,
} from "../../shared/model/task.ts";
import type { HeldLease, Register } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import {
  attemptOf,
  holdLease,
  isGranted,
  type LiveAttempt,
  type LiveTask,
  newGroup,
  newTask,
} from "./live_task.ts";
import type { ToWorkerSession } from "./messages.ts";
import { endAttempt, sayCancel } from "./settle.ts";
import { endAsTold, endUncounted, failAttempt, goOn } from "./failures.ts";
import { WorkerRecord } from "./worker_record.ts";

/** A peer was told of a commit that the store lacks: an older copy was restored. */
export function noticeLoss(core: ClusterCore, register: Register): void {
  const { seen } = register;
  if (seen === null || storeOf(seen.epoch) !== core.storeId) return;
  if (core.isOurs(seen.epoch) && seen.commit <= core.commit) return;
  const found =
    `the store ends at commit ${core.commit}, but ${register.worker} was told of commit ${seen.commit} in epoch ${seen.epoch}: ` +
    "an older copy was restored.";
  core.lost = `${found} Start with the newest copy, or with --accept-loss.`;
  if (core.options.acceptLoss) return goOnAsNewStore(core, found);
  core.context.log("error", core.lost);
  if (core.registrar === undefined) return;
  const state = { type: "store_state", state: "degraded", reason: core.lost } as const;
  core.context.send(core.registrar, { ...core.storeState, ...state, waitingChanges: 0 });
}

/** What was given out and told over the lost future is another store's: the next life of the cluster knows none of it. */
function goOnAsNewStore(core: ClusterCore, found: string): void {
  core.context.log("warning", `${found} That is accepted: what is there goes on as a new store`);
  core.context.send(core.options.store, { type: "recover", from: core.context.self, renew: true });
  core.context.exit();
}

/** Takes in a worker, and all that it brings along. */
export function accept(core: ClusterCore, session: Ref<ToWorkerSession>, register: Register): void {
  const epoch = core.epoch;
  if (epoch === undefined) return;
  const nowMs = core.context.now();
  let worker = core.workers.get(register.worker);
  if (worker === undefined) {
    worker = new WorkerRecord(register.worker, register.incarnation, core.context.attentiveNow());
    core.workers.set(worker.id, worker);
  }
  const sameLife = worker.incarnation === register.incarnation;
  settleMissing(core, worker, new Set(register.leases.map((lease) => leaseKey(lease))), sameLife);
  worker.attach(session, register, core.context.attentiveNow());
  worker.certainSinceMs = nowMs;
  worker.announced.clear();
  core.sessions.set(session.id, worker);
  core.context.watch(session);
  const keep: boolean[] = [];
  for (const lease of register.leases) keep.push(takeBack(core, worker, lease, nowMs));
  core.say(session, {
    type: "welcome",
    epoch,
    commit: core.toldCommit,
    heartbeatMs: core.options.heartbeatMs,
    keep,
  });
  for (const attempt of worker.attempts) {
    // Decided while it was away. Told to end for what it measured, it says so as its result.
    if (attempt.cancelling === "pruned" && !worker.announced.has(attempt)) sayCancel(core, attempt, "pruned");
  }
  if (worker.stopGraceMs !== undefined) sayStop(core, worker, worker.stopGraceMs);
  core.context.log("info", `${worker.id} is here`, {
    slots: worker.slots,
    kept: keep.filter(Boolean).length,
    registrations: worker.registrations,
  });
}

/** Tells a worker to end, and gives it nothing more. What was lost with a connection is said again. */
export function sayStop(core: ClusterCore, worker: WorkerRecord, graceMs: number): void {
  worker.leaving = true;
  worker.stopGraceMs = graceMs;
  core.say(worker.session, { type: "stop", graceMs, reason: "an operator asked for it" });
}

/** Leases that the cluster believes out and the worker does not list. */
function settleMissing(
  core: ClusterCore,
  worker: WorkerRecord,
  listed: ReadonlySet<string>,
  sameLife: boolean,
): void {
  let place = 0;
  const slots = worker.slots === 0 ? Infinity : worker.slots;
  for (const attempt of [...worker.attempts]) {
    const wasRunning = place++ < slots;
    if (listed.has(leaseKey(attempt.lease))) continue;
    const elapsedMs = core.context.now() - attempt.startedAtMs;
    if (attempt.cancelling !== undefined) endAsTold(core, attempt, elapsedMs);
    else if (sameLife) endUncounted(core, attempt, "never_received", attempt.opened);
    else if (!wasRunning) endUncounted(core, attempt, "restarted", attempt.opened);
    else {
      failAttempt(core, attempt, {
        cause: "crash",
        message: `${worker.id} came back as another process, without this attempt`,
        final: false,
        elapsedMs,
      });
    }
  }
}

/** Whether a lease that a worker brought back goes on. What does not is stopped, and keeps its slot until it has. */
function takeBack(core: ClusterCore, worker: WorkerRecord, held: HeldLease, nowMs: number): boolean {
  const task = core.isOurs(held.epoch) ? core.tasks.get(held.task) : undefined;
  const present = attemptOf(worker, held, task);
  if (present !== undefined) present.doubtful = false;
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
  const rival = otherAttempt(task.attempts, present);
  if (rival !== undefined && !isFurther({ startedAtMs }, rival)) {
    letStop(core, worker, held, present ?? task, "duplicate", nowMs);
    return false;
  }
  if (rival !== undefined) endAttempt(core, rival, "duplicate");
  resume(core, task);
  const attempt = present ?? adopt(core, task, held, worker, startedAtMs);
  // The worker's clock counts: it keeps the deadline.
  attempt.startedAtMs = startedAtMs;
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
  const attempt = holdLease(leaseOf(held), task, worker, startedAtMs);
  core.young.push(attempt);
  if (task.isPruned) attempt.cancelling = "pruned";
  return attempt;
}

/** Of two attempts of one task the further one is kept, of equals the one that is there: today the longer run decides. */
function isFurther(
  comer: { readonly startedAtMs: number },
  present: { readonly startedAtMs: number },
): boolean {
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
function resume(core: ClusterCore, task: LiveTask): void {
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
  holdLease(leaseOf(held), task, worker, nowMs - held.elapsedMs).cancelling = why;
}

/** Stands in for a task that is not in the heap any more. */
function formerTask(core: ClusterCore, held: HeldLease): LiveTask {
  const { group: id, number } = taskParts(held.task);
  const group = core.groups.get(id) ?? newGroup(id, FORMER_TEMPLATE, new Uint8Array());
  return newTask(group, number, new Uint8Array());
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

function otherAttempt(
  attempts: readonly LiveAttempt[],
  mine: LiveAttempt | undefined,
): LiveAttempt | undefined {
  return attempts.find((each) => each !== mine && !each.doubtful && each.cancelling === undefined);
}

/** A worker's session has ended: what it holds is doubtful from now on. */
export function detach(core: ClusterCore, worker: WorkerRecord): void {
  if (worker.session !== undefined) core.sessions.delete(worker.session.id);
  worker.session = undefined;
  makeDoubtful(core, worker);
}

/** A worker is silent or gone: its tasks may be given to others. */
export function makeDoubtful(core: ClusterCore, worker: WorkerRecord): void {
  if (worker.doubtful) return;
  worker.doubtful = true;
  const attempts = [...worker.attempts];
  for (const attempt of attempts) attempt.doubtful = true;
  // From the last to the first, so that the front of the queue has them in their order.
  for (const attempt of attempts.reverse()) goOn(core, attempt.task, 0);
}

/** A silent worker was heard again over the same session: its leases count again. */
export function makeCertain(core: ClusterCore, worker: WorkerRecord): void {
  if (!worker.doubtful || worker.session === undefined) return;
  worker.doubtful = false;
  worker.certainSinceMs = core.context.now();
  for (const attempt of worker.attempts) {
    attempt.doubtful = false;
    const task = attempt.task;
    if (!core.isOpen(task) || attempt.cancelling !== undefined) continue;
    const rival = otherAttempt(task.attempts, attempt);
    if (rival === undefined) resume(core, task);
    else endAttempt(core, isFurther(attempt, rival) ? rival : attempt, "duplicate");
  }
}
