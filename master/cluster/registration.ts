/**
 * Workers come, come back and go: one path for a first connection, a reattachment and a restarted master.
 *
 * Promise: an assignment that the same incarnation does not list was never received; one that another incarnation does
 * not list died with its process.
 * Not here: what becomes of the leases that it lists (returns.ts), and of all when it goes (doubt.ts).
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import { storeOf } from "../../shared/model/ids.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { Register } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import { settleDeviceOwners } from "./device_owners.ts";
import { endAsTold, endUncounted, failAttempt } from "./failures.ts";
import type { ToWorkerSession } from "./messages.ts";
import { takeBack } from "./returns.ts";
import { sayCancel } from "./settle.ts";
import { WorkerRecord } from "./worker_record.ts";

/** A peer was told of a commit that the store lacks: an older copy was restored. */
export function noticeLoss(core: ClusterCore, register: Register): void {
  const { seen } = register;
  if (seen === null || storeOf(seen.epoch) !== core.storeId) return;
  // Not with the newest commit: a copy that was written to since may have as many, and other ones.
  const end = core.epochEnd(seen.epoch);
  if (end !== undefined && seen.commit <= end) return;
  const there = end === undefined ? "does not have it" : `ended it at commit ${end}`;
  const found =
    `${register.worker} was told of commit ${seen.commit} in epoch ${seen.epoch}, and the store ${there}: ` +
    "an older copy was restored.";
  core.lost = `${found} Start with the newest copy, or with --accept-loss.`;
  if (core.options.acceptLoss) return goOnAsNewStore(core, found);
  core.context.log("error", core.lost);
  core.options.isOlderCopy?.();
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
  const listed = new Set(register.leases.map((lease) => leaseKey(lease)));
  // A restarted master does not know how many it ran at once: as many as now, mostly.
  settleMissing(core, worker, listed, sameLife, worker.slots === 0 ? register.slots : worker.slots);
  const { context } = core;
  worker.attach(session, register, {
    nowMs,
    attentiveMs: context.attentiveNow(),
    wallMs: context.wallClock(),
  });
  worker.certainSinceMs = nowMs;
  worker.announced.clear();
  core.sessions.set(session.id, worker);
  core.context.watch(session);
  const keep: boolean[] = [];
  for (const lease of register.leases) keep.push(takeBack(core, worker, lease, nowMs));
  settleDeviceOwners(core);
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

/** Leases that the cluster believes out and the worker does not list. @param slots those after so many only waited */
function settleMissing(
  core: ClusterCore,
  worker: WorkerRecord,
  listed: ReadonlySet<string>,
  sameLife: boolean,
  slots: number,
): void {
  let place = 0;
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
