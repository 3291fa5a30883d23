/**
 * Answers what attempts reported and kept: curves, files, checkpoints, and which artifacts are needed.
 *
 * @module
 */
import type { SQLInputValue } from "node:sqlite";
import { type Epoch, groupId, type TaskId, taskId, taskParts } from "../../../shared/model/ids.ts";
import { type ContinuedFrom, pageOf, rangesUpTo, type StepRange } from "../curve_parts.ts";
import { rowLimit } from "../limits.ts";
import type { ContinuedAttempt, OpenCheckpoint, Queries, StoredCheckpoint, StoredReport } from "../store.ts";
import { metricsOf, numberOf, numberOrNull, type Row, textOf } from "./row.ts";

type Ask<K extends keyof Queries> = Queries[K]["ask"];
type Answer<K extends keyof Queries> = Queries[K]["answer"];

/** Runs a statement, which is prepared once. */
export type Select = (sql: string, ...values: SQLInputValue[]) => readonly Row[];

/** Where a task stands, and what is known of its outcome: `?1` is its group's id, `?2` its number. */
export const OUTCOME = `
  SELECT s.first_seq + ?2 - s.first AS seq, o.state, o.attempt, o.epoch FROM groups g
    JOIN submissions s ON s.group_seq = g.seq
      AND s.first = (SELECT max(first) FROM submissions WHERE group_seq = g.seq AND first <= ?2)
    LEFT JOIN outcomes o ON o.task = s.first_seq + ?2 - s.first
  WHERE g.id = ?1 AND ?2 < s.first + s.count`;

const NEWEST_REPORTER = `
  SELECT epoch, attempt FROM
    (SELECT * FROM (SELECT epoch, attempt FROM reports WHERE task = ?1 ORDER BY epoch DESC, attempt DESC LIMIT 1)
     UNION ALL
     SELECT * FROM (SELECT epoch, attempt FROM continued WHERE task = ?1 ORDER BY epoch DESC, attempt DESC LIMIT 1))
  ORDER BY epoch DESC, attempt DESC LIMIT 1`;

const CONTINUED = `
  SELECT from_epoch AS epoch, from_attempt AS attempt, step FROM continued
  WHERE task = ? AND epoch = ? AND attempt = ?`;

const MEASURED = `
  FROM reports WHERE task = ? AND epoch = ? AND attempt = ? AND tells_of = 0 AND step > ? AND step <= ?`;

const KEEPER = `
  SELECT epoch, attempt FROM files WHERE task = ?1 AND (?2 IS NULL OR attempt = ?2)
  ORDER BY epoch DESC, attempt DESC LIMIT 1`;

const FILES = `
  SELECT name, sha256, bytes FROM files WHERE task = ? AND epoch = ? AND attempt = ? AND name > ?
  ORDER BY name LIMIT ?`;

const IS_USED = `
  SELECT EXISTS (SELECT 1 FROM checkpoints WHERE sha256 = ?1)
    OR EXISTS (SELECT 1 FROM files WHERE sha256 = ?1)
    OR EXISTS (SELECT 1 FROM groups WHERE code = ?1)
    OR EXISTS (SELECT 1 FROM continued c JOIN open_attempts a
      ON a.task = c.task AND a.epoch = c.epoch AND a.attempt = c.attempt WHERE c.sha256 = ?1) AS is_used`;

const NAMED = `
  JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= x.task)
  JOIN groups g ON g.seq = s.group_seq
  WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.task = x.task)`;
const NAME = "g.id AS group_id, s.first + x.task - s.first_seq AS number";

/** Above every step. */
const NO_END = Number.MAX_VALUE;

/** An attempt by its epoch's number. */
interface Numbered {
  readonly epoch: number;
  readonly attempt: number;
}

/** Queries over one connection for what attempts reported and kept. */
export class KeptReader {
  readonly #select: Select;
  readonly #epochs: readonly Epoch[];

  /** @param epochs every epoch, in order; those under earlier ids of the store too */
  constructor(select: Select, epochs: readonly Epoch[]) {
    this.#select = select;
    this.#epochs = epochs;
  }

  curve({ task, after, limit }: Ask<"curve">): Answer<"curve"> {
    const found = this.#find(task);
    if (found === undefined) return { known: false, lease: null, parts: [], reports: [] };
    const seq = numberOf(found.seq);
    const [by] = found.state === null ? this.#select(NEWEST_REPORTER, seq) : [found];
    const last = attemptOf(by);
    const epoch = this.#epoch(last?.epoch);
    if (last === undefined || epoch === undefined) {
      return { known: true, lease: null, parts: [], reports: [] };
    }
    const ranges = rangesUpTo(last, (attempt) => this.#continuedFrom(seq, attempt));
    const reports = pageOf(ranges, after, rowLimit(limit), {
      count: (range) =>
        numberOf(this.#select(`SELECT count(*) AS count ${MEASURED}`, ...within(seq, range))[0]?.count),
      read: (range, offset, most) => {
        const sql = `SELECT number, step, metrics ${MEASURED} ORDER BY number LIMIT ? OFFSET ?`;
        return this.#select(sql, ...within(seq, range), most, offset).map(storedReport);
      },
    });
    const parts = ranges.flatMap(({ epoch: place, attempt, above }) => {
      const named = this.#epoch(place);
      return named === undefined ? [] : [{ epoch: named, attempt, above }];
    });
    return { known: true, lease: { epoch, task, attempt: last.attempt }, parts, reports };
  }

  files({ task, attempt, after, limit }: Ask<"files">): Answer<"files"> {
    const found = this.#find(task);
    if (found === undefined) return { known: false, lease: null, files: [], checkpoints: [] };
    const seq = numberOf(found.seq);
    const recorded = attempt === null ? attemptOf(found) : undefined;
    const of = recorded ?? attemptOf(this.#select(KEEPER, seq, attempt)[0]);
    const epoch = this.#epoch(of?.epoch);
    const files = of === undefined
      ? []
      : this.#select(FILES, seq, of.epoch, of.attempt, after, rowLimit(limit));
    return {
      known: true,
      lease: of === undefined || epoch === undefined ? null : { epoch, task, attempt: of.attempt },
      files: files.map((row) => ({ name: textOf(row.name), ...artifact(row) })),
      checkpoints: this.#select("SELECT * FROM checkpoints WHERE task = ? ORDER BY step DESC, id DESC", seq)
        .flatMap((row) => this.#checkpoint(row)),
    };
  }

  artifactsUsed({ hashes }: Ask<"artifacts_used">): Answer<"artifacts_used"> {
    return { used: hashes.filter((hash) => this.#select(IS_USED, hash)[0]?.is_used === 1) };
  }

  /** The highest checkpoint of each task without outcome. */
  openCheckpoints(): readonly OpenCheckpoint[] {
    const highest = new Map<TaskId, OpenCheckpoint>();
    for (
      const row of this.#select(`SELECT x.*, ${NAME} FROM checkpoints x ${NAMED} ORDER BY x.task, step, x.id`)
    ) {
      const task = taskOf(row);
      for (const checkpoint of this.#checkpoint(row)) highest.set(task, { task, ...checkpoint });
    }
    return [...highest.values()];
  }

  /** Which attempts of tasks without outcome go on from a checkpoint. @param firstEpoch of the store's present id */
  continuedAttempts(firstEpoch: number): readonly ContinuedAttempt[] {
    const sql = `SELECT x.*, ${NAME} FROM continued x ${NAMED} AND x.epoch >= ?`;
    return this.#select(sql, firstEpoch).flatMap((row) => {
      const epoch = this.#epoch(numberOf(row.epoch));
      if (epoch === undefined) return [];
      return [{
        lease: { epoch, task: taskOf(row), attempt: numberOf(row.attempt) },
        step: numberOf(row.step),
      }];
    });
  }

  #find(task: TaskId): Row | undefined {
    const { group, number } = taskParts(task);
    return this.#select(OUTCOME, group, number)[0];
  }

  #epoch(number: number | undefined): Epoch | undefined {
    return number === undefined ? undefined : this.#epochs[number - 1];
  }

  #continuedFrom(task: number, { epoch, attempt }: Numbered): ContinuedFrom<number> | undefined {
    const [row] = this.#select(CONTINUED, task, epoch, attempt);
    const from = attemptOf(row);
    return from === undefined ? undefined : { ...from, step: numberOf(row?.step) };
  }

  #checkpoint(row: Row): StoredCheckpoint[] {
    const epoch = this.#epoch(numberOf(row.epoch));
    if (epoch === undefined) return [];
    return [{ epoch, attempt: numberOf(row.attempt), step: numberOf(row.step), ...artifact(row) }];
  }
}

function within(task: number, range: StepRange<number>): SQLInputValue[] {
  return [task, range.epoch, range.attempt, range.above ?? -1, Math.min(range.upTo, NO_END)];
}

function attemptOf(row: Row | undefined): Numbered | undefined {
  const [epoch, attempt] = [numberOrNull(row?.epoch ?? null), numberOrNull(row?.attempt ?? null)];
  return epoch === null || attempt === null ? undefined : { epoch, attempt };
}

function artifact(row: Row): { readonly sha256: string; readonly bytes: number } {
  return { sha256: textOf(row.sha256), bytes: numberOf(row.bytes) };
}

function taskOf(row: Row): TaskId {
  return taskId(groupId(textOf(row.group_id)), numberOf(row.number));
}

function storedReport(row: Row): StoredReport {
  return {
    number: numberOf(row.number),
    step: numberOf(row.step),
    metrics: metricsOf(textOf(row.metrics)),
  };
}
