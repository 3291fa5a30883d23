/**
 * A lease that this worker has, and the line of those that wait for a slot.
 *
 * @module
 */
import type { Ref } from "../shared/actor/actor.ts";
import { Fifo } from "../shared/actor/fifo.ts";
import type { Restore } from "../shared/model/artifact.ts";
import type { Lease, TaskTemplate } from "../shared/model/task.ts";
import type { Assign, HeldLease } from "../shared/protocol/worker_envelopes.ts";
import type { AttemptMessage } from "./messages.ts";

/** What stands for a payload that is not needed any more. */
export const NO_PAYLOAD = new Uint8Array(0);

/** A lease without a result. */
export class Held {
  readonly key: string;
  readonly lease: Lease;
  readonly template: TaskTemplate;
  /** msgpack of a `TaskInput`; empty once the evaluator has been started. */
  payload: Uint8Array;
  /** The checkpoint that it goes on from. */
  readonly restore: Restore | undefined;
  /** The ids of its devices: as its master gave them, and from its beginning on those that it has. */
  devices: readonly string[] | undefined;
  state: "queued" | "running" | "finished" = "queued";
  /** These four mean something while it runs. */
  slot = 0;
  startedMs = 0;
  actor: Ref<AttemptMessage> | undefined;
  hasEvaluatorEnded = false;
  /** Why its actor crashed: its end is told once the evaluator has ended too. */
  crash: string | undefined;

  constructor(key: string, assign: Assign, template: TaskTemplate) {
    this.key = key;
    this.lease = { epoch: assign.epoch, task: assign.task, attempt: assign.attempt };
    this.template = template;
    this.payload = assign.payload;
    this.restore = assign.restore;
    this.devices = assign.devices;
  }

  /** Has to wait: lets go of the frame in which the payload came, which may be of megabytes. */
  keepPayload(): void {
    if (this.state === "queued") this.payload = this.payload.slice();
  }

  /** As `register` lists it. */
  listed(nowMs: number): HeldLease {
    const isRunning = this.state === "running";
    return {
      ...this.lease,
      state: isRunning ? "running" : "queued",
      elapsedMs: isRunning ? nowMs - this.startedMs : 0,
      ...(this.restore === undefined ? {} : { checkpoint: this.restore.step }),
      ...(this.devices === undefined || this.devices.length === 0 ? {} : { devices: [...this.devices] }),
    };
  }
}

/** Those that wait for a slot, first come first. Who was taken out elsewhere is passed over. */
export class Line {
  readonly #fifo = new Fifo<Held>();
  #first: Held | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  put(held: Held): void {
    this.#fifo.put(held);
    this.#length += 1;
  }

  /** The first that still waits. */
  first(): Held | undefined {
    if (this.#length === 0) return undefined;
    while (this.#first?.state !== "queued") {
      this.#first = this.#fifo.take();
      if (this.#first === undefined) return undefined;
    }
    return this.#first;
  }

  /** One that stood here goes on to another state. */
  leave(held: Held, state: "running" | "finished"): void {
    held.state = state;
    this.#length -= 1;
    if (this.#length > 0) return;
    this.#first = undefined;
    this.#fifo.clear();
  }
}
