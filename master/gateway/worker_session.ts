/**
 * A worker's session.
 *
 * Promise: the cluster hears `worker_joined` first, then what the worker says in its order, then `worker_left` once.
 * (A crash or a kill it hears by watching the session.)
 * Not here: what becomes of the worker's leases, and the answers to its heartbeats (the cluster).
 *
 * @module
 */
import type { Actor, Context, Ref } from "../../shared/actor/actor.ts";
import { decodeFrame, type FrameProblem } from "../../shared/protocol/codec.ts";
import { type CloseName, PROTOCOL_VERSION } from "../../shared/protocol/limits.ts";
import {
  type FromWorker,
  fromWorker,
  type Log,
  type Refused,
  type Register,
} from "../../shared/protocol/worker_envelopes.ts";
import type { WorkerId } from "../../shared/model/ids.ts";
import type { ClusterMessage } from "../cluster/messages.ts";
import type { Logs } from "../logs/logs.ts";
import { closeNameFor, type Connection, expiredToken, refusal } from "./connection.ts";
import { peekFirst } from "./first_words.ts";
import type { SessionMessage } from "./messages.ts";
import { SessionLeases } from "./session_leases.ts";

/** What a worker's session is given beside its connection. */
export interface WorkerSessionOptions {
  readonly id: string;
  readonly cluster: Ref<ClusterMessage>;
  readonly logs?: Logs | undefined;
  /** After this silence the session is left. */
  readonly silenceMs: number;
  readonly registerWithinMs: number;
}

/** One worker's connection, from its first frame to the moment that we decide it is over. */
export class WorkerSession implements Actor<SessionMessage> {
  readonly #context: Context<SessionMessage>;
  readonly #connection: Connection;
  readonly #options: WorkerSessionOptions;
  readonly #leases = new SessionLeases();
  #worker: WorkerId | undefined;
  #heardAtMs: number;

  constructor(context: Context<SessionMessage>, connection: Connection, options: WorkerSessionOptions) {
    this.#context = context;
    this.#connection = connection;
    this.#options = options;
    this.#heardAtMs = context.attentiveNow();
    context.after(options.registerWithinMs, { type: "look" });
  }

  receive(message: SessionMessage): void {
    if (this.#connection.isClosed) return;
    switch (message.type) {
      case "frame":
        return this.#frame(message.bytes);
      case "text_frame":
        return this.#refuse("malformed", refusal("malformed", "a frame is binary, and this one is text"));
      case "expired":
        return this.#refuse("expired", expiredToken());
      case "closed":
        return this.#leave("bye", `the worker closed the connection (${message.code} ${message.reason})`);
      case "send":
        this.#leases.told(message.envelopes);
        return this.#connection.say(message.envelopes);
      case "close":
        return this.#close(message.name, message.message);
      case "look":
        return this.#look();
      case "deliver":
      case "look_for_room":
        return;
    }
  }

  turnEnded(): void {
    this.#connection.flush();
    if (this.#connection.isTooSlow) this.#leave("too_slow", "it does not read what it is sent");
  }

  stopping(): "now" {
    if (!this.#connection.isClosed) this.#leave("restarting", "the master is stopping");
    return "now";
  }

  notes(): Readonly<Record<string, string>> {
    return this.#worker === undefined ? {} : { worker: this.#worker };
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, fromWorker);
    if (!frame.ok) return this.#refuseFrame(bytes, frame.problem);
    const first = frame.envelopes[0];
    // An empty frame is no word: a peer must not put off its registration with them.
    if (first === undefined) return;
    this.#heardAtMs = this.#context.attentiveNow();
    if (this.#worker !== undefined) return this.#said(frame.envelopes);
    if (first.type !== "register") return this.#refuseUnregistered(first.type);
    if (this.#register(first) && frame.envelopes.length > 1) this.#said(frame.envelopes.slice(1));
  }

  #register(register: Register): boolean {
    const { major } = register.version;
    if (major !== PROTOCOL_VERSION.major) {
      this.#refuseVersion(major);
      return false;
    }
    this.#worker = register.worker;
    this.#leases.registered(register.leases);
    this.#context.send(this.#options.cluster, {
      type: "worker_joined",
      session: this.#context.self,
      register,
    });
    return true;
  }

  #said(said: readonly FromWorker[]): void {
    const envelopes: Exclude<FromWorker, Register | Log>[] = [];
    for (const envelope of said) {
      if (envelope.type === "register") {
        const advice = "a worker that starts anew opens a new connection";
        return this.#refuse("malformed", refusal("malformed", "this session has registered", "type", advice));
      }
      if (envelope.type === "refused") {
        return this.#leave("bye", `it refused what it was told: ${envelope.message}`);
      }
      if (envelope.type === "result") this.#leases.ended(envelope);
      if (envelope.type === "log") this.#printed(envelope);
      else envelopes.push(envelope);
    }
    if (envelopes.length === 0) return;
    this.#context.send(this.#options.cluster, {
      type: "worker_said",
      session: this.#context.self,
      envelopes,
    });
  }

  /** Output goes past the cluster, which has better things to do; the answer comes when it is kept. */
  #printed(log: Log): void {
    const { logs } = this.#options;
    const worker = this.#worker;
    if (logs === undefined || worker === undefined) return;
    const session = this.#context.self;
    logs.take({
      worker,
      log,
      isGranted: this.#leases.has(log),
      answer: (logged) => this.#context.send(session, { type: "send", envelopes: [logged] }),
    });
  }

  #look(): void {
    const { registerWithinMs, silenceMs } = this.#options;
    const limitMs = this.#worker === undefined ? registerWithinMs : silenceMs;
    const leftMs = limitMs - (this.#context.attentiveNow() - this.#heardAtMs);
    // The attentive clock may lag behind the loop's by rounding: a timer of 0 ms would spin.
    if (leftMs > 0) return void this.#context.after(Math.max(1, leftMs), { type: "look" });
    if (this.#worker !== undefined) return this.#leave("silent", `silent for ${silenceMs} ms`);
    const message = `a worker registers within ${registerWithinMs} ms`;
    // It may have spoken, and a bad line holds its words back: it may come again.
    this.#refuse("silent", refusal("not_registered", message));
  }

  #refuseFrame(bytes: Uint8Array, problem: FrameProblem): void {
    const first = problem.code === "schema" && this.#worker === undefined ? peekFirst(bytes) : {};
    if (first.major !== undefined && first.major !== PROTOCOL_VERSION.major) {
      return this.#refuseVersion(first.major);
    }
    if (first.type === "command" || first.type === "subscribe") {
      const advice = "clients need a token of role admin, submit or view";
      return this.#refuse(
        "unauthorized",
        refusal("unauthorized", "a worker's token may not command", "", advice),
      );
    }
    const { code, message, path, advice } = problem;
    this.#refuse(closeNameFor(problem), refusal(code, message, path, advice));
  }

  #refuseVersion(major: number): void {
    const message = `the worker speaks version ${major} of the protocol, this master version ` +
      `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
    this.#refuse(
      "version",
      refusal("version", message, "version.major", "run the same release on both sides"),
    );
  }

  #refuseUnregistered(type: string): void {
    const message = `the first envelope must be register, and this is ${type}`;
    this.#refuse("not_registered", refusal("not_registered", message, "[0].type", "see docs/protocol.md"));
  }

  #refuse(name: CloseName, refused: Refused): void {
    const at = refused.path === "" ? "" : ` at ${refused.path}`;
    this.#leave(name, `refused: ${refused.message}${at}`, refused);
  }

  /** The cluster's word: a reason for the worker to read, where there is one. */
  #close(name: CloseName, message: string): void {
    this.#leave(
      name,
      message === "" ? `closed as ${name}` : message,
      message === "" ? undefined : refusal(name, message),
    );
  }

  #leave(name: CloseName, reason: string, refused?: Refused): void {
    this.#connection.close(name, refused);
    this.#context.log(refused === undefined ? "info" : "warning", `worker session ended: ${reason}`, {
      session: this.#options.id,
      worker: this.#worker ?? "",
      close: name,
    });
    if (this.#worker !== undefined) {
      this.#context.send(this.#options.cluster, {
        type: "worker_left",
        session: this.#context.self,
        reason,
      });
    }
    this.#context.exit();
  }
}
