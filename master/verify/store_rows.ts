/**
 * A store's rows in the order in which the checks look at them, one at a time.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { bytesOf, numberOf, numberOrNull, type Row, textOf, textOrNull } from "../store/sqlite/row.ts";

/** An id of the store: it gets a new one where a person accepts that something was lost. */
export interface StoreIdRow {
  readonly id: string;
  /** The first epoch that bears it. */
  readonly firstEpoch: number;
}

/** One life of the cluster. */
export interface EpochRow {
  readonly number: number;
  readonly mark: string;
}

/** A commit, and where each table stood after it. */
export interface CommitRow {
  readonly number: number;
  readonly epoch: number;
  readonly changes: number;
  readonly nextTask: number;
  readonly nextOutcome: number;
  readonly nextEnded: number;
  readonly nextState: number;
}

/** Something that the feed tells: its number in its table, and its place within its commit. */
export interface FactRow {
  readonly fact: number;
  readonly place: number;
}

/** A range of tasks; `group` is null where its group is not there. */
export interface SubmissionRow {
  readonly firstSeq: number;
  readonly groupSeq: number;
  readonly group: string | null;
  readonly first: number;
  readonly count: number;
  readonly hasTrials: boolean;
}

/** An outcome. */
export interface OutcomeRow {
  readonly id: number;
  readonly task: number;
  readonly state: string;
  readonly metrics: string | null;
  readonly cause: string | null;
  readonly message: string | null;
  readonly worker: string;
  readonly epoch: number | null;
  readonly attempt: number | null;
  readonly attempts: number;
  readonly elapsedMs: number;
}

/** An attempt that is open or has ended. */
export interface AttemptRow {
  readonly task: number;
  readonly epoch: number;
  readonly attempt: number;
  /** Why it ended; empty where it is open. */
  readonly cause: string;
}

/** A group's own counters. */
export interface GroupRow {
  readonly seq: number;
  readonly id: string;
  readonly template: Uint8Array;
  readonly counts: GroupCounts;
}

/** What a group counts, or what its rows add up to. */
export type GroupCounts = Readonly<Record<(typeof GROUP_COUNTS)[number], number>>;

const GROUP_COUNTS = [
  "last_number",
  "submitted",
  "completed",
  "failed",
  "cancelled",
  "pruned",
  "told",
  "attempts",
] as const;

/** An experiment. */
export interface ExperimentRow {
  readonly seq: number;
  readonly id: string;
  readonly spec: string;
  readonly state: string;
  readonly reason: string;
  readonly endedAtMs: number | null;
  readonly bestOutcome: number | null;
  readonly groupSeq: number | null;
}

/** A state that an experiment was in. */
export interface StateRow {
  readonly experiment: number;
  readonly state: string;
  readonly reason: string;
}

/** Something that an attempt measured on its way. */
export interface ReportRow extends Omit<AttemptRow, "cause"> {
  readonly step: number;
  readonly metrics: string;
  /** Null in a store whose reports have no numbers. */
  readonly number: number | null;
}

/** One connection's rows; each call begins to read anew. */
export class StoreRows {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The ids that the store has had, the newest last. */
  ids(): StoreIdRow[] {
    const ids = [...this.#each("SELECT * FROM store", (row) => ({
      id: textOf(row.id),
      firstEpoch: row.first_epoch === undefined ? 1 : numberOf(row.first_epoch),
    }))];
    return ids.toSorted((one, other) => one.firstEpoch - other.firstEpoch);
  }

  epochs(): Iterable<EpochRow> {
    return this.#each("SELECT * FROM epochs ORDER BY number", (row) => {
      return { number: numberOf(row.number), mark: textOf(row.mark) };
    });
  }

  commits(): Iterable<CommitRow> {
    return this.#each("SELECT * FROM commits ORDER BY number", (row) => ({
      number: numberOf(row.number),
      epoch: numberOf(row.epoch),
      changes: numberOf(row.changes),
      nextTask: numberOf(row.next_task),
      nextOutcome: numberOf(row.next_outcome),
      nextEnded: numberOf(row.next_ended),
      nextState: numberOf(row.next_state),
    }));
  }

  /** Facts of one of the tables that the feed is made from, in the order of their numbers. */
  facts(table: "submissions" | "outcomes" | "ended_attempts" | "experiment_states"): Iterable<FactRow> {
    const fact = table === "submissions" ? "first_seq" : "id";
    return this.#each(`SELECT ${fact} AS fact, place FROM ${table} ORDER BY ${fact}`, (row) => {
      return { fact: numberOf(row.fact), place: numberOf(row.place) };
    });
  }

  /** In the order of their tasks, or by group and number. */
  submissions(order: "task" | "group"): Iterable<SubmissionRow> {
    const by = order === "task" ? "s.first_seq" : "s.group_seq, s.first";
    const sql =
      `SELECT s.*, g.id AS group_id FROM submissions s LEFT JOIN groups g ON g.seq = s.group_seq ORDER BY ${by}`;
    return this.#each(sql, (row) => ({
      firstSeq: numberOf(row.first_seq),
      groupSeq: numberOf(row.group_seq),
      group: textOrNull(row.group_id),
      first: numberOf(row.first),
      count: numberOf(row.count),
      hasTrials: row.has_trials === 1,
    }));
  }

  /** The numbers of all rows of `tasks` or `trials`. */
  numbers(table: "tasks" | "trials"): Iterable<number> {
    return this.#each(`SELECT seq FROM ${table} ORDER BY seq`, (row) => numberOf(row.seq));
  }

  /** In the order of their tasks. */
  outcomes(): Iterable<OutcomeRow> {
    return this.#each("SELECT * FROM outcomes ORDER BY task", (row) => ({
      id: numberOf(row.id),
      task: numberOf(row.task),
      state: textOf(row.state),
      metrics: textOrNull(row.metrics),
      cause: textOrNull(row.cause),
      message: textOrNull(row.message),
      worker: textOf(row.worker),
      epoch: numberOrNull(row.epoch),
      attempt: numberOrNull(row.attempt),
      attempts: numberOf(row.attempts),
      elapsedMs: numberOf(row.elapsed_ms),
    }));
  }

  /** In the order of their tasks. */
  attempts(table: "open_attempts" | "ended_attempts"): Iterable<AttemptRow> {
    const cause = table === "open_attempts" ? "''" : "cause";
    const sql = `SELECT task, epoch, attempt, ${cause} AS cause FROM ${table} ORDER BY task, epoch, attempt`;
    return this.#each(sql, (row) => ({ ...leaseOf(row), cause: textOf(row.cause) }));
  }

  groups(): Iterable<GroupRow> {
    return this.#each("SELECT * FROM groups ORDER BY seq", (row) => ({
      seq: numberOf(row.seq),
      id: textOf(row.id),
      template: bytesOf(row.template),
      counts: countsOf(row),
    }));
  }

  /** What a group's template is; undefined where there is no such group. */
  template(groupSeq: number): Uint8Array | undefined {
    const row = this.#db.prepare("SELECT template FROM groups WHERE seq = ?").get(groupSeq);
    return row === undefined ? undefined : bytesOf(row.template);
  }

  /** What the rows of each group that has tasks add up to, by group. */
  sums(): Iterable<{ readonly seq: number; readonly counts: GroupCounts }> {
    const sql = `
      SELECT s.group_seq, max(s.first + s.count - 1) AS last_number, sum(s.count) AS submitted,
        sum(x.completed) AS completed, sum(x.failed) AS failed, sum(x.cancelled) AS cancelled,
        sum(x.pruned) AS pruned, sum(x.told) AS told, sum(x.attempts) AS attempts
      FROM submissions s JOIN (
        SELECT i.first_seq, i.has_trials * count(o.id) AS told, coalesce(sum(o.attempts), 0) AS attempts,
          ${countOf("completed")}, ${countOf("failed")}, ${countOf("cancelled")}, ${countOf("pruned")}
        FROM submissions i LEFT JOIN outcomes o ON o.task >= i.first_seq AND o.task < i.first_seq + i.count
        GROUP BY i.first_seq
      ) x ON x.first_seq = s.first_seq
      GROUP BY s.group_seq ORDER BY s.group_seq`;
    return this.#each(sql, (row) => ({ seq: numberOf(row.group_seq), counts: countsOf(row) }));
  }

  experiments(): Iterable<ExperimentRow> {
    const sql =
      "SELECT e.*, g.seq AS group_seq FROM experiments e LEFT JOIN groups g ON g.id = e.id ORDER BY e.seq";
    return this.#each(sql, (row) => ({
      seq: numberOf(row.seq),
      id: textOf(row.id),
      spec: textOf(row.spec),
      state: textOf(row.state),
      reason: textOf(row.reason),
      endedAtMs: numberOrNull(row.ended_at_ms),
      bestOutcome: numberOrNull(row.best_outcome),
      groupSeq: numberOrNull(row.group_seq),
    }));
  }

  /** By experiment, in the order in which they were stored. */
  states(): Iterable<StateRow> {
    return this.#each("SELECT * FROM experiment_states ORDER BY experiment, id", (row) => ({
      experiment: numberOf(row.experiment),
      state: textOf(row.state),
      reason: textOf(row.reason),
    }));
  }

  /** In the order of their tasks and attempts, each curve in the order of its numbers, or of its steps. */
  reports(): Iterable<ReportRow> {
    const hasNumbers = this.#db.prepare("SELECT 1 FROM pragma_table_info('reports') WHERE name = 'number'")
      .get() !== undefined;
    const sql = `SELECT *${hasNumbers ? "" : ", NULL AS number"} FROM reports
      ORDER BY task, epoch, attempt, ${hasNumbers ? "number" : "step"}`;
    return this.#each(sql, (row) => ({
      ...leaseOf(row),
      step: numberOf(row.step),
      metrics: textOf(row.metrics),
      number: numberOrNull(row.number),
    }));
  }

  *#each<T>(sql: string, read: (row: Row) => T, ...values: SQLInputValue[]): Generator<T> {
    for (const row of this.#db.prepare(sql).iterate(...values)) yield read(row);
  }
}

function countOf(state: string): string {
  return `coalesce(sum(o.state = '${state}'), 0) AS ${state}`;
}

function countsOf(row: Row): GroupCounts {
  const count = (name: (typeof GROUP_COUNTS)[number]) => numberOf(row[name]);
  return {
    last_number: count("last_number"),
    submitted: count("submitted"),
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled"),
    pruned: count("pruned"),
    told: count("told"),
    attempts: count("attempts"),
  };
}

function leaseOf(row: Row): { readonly task: number; readonly epoch: number; readonly attempt: number } {
  return { task: numberOf(row.task), epoch: numberOf(row.epoch), attempt: numberOf(row.attempt) };
}
