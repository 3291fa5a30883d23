/**
 * A world for tests of the gateway: virtual time, and actors that only remember what they were told.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Actor, Ref, Start } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { epochOf, groupId, incarnation, workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { type ToClient, toClient } from "../../../shared/protocol/client_envelopes.ts";
import { decodeFrame } from "../../../shared/protocol/codec.ts";
import type { SocketPort } from "../../../shared/protocol/socket_port.ts";
import { type Register, type ToWorker, toWorker } from "../../../shared/protocol/worker_envelopes.ts";

export const STORE_ID = "0123456789abcdef0123456789abcdef";
export const EPOCH = epochOf(STORE_ID, 1, "0a0b0c0d");
export const GROUP = groupId("quick-1");

/** What an actor that only listens has heard. */
export interface Heard<M> {
  readonly ref: Ref<M>;
  readonly messages: M[];
  /** Names of the actors whose end it was told. */
  readonly ended: string[];
}

/** A system of actors in virtual time. */
export class World {
  readonly loop: VirtualLoop;
  readonly system: System;
  readonly log: string[] = [];
  #spawn: (<M>(name: string, start: Start<M>) => Ref<M>) | undefined;

  constructor(seed = "gateway") {
    this.loop = new VirtualLoop(seededRandom(seed));
    const log = (_level: string, path: string, text: string) => this.log.push(`${path}: ${text}`);
    this.system = new System(this.loop, seed, { log }, seededRandom(seed, "shuffle"));
    this.system.start("root", (context) => {
      this.#spawn = (name, start) => context.spawn(name, start);
      return { receive: () => {} };
    });
  }

  spawn<M>(name: string, start: Start<M>): Ref<M> {
    assert.ok(this.#spawn !== undefined);
    return this.#spawn(name, start);
  }

  /** An actor that remembers, and answers where it is told how. */
  listener<M>(name: string, answer?: (message: M) => void, watched?: Ref<never>): Heard<M> {
    const messages: M[] = [];
    const ended: string[] = [];
    const ref = this.spawn<M>(name, (context): Actor<M> => {
      if (watched !== undefined) context.watch(watched);
      return {
        receive: (message) => {
          messages.push(message);
          answer?.(message);
        },
        exited: (actor) => void ended.push(actor.path),
      };
    });
    return { ref, messages, ended };
  }

  post<M>(to: Ref<M>, message: M): void {
    this.system.post(to, message);
  }

  /** Until nothing is left to do now. */
  settle(): void {
    this.loop.runFor(0);
  }

  end(): void {
    this.system.halt();
  }
}

/** A port whose frames a test can read. */
export class FakePort implements SocketPort {
  readonly frames: Uint8Array[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  unread = 0;
  /** Whether nobody reads what is sent. */
  isUnread = false;

  send(frame: Uint8Array<ArrayBuffer>): void {
    assert.equal(this.closes.length, 0, "nothing is sent after a close");
    if (this.isUnread) this.unread += frame.byteLength;
    this.frames.push(frame);
  }

  bufferedBytes(): number {
    return this.unread;
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }

  /** What a worker would read of it. */
  toWorker(): ToWorker[] {
    return this.frames.flatMap((bytes) => {
      const frame = decodeFrame(bytes, toWorker);
      assert.ok(frame.ok, JSON.stringify(frame));
      return frame.envelopes;
    });
  }

  /** What a client would read of it. */
  toClient(): ToClient[] {
    return this.frames.flatMap((bytes) => {
      const frame = decodeFrame(bytes, toClient);
      assert.ok(frame.ok, JSON.stringify(frame));
      return frame.envelopes;
    });
  }
}

/** A worker's first words. */
export function registerEnvelope(changes: Readonly<Record<string, unknown>> = {}): Register {
  return {
    type: "register",
    version: { major: 1, minor: 0 },
    worker: workerId("w1"),
    incarnation: incarnation("i1"),
    slots: 1,
    pool: NO_RESOURCES,
    executors: ["builtin"],
    facts: {
      hostname: "h",
      os: "linux",
      arch: "x86_64",
      cpus: 2,
      memoryBytes: 1,
      pid: 1,
      runtime: "r",
      software: "s",
    },
    seen: null,
    leases: [],
    ...changes,
  };
}

/** A worker's heartbeat. */
export function heartbeatEnvelope(sequence: number) {
  return {
    type: "heartbeat",
    sequence,
    roundTripMs: null,
    running: 0,
    queued: 0,
    vitals: { cpuPercent: null, memoryUsedBytes: null, rssBytes: null, gpus: [] },
  } as const;
}
