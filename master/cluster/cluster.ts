/**
 * The cluster: the heart of the master. Registry, queue, leases; no I/O.
 *
 * Promise: every submitted task ends with exactly one durable outcome, whatever dies in between.
 * Not here: which worker gets what (scheduling/), what is durable (store/), how peers are spoken to (gateway/).
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, RemoteChild, Start } from "../../shared/actor/actor.ts";
import type { StoreAnswer } from "../store/messages.ts";
import { cancelCommand } from "./cancellation.ts";
import { checkCluster } from "./check.ts";
import { ClusterCore, commandError } from "./core.ts";
import { dispatch } from "./dispatch.ts";
import { detach, makeCertain } from "./doubt.ts";
import { explain, tellWaiting } from "./explain.ts";
import type { ClusterMessage, ClusterOptions } from "./messages.ts";
import { recover } from "./recovery.ts";
import { sayStop } from "./registration.ts";
import { workerSaid } from "./results.ts";
import { Rivals } from "./rivals.ts";
import { delayOver } from "./failures.ts";
import { tick, TICK_MS } from "./silence.ts";
import { sourceEnded, sourceSaid } from "./sources.ts";
import { submitCommand } from "./submissions.ts";
import { listWorkers, Publisher, workerLive } from "./views.ts";

/** The cluster's actor. */
export function cluster(options: ClusterOptions): Start<ClusterMessage> {
  return (context) => new Cluster(context, options);
}

/** The cluster's actor as a class, so that a simulation can look inside. */
export class Cluster implements Actor<ClusterMessage> {
  readonly core: ClusterCore;
  readonly #publisher: Publisher;
  readonly #rivals: Rivals;
  readonly #pendingSubmissions = { tasks: 0, bytes: 0 };
  #recovered: Extract<StoreAnswer, { type: "recovered" }> | undefined;

  constructor(context: Context<ClusterMessage>, options: ClusterOptions) {
    this.core = new ClusterCore(context, options);
    this.#rivals = new Rivals(this.core);
    this.#publisher = new Publisher(this.core);
    context.send(options.store, { type: "recover", from: context.self });
    context.send(options.store, { type: "listen", from: context.self });
    context.after(TICK_MS, { type: "tick" });
  }

  receive(message: ClusterMessage): void {
    const core = this.core;
    switch (message.type) {
      case "worker_said":
        return this.#workerSaid(message);
      case "committed":
        core.commit = Math.max(core.commit, message.commit);
        return core.log.committed(message.token, message.commit, message.verdicts);
      case "submit":
        return submitCommand(core, this.#pendingSubmissions, message);
      case "source_opened":
      case "source_submits":
      case "source_declines":
      case "source_wants":
      case "source_prunes":
      case "source_closed":
        return sourceSaid(core, message);
      case "worker_joined":
        return this.#rivals.joined(message.session, message.register);
      case "worker_left":
        return this.#sessionEnded(message.session);
      case "cancel":
        return cancelCommand(core, message);
      case "stop_worker":
        return this.#stopWorker(message);
      case "list_workers":
        return listWorkers(core, message);
      case "explain":
        return explain(core, message);
      case "attach_feed":
        core.feed = message.feed;
        return this.#publisher.reset();
      case "attach_registrar":
        return this.#registrarCame(message.registrar);
      case "tick":
      case "rival_silent":
      case "retry_due":
        return this.#timer(message);
      case "recovered":
      case "answer":
      case "backed_up":
      case "store_state":
        return this.#storeSaid(message);
    }
  }

  exited(actor: Ref<never>, _reason: ExitReason): void {
    this.#sessionEnded(actor);
    sourceEnded(this.core, actor);
  }

  turnEnded(): void {
    dispatch(this.core);
    this.core.flush();
  }

  remoteChildren(): readonly RemoteChild[] {
    return [...this.core.workers.values()].map((worker) => ({
      name: worker.id,
      state: workerLive(worker).state,
    }));
  }

  /** What does not hold of its own invariants. */
  check(): readonly string[] {
    return checkCluster(this.core);
  }

  #registrarCame(registrar: Ref<StoreAnswer>): void {
    const { core } = this;
    // The experiments died with the registrar before it. What it must begin again only the store can say, and the store
    // says it to a cluster that begins: so this one begins anew.
    if (core.registrar !== undefined) return core.context.exit();
    core.registrar = registrar;
    this.#tellRegistrar();
  }

  /** The registrar needs the experiments of what was recovered, once. */
  #tellRegistrar(): void {
    const { registrar, context } = this.core;
    if (registrar === undefined || this.#recovered === undefined) return;
    context.send(registrar, this.#recovered);
    this.#recovered = undefined;
  }

  #workerSaid(message: Extract<ClusterMessage, { type: "worker_said" }>): void {
    const worker = this.core.sessions.get(message.session.id);
    // Only the newest session of a worker is heard; one that may become the newest, later.
    if (worker === undefined) return this.#rivals.said(message.session, message.envelopes);
    worker.heardAtMs = this.core.context.attentiveNow();
    if (worker.doubtful) makeCertain(this.core, worker);
    // Only what it was asked for is an answer: anything else may have waited in a dead connection.
    if (message.envelopes.some(({ type }) => type === "heartbeat")) this.#rivals.answered(worker);
    workerSaid(this.core, worker, message.envelopes);
  }

  #sessionEnded(session: Ref<never>): void {
    const worker = this.core.sessions.get(session.id);
    if (worker === undefined) return this.#rivals.left(session);
    detach(this.core, worker);
    this.#rivals.olderEnded(worker);
  }

  #stopWorker(message: Extract<ClusterMessage, { type: "stop_worker" }>): void {
    const { from, token, target, graceMs } = message;
    const worker = [...this.core.workers.values()].find((each) => each.id === target);
    if (worker?.session === undefined) {
      const error = commandError(
        "unknown_worker",
        `no worker ${target} is connected`,
        "espalier workers lists them",
      );
      return this.core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
    }
    sayStop(this.core, worker, graceMs);
    const reply = { ok: true as const, value: { worker: target }, commit: this.core.commit };
    this.core.context.send(from, { type: "command_answered", token, reply });
  }

  #timer(message: Extract<ClusterMessage, { type: "tick" | "rival_silent" | "retry_due" }>): void {
    const core = this.core;
    switch (message.type) {
      case "tick":
        core.context.after(TICK_MS, { type: "tick" });
        if (core.epoch !== undefined) {
          tick(core);
          tellWaiting(core);
        }
        return this.#publisher.publish();
      case "rival_silent":
        return this.#rivals.silent(message.worker, message.session);
      case "retry_due": {
        const task = core.tasks.get(message.task);
        if (task !== undefined) delayOver(core, task);
        return;
      }
    }
  }

  #storeSaid(
    message: Extract<StoreAnswer, { type: "recovered" | "answer" | "backed_up" | "store_state" }>,
  ): void {
    switch (message.type) {
      case "recovered":
        recover(this.core, message.recovered);
        this.#recovered = message;
        return this.#tellRegistrar();
      case "answer":
        return this.core.answered(message);
      case "backed_up":
        return;
      case "store_state":
        this.core.storeState = message;
        return;
    }
  }
}
