/**
 * A seat: a worker as placement sees it, for the length of one turn.
 *
 * @module
 */
import { NO_RESOURCES, type Resources } from "../../shared/model/resources.ts";
import { addResources, subtractResources } from "../../shared/model/resources.ts";
import type { Reserved, WorkerView } from "../scheduling/placement.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** An available worker. */
export class Seat implements WorkerView {
  readonly record: WorkerRecord;
  readonly id: string;
  readonly slots: number;
  readonly executors: ReadonlySet<string>;
  /** For whom it is kept. */
  reserved: Reserved | undefined;
  #promised = 0;
  #promisedResources: Resources = NO_RESOURCES;

  constructor(record: WorkerRecord) {
    this.record = record;
    this.id = record.id;
    // On probation one attempt at a time.
    this.slots = record.probation === undefined ? record.slots : 1;
    this.executors = record.executors;
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

  /** Slots that nothing was given to. */
  get idle(): number {
    return Math.max(0, this.slots - this.held);
  }

  /** Keeps a slot for a trial that is on its way. */
  promise(resources: Resources): void {
    this.#promised += 1;
    this.#promisedResources = addResources(this.#promisedResources, resources);
  }
}

/** Slots of all seats that nothing was given to. */
export function idleSlots(seats: readonly Seat[]): number {
  return seats.reduce((sum, seat) => sum + seat.idle, 0);
}
