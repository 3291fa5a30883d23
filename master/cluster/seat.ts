/**
 * A seat: a worker as placement sees it, for the length of one turn.
 *
 * @module
 */
import type { DeviceBooks } from "../../shared/model/device_books.ts";
import {
  addResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from "../../shared/model/resources.ts";
import type { Reserved, WorkerView } from "../scheduling/placement.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** An available worker. */
export class Seat implements WorkerView {
  readonly record: WorkerRecord;
  readonly id: string;
  readonly slots: number;
  readonly executors: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  readonly timeLeftMs: number;
  /** For whom it is kept. */
  reserved: Reserved | undefined;
  #promised = 0;
  #promisedResources: Resources = NO_RESOURCES;
  /** Where devices were promised: the books as if those were drawn. */
  #devices: DeviceBooks | undefined;

  /** @param nowMs on the cluster's monotonic clock */
  constructor(record: WorkerRecord, nowMs: number) {
    this.record = record;
    this.id = record.id;
    // On probation one attempt at a time.
    this.slots = record.probation === undefined ? record.slots : 1;
    this.executors = record.executors;
    this.labels = record.labels;
    this.timeLeftMs = record.leavesAtMs - nowMs;
  }

  /** Attempts that it has, and slots that were promised to experiments. */
  get held(): number {
    return this.record.attempts.size + this.#promised;
  }

  get free(): Resources {
    return this.#promised === 0
      ? this.record.free
      : subtractResources(this.record.free, this.#promisedResources);
  }

  /** What is free of its devices, but for what was promised. */
  get devices(): DeviceBooks {
    return this.#devices ?? this.record.devices.books;
  }

  /** Slots that nothing was given to. */
  get idle(): number {
    return Math.max(0, this.slots - this.held);
  }

  /** Keeps a slot for a trial that is on its way. */
  promise(resources: Resources): void {
    this.#promised += 1;
    this.#promisedResources = addResources(this.#promisedResources, resources);
    if (resources.gpus === 0) return;
    this.#devices ??= this.record.devices.books.copy();
    this.#devices.draw(this.#devices.choose(resources) ?? [], resources);
  }

  /** These devices were given out, by the worker's own books. */
  drew(devices: readonly string[], need: Resources): void {
    this.#devices?.draw(devices, need);
  }
}

/** Slots of all seats that nothing was given to. */
export function idleSlots(seats: readonly Seat[]): number {
  return seats.reduce((sum, seat) => sum + seat.idle, 0);
}
