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
import { storeOf } from "../../shared/model/ids.ts";
import { leaseKey } from "../../shared/model/task.ts";
import { RIVAL_ANSWER_MS } from "../../shared/protocol/limits.ts";
import type { HeldLease, Register } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import { holdLease, type LiveAttempt, liveAttempt, releaseLease } from "./live_task.ts";
import type { ToWorkerSession } from "./messages.ts";
import { afterEnd, endAttempt, failAttempt, requeueAfter, writeEnd } from "./settle.ts";
import { WorkerRecord } from "./worker_record.ts";

/** A newcomer that waits for the older process of its name to answer. */
export interface Rival {
  readonly session: Ref<ToWorkerSession>;
  readonly register: Register;
}

/** Takes in a registration, or lets it wait for a rival's answer. */
export function workerJoined(
  core: ClusterCore,
  rivals: Map<string, Rival>,
  session: Ref<ToWorkerSession>,
  register: Register,
): void {
  if (core.epoch === undefined) {
    return core.context.send(session, {
      type: "close",
      name: "restarting",
      message: "the master is reading its store",
    });
  }
  noticeLoss(core, register);
  const known = core.workers.get(register.worker);
  if (known?.session !== undefined && known.incarnation !== register.incarnation) {
    // Two processes with one name, or one that was restarted before its old connection was seen to end.
    if (rivals.has(register.worker)) refuseRival(core, session, known);
    else askRival(core, rivals, known, { session, register });
    return;
  }
  if (known?.session !== undefined) {
    core.sessions.delete(known.session.id);
    core.context.send(known.session, {
      type: "close",
      name: "replaced",
      message: "a newer session of this worker",
    });
    known.session = undefined;
  }
  accept(core, session, register);
}

function askRival(core: ClusterCore, rivals: Map<string, Rival>, known: WorkerRecord, rival: Rival): void {
  rivals.set(known.id, rival);
  core.say(known.session, { type: "heartbeat", sequence: 0, commit: core.commit });
  core.context.after(RIVAL_ANSWER_MS, { type: "rival_silent", worker: known.id, session: rival.session.id });
}

/** The older process spoke: the newcomer goes. */
export function rivalAnswered(core: ClusterCore, rivals: Map<string, Rival>, worker: WorkerRecord): void {
  const rival = rivals.get(worker.id);
  if (rival === undefined) return;
  rivals.delete(worker.id);
  refuseRival(core, rival.session, worker);
}

/** The older process did not speak in time: the newcomer takes its place. */
export function rivalSilent(core: ClusterCore, rivals: Map<string, Rival>, worker: WorkerRecord): void {
  const rival = rivals.get(worker.id);
  if (rival === undefined) return;
  rivals.delete(worker.id);
  if (worker.session !== undefined) {
    core.context.send(worker.session, {
      type: "close",
      name: "replaced",
      message: "another process took this name",
    });
    detach(core, worker);
  }
  accept(core, rival.session, rival.register);
}

function refuseRival(core: ClusterCore, session: Ref<ToWorkerSession>, known: WorkerRecord): void {
  const facts = known.facts;
  const where = facts === undefined ? "" : ` (process ${facts.pid} on ${facts.hostname})`;
  core.context.send(session, {
    type: "close",
    name: "rival",
    message:
      `a worker named ${known.id} is connected already${where}; give each worker a data folder of its own`,
  });
}

/** A peer was told of a commit that the store lacks: an older copy was restored. */
function noticeLoss(core: ClusterCore, register: Register): void {
  const { seen } = register;
  if (seen === null || core.options.acceptLoss || storeOf(seen.epoch) !== core.storeId) return;
  if (seen.commit <= core.commit) return;
  core.lost =
    `the store ends at commit ${core.commit}, but ${register.worker} was told of commit ${seen.commit}: ` +
    "an older copy was restored. Start with the newest copy, or with --accept-loss.";
  core.context.log("error", core.lost);
}

function accept(core: ClusterCore, session: Ref<ToWorkerSession>, register: Register): void {
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
  core.sessions.set(session.id, worker);
  core.context.watch(session);
  const keep: boolean[] = [];
  for (const lease of register.leases) keep.push(takeBack(core, worker, lease, nowMs));
  core.say(session, {
    type: "welcome",
    epoch,
    commit: core.commit,
    heartbeatMs: core.options.heartbeatMs,
    keep,
  });
  core.context.log("info", `${worker.id} is here`, {
    slots: worker.slots,
    kept: keep.filter(Boolean).length,
    registrations: worker.registrations,
  });
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
  for (const attempt of [...worker.attempts.values()]) {
    const wasRunning = place++ < slots;
    if (listed.has(attempt.key)) continue;
    if (!sameLife && wasRunning && attempt.cancelling === undefined) {
      failAttempt(core, attempt, {
        cause: "crash",
        message: `${worker.id} came back as another process, without this attempt`,
        final: false,
        elapsedMs: core.context.now() - attempt.startedAtMs,
      });
      continue;
    }
    releaseLease(attempt);
    if (attempt.opened) writeEnd(core, attempt, sameLife ? "never_received" : "restarted", "");
    afterEnd(core, attempt.task);
  }
}

/** Whether a lease that a worker brought back goes on. What does not is stopped, and keeps its slot until it has. */
function takeBack(core: ClusterCore, worker: WorkerRecord, held: HeldLease, nowMs: number): boolean {
  const present = worker.attempts.get(leaseKey(held));
  if (present !== undefined) present.doubtful = false;
  if (held.state === "finished") return true;
  const task = core.isOurs(held.epoch) ? core.tasks.get(held.task) : undefined;
  if (task === undefined || task.state === "settling") {
    if (present !== undefined) present.cancelling ??= "cancelled";
    return false;
  }
  if (present?.cancelling !== undefined) return false;
  const rival = otherAttempt(task.attempts, present);
  if (rival !== undefined && nowMs - rival.startedAtMs >= held.elapsedMs) {
    if (present !== undefined) present.cancelling = "duplicate";
    return false;
  }
  if (rival !== undefined) endAttempt(core, rival, "duplicate");
  core.unqueue(task);
  if (present === undefined) {
    const { epoch, attempt } = held;
    holdLease({ epoch, task: task.id, attempt }, task, worker, nowMs - held.elapsedMs).opened = false;
    core.young.push(...task.attempts.slice(-1));
  }
  task.state = "out";
  return true;
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
  const attempts = [...worker.attempts.values()];
  for (const attempt of attempts) attempt.doubtful = true;
  // From the last to the first, so that the front of the queue has them in their order.
  for (const attempt of attempts.reverse()) reassign(core, attempt);
}

function reassign(core: ClusterCore, attempt: LiveAttempt): void {
  const task = attempt.task;
  if (!core.tasks.has(task.id) || task.state !== "out" || attempt.cancelling !== undefined) return;
  if (liveAttempt(task) !== undefined || task.attempts.length > 1) return;
  requeueAfter(core, task, task.group.template.reassignAfterMs);
}

/** A silent worker was heard again over the same session: its leases count again. */
export function makeCertain(core: ClusterCore, worker: WorkerRecord): void {
  if (!worker.doubtful || worker.session === undefined) return;
  worker.doubtful = false;
  for (const attempt of worker.attempts.values()) {
    attempt.doubtful = false;
    const task = attempt.task;
    if (!core.tasks.has(task.id) || attempt.cancelling !== undefined) continue;
    const rival = otherAttempt(task.attempts, attempt);
    if (rival === undefined) {
      if (task.state !== "settling") core.unqueue(task);
      if (task.state === "delayed") task.state = "out";
    } else if (rival.startedAtMs <= attempt.startedAtMs) endAttempt(core, attempt, "duplicate");
    else endAttempt(core, rival, "duplicate");
  }
}
