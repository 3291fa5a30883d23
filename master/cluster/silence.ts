/**
 * What the passing of time does: silence makes doubtful, then lost; long leases get a row; overdue attempts are ended.
 *
 * Promise: silence is measured on the attentive clock, so that a master that was not running calls nobody silent.
 *
 * @module
 */
import { DOUBT_INTERVALS } from "../../shared/protocol/limits.ts";
import type { Ref } from "../../shared/actor/actor.ts";
import type { ClusterCore } from "./core.ts";
import { settleDeviceOwners } from "./device_owners.ts";
import type { LiveAttempt } from "./live_task.ts";
import { detach, makeDoubtful } from "./doubt.ts";
import type { ToWorkerSession } from "./messages.ts";
import { endAttempt } from "./settle.ts";
import { endAsTold, failAttempt } from "./failures.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** How often the cluster looks at the clock: this much is added to every silence at most. */
export const TICK_MS = 250;
/** A lease that lives longer is written down, so that a restarted master knows what was out. */
export const ROW_AFTER_MS = 1_000;
/** The worker keeps the deadline; the master steps in this much later. */
const DEADLINE_BACKSTOP_MS = 30_000;
/** A worker that is gone and holds nothing is shown for so long. */
const FORGET_AFTER_MS = 3_600_000;
/** And so many of them at most: whoever registers under ever new names must not fill the memory. */
const GONE_WORKERS_MAX = 1_000;

/** Looks at every worker and at the leases that grow old. */
export function tick(core: ClusterCore): void {
  const nowMs = core.context.attentiveNow();
  for (const worker of core.workers.values()) {
    const silentMs = nowMs - worker.heardAtMs;
    if (worker.session !== undefined && silentMs >= core.options.heartbeatMs * DOUBT_INTERVALS) {
      makeDoubtful(core, worker);
    }
    if (!worker.doubtful) continue;
    if (silentMs >= core.options.lostAfterMs) giveUp(core, worker, silentMs);
    if (silentMs >= FORGET_AFTER_MS && worker.session === undefined && worker.attempts.size === 0) {
      core.workers.delete(worker.id);
    }
  }
  if (core.workers.size > GONE_WORKERS_MAX) forgetGone(core);
  settleDeviceOwners(core);
  writeRows(core);
  endOverdue(core);
  for (const ask of core.askAgain.splice(0)) ask();
}

/** Of those who are gone and hold nothing, those who have been for longest. */
function forgetGone(core: ClusterCore): void {
  const gone = [...core.workers.values()].filter(({ session, attempts }) =>
    session === undefined && attempts.size === 0
  );
  const tooMany = Math.max(0, gone.length - GONE_WORKERS_MAX);
  for (const { id } of gone.toSorted((a, b) => a.heardAtMs - b.heardAtMs).slice(0, tooMany)) {
    core.workers.delete(id);
  }
}

function giveUp(core: ClusterCore, worker: WorkerRecord, silentMs: number): void {
  if (worker.session !== undefined) leave(core, worker, worker.session);
  if (worker.attempts.size === 0) return;
  core.context.log("warning", `${worker.id} is lost after ${Math.round(silentMs / 1_000)} s of silence`, {
    attempts: worker.attempts.size,
  });
  for (const attempt of [...worker.attempts]) {
    const elapsedMs = core.context.now() - attempt.startedAtMs;
    if (attempt.cancelling !== undefined) {
      endAsTold(core, attempt, elapsedMs);
      continue;
    }
    failAttempt(core, attempt, {
      cause: "worker_lost",
      message: `${worker.id} was silent for ${Math.round(silentMs / 1_000)} s`,
      final: false,
      elapsedMs,
    });
  }
}

/** What it holds will be forgotten: if it comes back, it has to say what it has. */
function leave(core: ClusterCore, worker: WorkerRecord, session: Ref<ToWorkerSession>): void {
  core.context.send(session, { type: "close", name: "silent", message: "nothing was heard for too long" });
  detach(core, worker);
}

function writeRows(core: ClusterCore): void {
  const nowMs = core.context.now();
  let old = 0;
  for (const attempt of core.young) {
    if (nowMs - attempt.startedAtMs < ROW_AFTER_MS && !attempt.ended) break;
    old += 1;
    if (!attempt.ended && attempt.cancelling === undefined) writeRow(core, attempt);
  }
  if (old > 0) core.young = core.young.slice(old);
}

function writeRow(core: ClusterCore, attempt: LiveAttempt): void {
  if (attempt.opened) return;
  attempt.opened = true;
  core.log.add({
    type: "attempt_opened",
    lease: attempt.lease,
    worker: attempt.worker.id,
    incarnation: attempt.worker.incarnation,
    atMs: core.context.wallClock(),
  });
}

function endOverdue(core: ClusterCore): void {
  const nowMs = core.context.now();
  for (const worker of core.workers.values()) {
    if (worker.doubtful) continue;
    for (const attempt of worker.attempts) {
      const { deadlineMs, graceMs } = attempt.task.group.template;
      if (deadlineMs === undefined) continue;
      // Whoever has just come back is given the same time to say that it has ended it.
      const dueMs = Math.max(attempt.startedAtMs + deadlineMs + graceMs, worker.certainSinceMs);
      if (nowMs - dueMs > DEADLINE_BACKSTOP_MS) endAttempt(core, attempt, "deadline");
    }
  }
}
