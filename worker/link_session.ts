/**
 * One session with a master: register, welcome, heartbeats, and what is said in both directions.
 *
 * Promise: what a turn has to say leaves in as few frames as the limits allow; nothing that does not fit the protocol
 * reaches another actor.
 * Not here: when and where to connect (link.ts).
 *
 * @module
 */
import type { Context, Ref, Timer } from "../shared/actor/actor.ts";
import type { DeviceTrouble } from "../shared/model/devices.ts";
import type { Epoch } from "../shared/model/ids.ts";
import type { Lease } from "../shared/model/task.ts";
import { decodeFrame, encodeFrames, type FrameProblem } from "../shared/protocol/codec.ts";
import type { HighestSeen } from "../shared/protocol/highest_seen.ts";
import { CLOSE, type CloseName, LEAVE_INTERVALS, REGISTER_WITHIN_MS } from "../shared/protocol/limits.ts";
import type { SocketPort } from "../shared/protocol/socket_port.ts";
import {
  type Acknowledge,
  type FromWorker,
  type Log,
  type Logged,
  type Refused,
  type Register,
  type Report,
  type Result,
  type Taken,
  type ToWorker,
  toWorker,
  type Welcome,
  type WorkerVitals,
} from "../shared/protocol/worker_envelopes.ts";
import type {
  LinkMessage,
  LinkTimer,
  Order,
  OutboxMessage,
  SlotsMessage,
  WorkerMessage,
} from "./messages.ts";

/** How long a master may take to answer `register`. */
export const WELCOME_WITHIN_MS = REGISTER_WITHIN_MS;
/** A master cannot ask for heartbeats more often than this. */
export const HEARTBEAT_MIN_MS = 50;

/** The actors around the link. */
export interface Sides {
  readonly slots: Ref<SlotsMessage>;
  readonly outbox: Ref<OutboxMessage>;
  readonly root: Ref<WorkerMessage>;
}

/** What a heartbeat says besides its number. */
export interface Pulse {
  readonly running: number;
  readonly queued: number;
  readonly vitals: WorkerVitals;
  readonly devicesOut: readonly DeviceTrouble[];
}

/** Why the worker ends a session. */
export interface Leaving {
  readonly close: CloseName;
  readonly why: string;
}

/** A session, from the opened connection to the moment that it is left. */
export class Session {
  readonly number: number;
  /** What the master said before it closed the connection. */
  refused: Refused | undefined;
  /** Whether the master answered `register`. */
  isWelcomed = false;
  /** What the newest frame answered of logs. */
  logged: Logged[] = [];
  readonly #context: Context<LinkMessage>;
  readonly #port: SocketPort;
  readonly #sides: Sides;
  readonly #seen: HighestSeen;
  readonly #pulse: () => Pulse;
  readonly #timers = new Map<LinkTimer["type"], Timer>();
  #isRegistered = false;
  #listed: Register["leases"] = [];
  #epoch: Epoch | undefined;
  #heartbeatMs = 0;
  #registeredMs = 0;
  #heardMs: number;
  #sequence = 0;
  #beatMs = 0;
  #roundTripMs: number | null = null;
  #out: FromWorker[] = [];

  constructor(
    context: Context<LinkMessage>,
    number: number,
    port: SocketPort,
    sides: Sides,
    seen: HighestSeen,
    pulse: () => Pulse,
  ) {
    this.#context = context;
    this.number = number;
    this.#port = port;
    this.#sides = sides;
    this.#seen = seen;
    this.#pulse = pulse;
    this.#heardMs = context.attentiveNow();
    context.send(sides.slots, { type: "attach", link: context.self, session: number });
  }

  /** Says who this is and what it has; the results of the finished leases follow in the same turn. */
  register(register: Register, envelopes: readonly (Report | Result)[]): void {
    this.#isRegistered = true;
    this.#registeredMs = this.#context.attentiveNow();
    this.#listed = register.leases;
    this.#out.push(register);
    this.#arm("welcome_timeout", WELCOME_WITHIN_MS);
    this.report(envelopes);
  }

  /** Says something of attempts. Before `register` it is dropped: the list that comes has it. */
  report(envelopes: readonly (Report | Result | Log)[]): void {
    if (!this.#isRegistered) return;
    for (const envelope of envelopes) this.#out.push(envelope);
  }

  /** Says anything else. */
  say(envelope: FromWorker): void {
    this.#out.push(envelope);
  }

  /** A heartbeat out of turn: there is news in it. Before the welcome there is none: the first follows it at once. */
  beatNow(): void {
    if (this.isWelcomed) this.#beat();
  }

  /** Takes a frame in. The answer says why the session has to be left, where it has. */
  frame(bytes: Uint8Array): Leaving | undefined {
    this.#heardMs = this.#context.attentiveNow();
    const frame = decodeFrame(bytes, toWorker);
    if (!frame.ok) return this.#refuse(frame.problem);
    const orders: Order[] = [];
    const acknowledges: Acknowledge[] = [];
    const taken: Taken[] = [];
    this.logged = [];
    for (const envelope of frame.envelopes) {
      if (envelope.type === "acknowledge") acknowledges.push(envelope);
      else if (envelope.type === "taken") taken.push(envelope);
      else if (envelope.type === "logged") this.logged.push(envelope);
      else if (envelope.type === "assign" || envelope.type === "recall" || envelope.type === "cancel") {
        orders.push(envelope);
      } else {
        const leaving = this.#heard(envelope);
        if (leaving !== undefined) return leaving;
      }
    }
    if (taken.length > 0) this.#taken(taken);
    if (acknowledges.length > 0) this.#acknowledged(acknowledges);
    if (orders.length > 0) this.#context.send(this.#sides.slots, { type: "orders", orders });
    return undefined;
  }

  /** A timer of this session is due. The answer says why the session has to be left, where it has. */
  timer(type: LinkTimer["type"]): Leaving | undefined {
    switch (type) {
      case "heartbeat_due":
        this.#beat();
        this.#arm("heartbeat_due", this.#heartbeatMs);
        return undefined;
      case "silence_due":
        return this.#checkSilence(type, this.#heardMs, this.#heartbeatMs * LEAVE_INTERVALS);
      case "welcome_timeout":
        return this.#checkSilence(type, this.#registeredMs, WELCOME_WITHIN_MS);
      case "dial":
      case "dial_timeout":
        return undefined;
    }
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#out.length === 0) return;
    const frames = encodeFrames(this.#out);
    this.#out = [];
    for (const frame of frames) this.#port.send(frame);
  }

  /** Leaves: nothing of this session counts any more. */
  end(name: CloseName): void {
    this.release();
    this.flush();
    this.#port.close(CLOSE[name].code, CLOSE[name].name);
  }

  /** The other side has left. */
  release(): void {
    for (const timer of this.#timers.values()) this.#context.cancel(timer);
    this.#timers.clear();
  }

  /** At the end of the link's life, when the context must not be touched any more. */
  abandon(name: CloseName): void {
    this.#port.close(CLOSE[name].code, CLOSE[name].name);
  }

  #heard(
    envelope: Exclude<
      ToWorker,
      { readonly type: "assign" | "recall" | "cancel" | "acknowledge" | "taken" | "logged" }
    >,
  ): Leaving | undefined {
    switch (envelope.type) {
      case "welcome":
        return this.#welcomed(envelope);
      case "heartbeat":
        return this.#echoed(envelope.sequence, envelope.commit);
      case "stop":
        this.#context.send(this.#sides.root, envelope);
        return undefined;
      case "refused":
        this.refused = envelope;
        return undefined;
    }
  }

  #welcomed(welcome: Welcome): Leaving | undefined {
    const listed = this.#listed;
    if (!this.#isRegistered || this.isWelcomed || welcome.keep.length !== listed.length) {
      return this.#refuse({
        code: "schema",
        message: `welcome answers ${welcome.keep.length} leases where ${listed.length} were listed`,
        path: ".keep",
        advice: "welcome answers register once, with one word for each of its leases",
      });
    }
    this.isWelcomed = true;
    this.#epoch = welcome.epoch;
    this.#seen.tell(welcome.epoch, welcome.commit);
    this.#heartbeatMs = Math.max(HEARTBEAT_MIN_MS, welcome.heartbeatMs);
    this.#disarm("welcome_timeout");
    this.#arm("heartbeat_due", this.#heartbeatMs);
    // What is out of service is not in `register`: a master that does not know it would give it out.
    if (this.#pulse().devicesOut.length > 0) this.#beat();
    this.#arm("silence_due", this.#heartbeatMs * LEAVE_INTERVALS);
    const leases: Lease[] = listed.filter((lease, index) =>
      lease.state !== "finished" && welcome.keep[index] === false
    );
    if (leases.length > 0) this.#context.send(this.#sides.slots, { type: "not_kept", leases });
    this.#listed = [];
    return undefined;
  }

  #taken(taken: readonly Taken[]): void {
    this.#tellSeen(taken);
    this.#context.send(this.#sides.outbox, { type: "taken", taken });
  }

  #tellSeen(envelopes: readonly { readonly commit: number }[]): void {
    const commit = envelopes.reduce((highest, each) => Math.max(highest, each.commit), 0);
    if (this.#epoch !== undefined) this.#seen.tell(this.#epoch, commit);
  }

  #acknowledged(acknowledges: readonly Acknowledge[]): void {
    this.#tellSeen(acknowledges);
    this.#context.send(this.#sides.outbox, { type: "acknowledged", acknowledges });
  }

  #echoed(sequence: number, commit: number): undefined {
    if (this.#epoch !== undefined) this.#seen.tell(this.#epoch, commit);
    // Asked whether this worker is there: the newest session of a rival's id.
    if (sequence === 0) this.#beat();
    else if (sequence === this.#sequence) {
      this.#roundTripMs = this.#context.now() - this.#beatMs;
    }
  }

  #beat(): void {
    this.#sequence += 1;
    this.#beatMs = this.#context.now();
    const { running, queued, vitals, devicesOut } = this.#pulse();
    const { sequence, roundTripMs } = { sequence: this.#sequence, roundTripMs: this.#roundTripMs };
    const out = devicesOut.length === 0 ? {} : { devicesOut: [...devicesOut] };
    this.say({ type: "heartbeat", sequence, roundTripMs, running, queued, vitals, ...out });
  }

  /** One timer measures the silence, however much is said; a process that was frozen first reads what came. */
  #checkSilence(type: LinkTimer["type"], sinceMs: number, limitMs: number): Leaving | undefined {
    const silentMs = this.#context.attentiveNow() - sinceMs;
    if (silentMs >= limitMs) return { close: "silent", why: `it was silent for ${Math.round(silentMs)} ms` };
    // What is left may be a rounding error, and a timer of 0 ms would spin.
    this.#arm(type, Math.max(1, limitMs - silentMs));
    return undefined;
  }

  #refuse(problem: FrameProblem): Leaving {
    this.say({ type: "refused", ...problem });
    const close = problem.code === "too_large" ? "too_large" : "malformed";
    return { close, why: `what it said does not fit the protocol: ${problem.message} at ${problem.path}` };
  }

  #arm(type: LinkTimer["type"], delayMs: number): void {
    this.#timers.set(type, this.#context.after(delayMs, { type, session: this.number }));
  }

  #disarm(type: LinkTimer["type"]): void {
    const timer = this.#timers.get(type);
    if (timer !== undefined) this.#context.cancel(timer);
    this.#timers.delete(type);
  }
}
