/**
 * What waits for the store, in order: requests to commit and requests to recover.
 *
 * Promise: one batch holds as many requests as its limits allow, and never part of one; a recovery is never overtaken.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { StoreAnswer } from "./messages.ts";
import type { StoreChange } from "./store.ts";

/** Rows in one transaction: about 100 ms of writing, which is what a commit behind it waits. */
export const BATCH_ROWS_MAX = 10_000;
/** Bytes in one transaction. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;
/** Rows that may wait before new work is refused. */
export const WAITING_ROWS_MAX = 200_000;
/** Bytes that may wait before new work is refused: they stand in the master's memory. */
export const WAITING_BYTES_MAX = 256 * 1024 * 1024;
/** Once refused, new work is taken again below this part of the limits, so that the answer does not flap. */
const CALM_PART = 0.5;
/** What a change takes besides its payloads. */
const CHANGE_BYTES = 200;

/** A request to make changes durable. */
export interface CommitRequest {
  readonly type: "commit";
  readonly from: Ref<StoreAnswer>;
  readonly token: number;
  readonly changes: readonly StoreChange[];
}

/** A request for a new epoch. */
export interface RecoverRequest {
  readonly type: "recover";
  readonly from: Ref<StoreAnswer>;
  /** And for a new id of the store: see `OpenOptions`. */
  readonly renew?: boolean;
}

/** Requests that share one transaction. */
export interface Batch {
  readonly type: "batch";
  readonly requests: readonly CommitRequest[];
  /** All their changes in order: the same array each time that it is applied. */
  readonly changes: readonly StoreChange[];
  readonly size: Size;
}

interface Size {
  readonly rows: number;
  readonly bytes: number;
}

type Waiting =
  | { readonly request: CommitRequest; readonly size: Size }
  | { readonly request: RecoverRequest; readonly size: undefined };

/** The queue before the store. */
export class CommitQueue {
  #waiting: Waiting[] = [];
  #rows = 0;
  #bytes = 0;
  #isOverfull = false;

  /** Rows that are not answered yet, those of the batch in flight included. */
  get rows(): number {
    return this.#rows;
  }

  /** Whether more waits than should. */
  get isOverfull(): boolean {
    return this.#isOverfull;
  }

  push(request: CommitRequest | RecoverRequest): void {
    if (request.type === "recover") {
      this.#waiting.push({ request, size: undefined });
      return;
    }
    const size = sizeOf(request.changes);
    this.#waiting.push({ request, size });
    this.#count(size, 1);
  }

  /** What is to be done next; a batch is counted until `settle`. */
  take(): Batch | RecoverRequest | undefined {
    const first = this.#waiting[0];
    if (first === undefined) return undefined;
    if (first.size === undefined) {
      this.#waiting.shift();
      return first.request;
    }
    const requests: CommitRequest[] = [];
    let rows = 0;
    let bytes = 0;
    for (const { request, size } of this.#waiting) {
      if (size === undefined) break;
      const isTooMuch = rows + size.rows > BATCH_ROWS_MAX || bytes + size.bytes > BATCH_BYTES_MAX;
      if (isTooMuch && requests.length > 0) break;
      requests.push(request);
      rows += size.rows;
      bytes += size.bytes;
    }
    this.#waiting = this.#waiting.slice(requests.length);
    return { type: "batch", requests, changes: changesOfAll(requests), size: { rows, bytes } };
  }

  /** A batch that was taken has been answered. */
  settle(batch: Batch): void {
    this.#count(batch.size, -1);
  }

  #count(size: Size, sign: 1 | -1): void {
    this.#rows += sign * size.rows;
    this.#bytes += sign * size.bytes;
    const part = this.#isOverfull ? CALM_PART : 1;
    this.#isOverfull = this.#rows > WAITING_ROWS_MAX * part || this.#bytes > WAITING_BYTES_MAX * part;
  }
}

function changesOfAll(requests: readonly CommitRequest[]): readonly StoreChange[] {
  const [first] = requests;
  if (requests.length === 1 && first !== undefined) return first.changes;
  return requests.flatMap((request) => request.changes);
}

function sizeOf(changes: readonly StoreChange[]): Size {
  let rows = 0;
  let bytes = 0;
  for (const change of changes) {
    const size = sizeOfChange(change);
    rows += size.rows;
    bytes += size.bytes;
  }
  return { rows, bytes };
}

function sizeOfChange(change: StoreChange): Size {
  switch (change.type) {
    case "command": {
      const nested = sizeOf(change.changes);
      return { rows: nested.rows + 1, bytes: nested.bytes + CHANGE_BYTES + change.reply.byteLength };
    }
    case "tasks_submitted": {
      let bytes = CHANGE_BYTES;
      for (const payload of change.payloads) bytes += payload.byteLength + CHANGE_BYTES;
      for (const trial of change.trials ?? []) bytes += trial.candidate.length;
      return { rows: change.payloads.length + 1, bytes };
    }
    case "group_added":
      return { rows: 1, bytes: CHANGE_BYTES + change.template.byteLength };
    case "experiment_added":
      return { rows: 1, bytes: CHANGE_BYTES + change.spec.length };
    case "reports":
      return { rows: change.reports.length + 1, bytes: CHANGE_BYTES * (change.reports.length + 1) };
    case "attempt_opened":
    case "attempt_ended":
    case "outcome":
    case "experiment_state":
      return { rows: 1, bytes: CHANGE_BYTES };
  }
}
