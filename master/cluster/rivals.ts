/**
 * Rivals: two processes with one worker's name, or one that was restarted before its old connection was seen to end.
 *
 * Promise: the older one keeps the name if it is heard within 2 s; its silence or its end gives the name to the newcomer,
 * and what the newcomer said meanwhile is heard.
 * Not here: what a worker that is taken in brings along (registration.ts).
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { WorkerId } from "../../shared/model/ids.ts";
import { RIVAL_ANSWER_MS } from "../../shared/protocol/limits.ts";
import type { FromWorker, Register } from "../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import type { ToWorkerSession } from "./messages.ts";
import { detach } from "./doubt.ts";
import { accept, noticeLoss } from "./registration.ts";
import { workerSaid } from "./results.ts";
import type { WorkerRecord } from "./worker_record.ts";

type Envelope = Exclude<FromWorker, Register>;

/** Envelopes that are kept of a newcomer that waits: more than a worker keeps results and reports for a master. */
export const RIVAL_SAID_MAX = 32_768;

/** A newcomer that waits for the older process of its name to answer. */
interface Rival {
  readonly session: Ref<ToWorkerSession>;
  readonly register: Register;
  /** When the older one has been silent for long enough, on the attentive clock. */
  readonly untilMs: number;
  readonly said: Envelope[];
  /** When the older one spoke first since it was asked. */
  firstHeardMs: number | undefined;
}

/** Who comes in under a name, and who waits for it. */
export class Rivals {
  readonly #core: ClusterCore;
  readonly #waiting = new Map<WorkerId, Rival>();

  constructor(core: ClusterCore) {
    this.#core = core;
  }

  /** Takes in a registration, or lets it wait for the older process of its name. */
  joined(session: Ref<ToWorkerSession>, register: Register): void {
    const core = this.#core;
    if (core.epoch === undefined) {
      return this.#close(session, "restarting", "the master is reading its store");
    }
    noticeLoss(core, register);
    const known = core.workers.get(register.worker);
    if (known?.session === undefined) return accept(core, session, register);
    if (known.incarnation !== register.incarnation) return this.#compete(known, session, register);
    // Its own newer connection.
    core.sessions.delete(known.session.id);
    this.#close(known.session, "replaced", "a newer session of this worker");
    known.session = undefined;
    accept(core, session, register);
  }

  /** What a newcomer says while it waits, such as the results that it brought along. */
  said(session: Ref<ToWorkerSession>, envelopes: readonly Envelope[]): void {
    for (const [id, rival] of this.#waiting) {
      if (rival.session.id !== session.id) continue;
      for (const envelope of envelopes) rival.said.push(envelope);
      if (rival.said.length <= RIVAL_SAID_MAX) continue;
      this.#waiting.delete(id);
      this.#close(session, "busy", "it said more than is kept while an older process of its name is asked");
    }
  }

  /**
   * The older process spoke: it is asked once more, and if it answers that too, the newcomer goes.
   *
   * What had waited in a dead connection may come after the question, but all of it at once.
   */
  answered(worker: WorkerRecord): void {
    const rival = this.#waiting.get(worker.id);
    if (rival === undefined) return;
    const nowMs = this.#core.context.now();
    if (rival.firstHeardMs === undefined) this.#ask(worker);
    rival.firstHeardMs ??= nowMs;
    if (nowMs <= rival.firstHeardMs) return;
    this.#waiting.delete(worker.id);
    this.#refuse(rival.session, worker);
  }

  /** A newcomer did not wait. */
  left(session: Ref<never>): void {
    for (const [id, rival] of this.#waiting) if (rival.session.id === session.id) this.#waiting.delete(id);
  }

  /** The older process's session has ended: nobody is left to ask. */
  olderEnded(worker: WorkerRecord): void {
    const rival = this.#waiting.get(worker.id);
    if (rival !== undefined) this.#takeIn(worker, rival);
  }

  /** The time to answer is over. */
  silent(id: WorkerId, session: number): void {
    const worker = this.#core.workers.get(id);
    const rival = this.#waiting.get(id);
    if (worker === undefined || rival?.session.id !== session) return;
    const leftMs = rival.untilMs - this.#core.context.attentiveNow();
    // What is left may be a rounding error, and a timer of 0 ms would spin.
    if (leftMs > 0) this.#wait(id, rival, Math.max(1, leftMs));
    else this.#takeIn(worker, rival);
  }

  #compete(known: WorkerRecord, session: Ref<ToWorkerSession>, register: Register): void {
    const core = this.#core;
    const waiting = this.#waiting.get(known.id);
    if (waiting !== undefined && waiting.register.incarnation !== register.incarnation) {
      // Who of the three is alive is not known yet: it may be the one that waits that is gone.
      return this.#close(session, "busy", "another process of this name waits for an older one to answer");
    }
    if (waiting !== undefined) this.#close(waiting.session, "replaced", "a newer session of this worker");
    const untilMs = waiting?.untilMs ?? core.context.attentiveNow() + RIVAL_ANSWER_MS;
    const rival: Rival = { session, register, untilMs, said: [], firstHeardMs: undefined };
    this.#waiting.set(known.id, rival);
    core.context.watch(session);
    this.#ask(known);
    this.#wait(known.id, rival, untilMs - core.context.attentiveNow());
  }

  #ask(older: WorkerRecord): void {
    this.#core.say(older.session, { type: "heartbeat", sequence: 0, commit: this.#core.toldCommit });
  }

  #wait(worker: WorkerId, { session }: Rival, leftMs: number): void {
    this.#core.context.after(leftMs, { type: "rival_silent", worker, session: session.id });
  }

  #takeIn(worker: WorkerRecord, rival: Rival): void {
    this.#waiting.delete(worker.id);
    if (worker.session !== undefined) {
      this.#close(worker.session, "replaced", "another process took this name");
      detach(this.#core, worker);
    }
    accept(this.#core, rival.session, rival.register);
    workerSaid(this.#core, worker, rival.said);
  }

  #refuse(session: Ref<ToWorkerSession>, known: WorkerRecord): void {
    const facts = known.facts;
    const where = facts === undefined ? "" : ` (process ${facts.pid} on ${facts.hostname})`;
    const message =
      `a worker named ${known.id} is connected already${where}; give each worker a data folder of its own`;
    this.#close(session, "rival", message);
  }

  #close(
    session: Ref<ToWorkerSession>,
    name: "restarting" | "replaced" | "busy" | "rival",
    message: string,
  ): void {
    this.#core.context.send(session, { type: "close", name, message });
  }
}
