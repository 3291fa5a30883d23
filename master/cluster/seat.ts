/**
 * A seat: a worker as placement sees it, for the length of one turn.
 *
 * @module
 */
import type { Resources } from "../../shared/model/resources.ts";
import type { WorkerView } from "../scheduling/placement.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** An available worker. */
export class Seat implements WorkerView {
  readonly record: WorkerRecord;
  readonly id: string;
  readonly slots: number;
  readonly executors: ReadonlySet<string>;

  constructor(record: WorkerRecord) {
    this.record = record;
    this.id = record.id;
    // On probation one attempt at a time.
    this.slots = record.probation === undefined ? record.slots : 1;
    this.executors = record.executors;
  }

  get held(): number {
    return this.record.attempts.size;
  }

  get free(): Resources {
    return this.record.free;
  }

  /** Slots that nothing was given to. */
  get idle(): number {
    return Math.max(0, this.slots - this.held);
  }
}

/** Slots of all seats that nothing was given to. */
export function idleSlots(seats: readonly Seat[]): number {
  return seats.reduce((sum, seat) => sum + seat.idle, 0);
}
