/**
 * A store's rows about checkpoints and files, one at a time.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { REPORT_OF } from "../store/sqlite/report_of.ts";
import { numberOf, numberOrNull, type Row, textOf } from "../store/sqlite/row.ts";

/** An attempt that goes on from a checkpoint of another one. */
export interface ContinuedRow {
  readonly task: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly fromEpoch: number;
  readonly fromAttempt: number;
  readonly step: number;
  /** The step that the other one goes on from itself; null where it began at the beginning. */
  readonly fromAbove: number | null;
  /** Whether the other one saved a checkpoint of this step, by a report that counted. */
  readonly isSaved: boolean;
}

/** The checkpoints that are kept of a task. */
export interface KeptRow {
  readonly task: number;
  readonly count: number;
  /** How many of them no report tells of. */
  readonly untold: number;
  readonly hasOutcome: boolean;
  /** Null where the task is of no group. */
  readonly groupSeq: number | null;
}

/** A file that an attempt kept. */
export interface FileRow {
  readonly task: number;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Of table `x`: whether a report tells of a checkpoint of that attempt and step, and its lease had not been given up. */
const told = (epoch: string, attempt: string) => `
  EXISTS (SELECT 1 FROM reports r WHERE r.task = x.task AND r.epoch = x.${epoch} AND r.attempt = x.${attempt}
    AND r.step = x.step AND r.tells_of & ${
  REPORT_OF.checkpoint | REPORT_OF.lease_given_up
} = ${REPORT_OF.checkpoint})`;

const CONTINUED = `
  SELECT x.*, f.step AS from_above, ${told("from_epoch", "from_attempt")} AS is_saved FROM continued x
    LEFT JOIN continued f ON f.task = x.task AND f.epoch = x.from_epoch AND f.attempt = x.from_attempt
  ORDER BY x.task, x.epoch, x.attempt`;

const KEPT = `
  SELECT x.task, count(*) AS count, sum(NOT ${told("epoch", "attempt")}) AS untold,
    EXISTS (SELECT 1 FROM outcomes o WHERE o.task = x.task) AS has_outcome,
    (SELECT s.group_seq FROM submissions s WHERE s.first_seq <= x.task AND x.task < s.first_seq + s.count
      ORDER BY s.first_seq DESC LIMIT 1) AS group_seq
  FROM checkpoints x GROUP BY x.task ORDER BY x.task`;

/** One connection's rows; each call begins to read anew. */
export class CheckpointRows {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  continued(): Iterable<ContinuedRow> {
    return this.#each(CONTINUED, (row) => ({
      task: numberOf(row.task),
      epoch: numberOf(row.epoch),
      attempt: numberOf(row.attempt),
      fromEpoch: numberOf(row.from_epoch),
      fromAttempt: numberOf(row.from_attempt),
      step: numberOf(row.step),
      fromAbove: numberOrNull(row.from_above ?? null),
      isSaved: row.is_saved === 1,
    }));
  }

  /** By task. */
  kept(): Iterable<KeptRow> {
    return this.#each(KEPT, (row) => ({
      task: numberOf(row.task),
      count: numberOf(row.count),
      untold: numberOf(row.untold),
      hasOutcome: row.has_outcome === 1,
      groupSeq: numberOrNull(row.group_seq ?? null),
    }));
  }

  files(): Iterable<FileRow> {
    return this.#each("SELECT task, name, sha256, bytes FROM files", (row) => ({
      task: numberOf(row.task),
      name: textOf(row.name),
      sha256: textOf(row.sha256),
      bytes: numberOf(row.bytes),
    }));
  }

  *#each<T>(sql: string, read: (row: Row) => T): Generator<T> {
    for (const row of this.#db.prepare(sql).iterate()) yield read(row);
  }
}
