/**
 * Changes as the store's thread takes them: ids taken apart, metrics as the JSON that is stored.
 *
 * @module
 */
import { EXPERIMENT_STATES, type ExperimentState } from "../../../shared/model/experiment.ts";
import { taskParts } from "../../../shared/model/ids.ts";
import { type Outcome, OUTCOME_STATES, type OutcomeState } from "../../../shared/model/outcome.ts";
import type { Lease } from "../../../shared/model/task.ts";
import type { StoreChange } from "../store.ts";
import {
  packReport,
  packRestore,
  type RowReport,
  type RowRestore,
  unpackReport,
  unpackRestore,
} from "./packed_reports.ts";
import { type Packed, Packer, Unpacker } from "./packing.ts";

/** A lease as it is stored. */
export interface RowLease {
  readonly group: string;
  readonly number: number;
  readonly epoch: string;
  readonly attempt: number;
}

/** A trial as it is stored: its parents as JSON. */
export interface RowTrial {
  readonly candidate: string;
  readonly hash: string;
  readonly parents: string;
  readonly toldBefore: number;
}

/** A submission as it is stored. */
export interface RowSubmission {
  readonly type: "tasks_submitted";
  readonly group: string;
  readonly first: number;
  readonly payloads: readonly Uint8Array<ArrayBuffer>[];
  readonly trials: readonly RowTrial[] | undefined;
  readonly atMs: number;
}

/** An outcome as it is stored. */
export interface RowOutcome {
  readonly type: "outcome";
  readonly group: string;
  readonly number: number;
  /** Empty where no attempt led to it. */
  readonly epoch: string;
  readonly attempt: number;
  readonly worker: string;
  readonly state: OutcomeState;
  readonly metrics: string | null;
  readonly cause: string | null;
  readonly message: string | null;
  readonly stack: string | null;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly atMs: number;
  readonly keepCheckpoint: boolean;
}

/** One change for the thread. */
export type RowChange =
  | {
    readonly type: "command";
    readonly id: string;
    readonly reply: Uint8Array<ArrayBuffer>;
    readonly changes: readonly RowChange[];
  }
  | {
    readonly type: "group_added";
    readonly group: string;
    readonly template: Uint8Array<ArrayBuffer>;
    readonly code: string | null;
  }
  | RowSubmission
  | {
    readonly type: "attempt_opened";
    readonly lease: RowLease;
    readonly worker: string;
    readonly incarnation: string;
    readonly atMs: number;
    readonly continues: RowRestore | undefined;
  }
  | {
    readonly type: "attempt_ended";
    readonly lease: RowLease;
    readonly worker: string;
    readonly cause: string;
    readonly message: string;
    readonly atMs: number;
    readonly final: boolean;
  }
  | RowOutcome
  | {
    readonly type: "experiment_added";
    readonly experiment: string;
    readonly name: string;
    readonly spec: string;
    readonly atMs: number;
  }
  | {
    readonly type: "experiment_state";
    readonly experiment: string;
    readonly state: ExperimentState;
    readonly reason: string;
    readonly atMs: number;
  }
  | {
    readonly type: "reports";
    readonly lease: RowLease;
    readonly reports: readonly RowReport[];
    readonly keep: number | undefined;
  };

const TYPES = [
  "command",
  "group_added",
  "tasks_submitted",
  "attempt_opened",
  "attempt_ended",
  "outcome",
  "experiment_added",
  "experiment_state",
  "reports",
] as const satisfies readonly StoreChange["type"][];
const TYPE_CODES = new Map<StoreChange["type"], number>(TYPES.map((type, code) => [type, code]));

/** Packs a batch. */
export function packChanges(changes: readonly StoreChange[]): Packed {
  const packer = new Packer();
  for (const change of changes) packChange(packer, change);
  return packer.finish();
}

/** Unpacks a batch. */
export function unpackChanges(packed: Packed): readonly RowChange[] {
  const unpacker = new Unpacker(packed);
  const changes: RowChange[] = [];
  while (!unpacker.isAtEnd) changes.push(unpackChange(unpacker));
  return changes;
}

function packChange(to: Packer, change: StoreChange): void {
  to.number(TYPE_CODES.get(change.type) ?? -1);
  switch (change.type) {
    case "command":
      to.text(change.id);
      to.bytes(change.reply);
      to.number(change.changes.length);
      for (const each of change.changes) packChange(to, each);
      return;
    case "group_added":
      to.name(change.group);
      to.name(change.code ?? "");
      return to.bytes(change.template);
    case "tasks_submitted":
      return packSubmission(to, change);
    case "attempt_opened":
      packLease(to, change.lease);
      to.name(change.worker);
      to.name(change.incarnation);
      to.number(change.atMs);
      return packRestore(to, change.continues);
    case "attempt_ended":
      packLease(to, change.lease);
      to.name(change.worker);
      to.name(change.cause);
      to.name(storable(change.message));
      to.number(change.atMs);
      return to.number(change.final === true ? 1 : 0);
    case "outcome":
      return packOutcome(to, change);
    case "experiment_added":
      to.name(change.experiment);
      to.text(storable(change.name));
      to.text(change.spec);
      return to.number(change.atMs);
    case "experiment_state":
      to.name(change.experiment);
      to.number(EXPERIMENT_STATES.indexOf(change.state));
      to.text(storable(change.reason));
      return to.number(change.atMs);
    case "reports":
      packLease(to, change.lease);
      to.number(change.keep ?? -1);
      to.number(change.reports.length);
      for (const report of change.reports) packReport(to, report);
  }
}

function unpackChange(from: Unpacker): RowChange {
  const type = TYPES[from.number()];
  if (type === undefined) throw new RangeError("a change of a type that this thread does not know");
  switch (type) {
    case "command":
      return { type, id: from.text(), reply: from.bytes(), changes: list(from, unpackChange) };
    case "group_added":
      return { type, group: from.text(), code: from.text() || null, template: from.bytes() };
    case "tasks_submitted":
      return unpackSubmission(from);
    case "attempt_opened": {
      const lease = unpackLease(from);
      const [worker, incarnation, atMs] = [from.text(), from.text(), from.number()];
      return { type, lease, worker, incarnation, atMs, continues: unpackRestore(from) };
    }
    case "attempt_ended": {
      const lease = unpackLease(from);
      return {
        type,
        lease,
        worker: from.text(),
        cause: from.text(),
        message: from.text(),
        atMs: from.number(),
        final: from.number() === 1,
      };
    }
    case "outcome":
      return unpackOutcome(from);
    case "experiment_added":
      return { type, experiment: from.text(), name: from.text(), spec: from.text(), atMs: from.number() };
    case "experiment_state": {
      const experiment = from.text();
      const state = EXPERIMENT_STATES[from.number()] ?? "broken";
      return { type, experiment, state, reason: from.text(), atMs: from.number() };
    }
    case "reports": {
      const lease = unpackLease(from);
      const keep = from.number();
      return { type, lease, keep: keep < 0 ? undefined : keep, reports: list(from, unpackReport) };
    }
  }
}

function packSubmission(to: Packer, change: Extract<StoreChange, { type: "tasks_submitted" }>): void {
  to.name(change.group);
  to.number(change.first);
  to.number(change.atMs);
  to.number(change.payloads.length);
  for (const payload of change.payloads) to.bytes(payload);
  to.number(change.trials === undefined ? -1 : change.trials.length);
  for (const trial of change.trials ?? []) {
    to.text(trial.candidate);
    to.text(trial.hash);
    to.name(JSON.stringify(trial.parents));
    to.number(trial.toldBefore);
  }
}

function unpackSubmission(from: Unpacker): RowSubmission {
  const group = from.text();
  const first = from.number();
  const atMs = from.number();
  const payloads = list(from, () => from.bytes());
  const count = from.number();
  const trials = count < 0 ? undefined : Array.from({ length: count }, () => ({
    candidate: from.text(),
    hash: from.text(),
    parents: from.text(),
    toldBefore: from.number(),
  }));
  return { type: "tasks_submitted", group, first, atMs, payloads, trials };
}

function packOutcome(to: Packer, change: Extract<StoreChange, { type: "outcome" }>): void {
  const { group, number } = taskParts(change.task);
  const { outcome, lease } = change;
  to.name(group);
  to.number(number);
  to.name(lease?.epoch ?? "");
  to.number(lease?.attempt ?? 0);
  to.name(change.worker);
  to.number(change.attempts);
  to.number(change.elapsedMs);
  to.number(change.atMs);
  to.number(change.keepCheckpoint === true ? 1 : 0);
  to.number(OUTCOME_STATES.indexOf(outcome.state));
  if (outcome.state === "completed" || outcome.state === "pruned") to.text(JSON.stringify(outcome.metrics));
  if (outcome.state === "failed") packFailure(to, outcome);
}

function packFailure(to: Packer, outcome: Extract<Outcome, { state: "failed" }>): void {
  to.name(outcome.cause);
  to.name(storable(outcome.message));
  to.number(outcome.stack === undefined ? 0 : 1);
  if (outcome.stack !== undefined) to.name(storable(outcome.stack));
}

function unpackOutcome(from: Unpacker): RowOutcome {
  const head = {
    type: "outcome" as const,
    group: from.text(),
    number: from.number(),
    epoch: from.text(),
    attempt: from.number(),
    worker: from.text(),
    attempts: from.number(),
    elapsedMs: from.number(),
    atMs: from.number(),
    keepCheckpoint: from.number() === 1,
  };
  const state = OUTCOME_STATES[from.number()] ?? "cancelled";
  const nothing = { metrics: null, cause: null, message: null, stack: null };
  if (state === "cancelled") return { ...head, state, ...nothing };
  if (state !== "failed") return { ...head, state, ...nothing, metrics: from.text() };
  const cause = from.text();
  const message = from.text();
  const stack = from.number() === 1 ? from.text() : null;
  return { ...head, state, metrics: null, cause, message, stack };
}

function packLease(to: Packer, lease: Lease): void {
  const { group, number } = taskParts(lease.task);
  to.name(group);
  to.number(number);
  to.name(lease.epoch);
  to.number(lease.attempt);
}

function unpackLease(from: Unpacker): RowLease {
  return { group: from.text(), number: from.number(), epoch: from.text(), attempt: from.number() };
}

function list<T>(from: Unpacker, read: (from: Unpacker) => T): T[] {
  const length = from.number();
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(read(from));
  return items;
}

/** SQLite gives texts back only up to their first NUL. */
function storable(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\u2400") : text;
}
