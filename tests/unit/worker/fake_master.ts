/**
 * A master for tests of the worker: speaks the real protocol, and says only what a test tells it to.
 *
 * Promise: every frame in both directions is encoded, decoded and checked; frames arrive in order, one latency later.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { epochOf } from "../../../shared/model/ids.ts";
import { decodeFrame, encodeFrames } from "../../../shared/protocol/codec.ts";
import type { SocketEvent } from "../../../shared/protocol/socket_port.ts";
import {
  type FromWorker,
  fromWorker,
  type Register,
  type Result,
  type ToWorker,
} from "../../../shared/protocol/worker_envelopes.ts";
import type { Dialer } from "../../../worker/tree_ports.ts";

export const LATENCY_MS = 1;
export const EPOCH = epochOf("0123456789abcdef0123456789abcdef", 1, "0a0b0c0d");

/** One connection, seen from the master. */
export class FakeSession {
  readonly heard: FromWorker[] = [];
  /** Frames that came. */
  frames = 0;
  /** With which code the worker closed it. */
  closedBy: number | undefined;
  bufferedBytes = 0;
  readonly #loop: VirtualLoop;
  readonly #events: (event: SocketEvent) => void;
  readonly #heardOne: (session: FakeSession, envelope: FromWorker) => void;

  constructor(
    loop: VirtualLoop,
    events: (event: SocketEvent) => void,
    heardOne: (session: FakeSession, envelope: FromWorker) => void,
  ) {
    this.#loop = loop;
    this.#events = events;
    this.#heardOne = heardOne;
  }

  open(): void {
    const port = {
      send: (frame: Uint8Array<ArrayBuffer>) => this.#toMaster.carry(frame),
      bufferedBytes: () => this.bufferedBytes,
      close: (code: number) => {
        this.closedBy ??= code;
      },
    };
    this.#events({ type: "opened", port });
  }

  say(...envelopes: readonly ToWorker[]): void {
    for (const frame of encodeFrames(envelopes)) this.sayBytes(frame);
  }

  sayBytes(bytes: Uint8Array): void {
    this.#toWorker.carry(() => this.#events({ type: "frame", bytes }));
  }

  close(code: number, reason: string): void {
    this.#toWorker.carry(() => this.#events({ type: "closed", code, reason }));
  }

  /** All results that were heard on this session. */
  results(): readonly Result[] {
    return this.heard.filter((envelope) => envelope.type === "result");
  }

  register(): Register {
    const register = this.heard.find((envelope) => envelope.type === "register");
    assert(register !== undefined, "the worker has not registered");
    return register;
  }

  readonly #toWorker = new Wire((call: () => void) => call(), () => this.#loop);
  readonly #toMaster = new Wire((bytes: Uint8Array) => this.#take(bytes), () => this.#loop);

  #take(bytes: Uint8Array): void {
    this.frames += 1;
    const frame = decodeFrame(bytes, fromWorker);
    assert(frame.ok, `the worker said what does not fit: ${JSON.stringify(frame)}`);
    for (const envelope of frame.envelopes) {
      this.heard.push(envelope);
      this.#heardOne(this, envelope);
    }
  }
}

/** Delivers in order, although the virtual loop shuffles what falls on one instant. */
class Wire<T> {
  readonly #deliver: (item: T) => void;
  readonly #loop: () => VirtualLoop;
  readonly #items: T[] = [];

  constructor(deliver: (item: T) => void, loop: () => VirtualLoop) {
    this.#deliver = deliver;
    this.#loop = loop;
  }

  carry(item: T): void {
    this.#items.push(item);
    this.#loop().timer(LATENCY_MS, () => {
      const next = this.#items.shift();
      if (next !== undefined) this.#deliver(next);
    });
  }
}

/** What the master does by itself. */
export interface Manners {
  /** Answers `register` at once; keeps all leases but those it is told not to. */
  welcomes: boolean;
  echoes: boolean;
  /** Acknowledges each result as recorded. */
  acknowledges: boolean;
  /** Lets connections be opened; otherwise they are closed with 1006. */
  accepts: boolean;
  /** Never answers at all; what was dialed can be opened late. */
  isGone: boolean;
  /** A bug in the adapter: the next dial throws. */
  dialThrows: boolean;
  heartbeatMs: number;
  readonly notKept: Set<string>;
}

/** A master, or several under different addresses. */
export class FakeMaster {
  readonly manners: Manners = {
    welcomes: true,
    echoes: true,
    acknowledges: true,
    accepts: true,
    isGone: false,
    dialThrows: false,
    heartbeatMs: 10_000,
    notKept: new Set(),
  };
  readonly sessions: FakeSession[] = [];
  /** The addresses that were dialed, and when. */
  readonly dials: { readonly url: string; readonly token: string; readonly atMs: number }[] = [];
  commit = 0;
  readonly #loop: VirtualLoop;
  readonly #unanswered: (() => void)[] = [];

  constructor(loop: VirtualLoop) {
    this.#loop = loop;
  }

  /** The newest session. */
  get session(): FakeSession {
    const session = this.sessions.at(-1);
    assert(session !== undefined, "no worker has connected");
    return session;
  }

  readonly dialer: Dialer = {
    dial: (url, token, events) => {
      this.dials.push({ url, token, atMs: this.#loop.now() });
      if (this.manners.dialThrows) {
        this.manners.dialThrows = false;
        throw new Error("a bug in the dialer");
      }
      if (this.manners.isGone) return void this.#unanswered.push(() => this.#open(events));
      const { accepts } = this.manners;
      this.#loop.timer(LATENCY_MS, () => {
        if (accepts) this.#open(events);
        else events({ type: "closed", code: 1006, reason: "" });
      });
    },
  };

  /** Opens what was dialed while it was gone. */
  openLate(): void {
    for (const open of this.#unanswered.splice(0)) open();
  }

  #open(events: (event: SocketEvent) => void): void {
    const session = new FakeSession(this.#loop, events, (from, envelope) => this.#heard(from, envelope));
    this.sessions.push(session);
    session.open();
  }

  #heard(session: FakeSession, envelope: FromWorker): void {
    if (envelope.type === "register" && this.manners.welcomes) {
      const { heartbeatMs, notKept } = this.manners;
      const keep = envelope.leases.map((lease) => !notKept.has(lease.task));
      session.say({ type: "welcome", epoch: EPOCH, commit: this.commit, heartbeatMs, keep });
    }
    if (envelope.type === "heartbeat" && this.manners.echoes) {
      session.say({ type: "heartbeat", sequence: envelope.sequence, commit: this.commit });
    }
    if (envelope.type === "result" && this.manners.acknowledges) this.acknowledge(session, envelope);
  }

  acknowledge(
    session: FakeSession,
    { epoch, task, attempt }: Result,
    verdict: "recorded" | "superseded" | "unknown" = "recorded",
  ): void {
    this.commit += 1;
    session.say({ type: "acknowledge", epoch, task, attempt, verdict, by: null, commit: this.commit });
  }
}
