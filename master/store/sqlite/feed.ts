/**
 * What commits told the feed, made again from the tables: no log is kept beside them.
 *
 * Promise: agrees with `changesOf` (changes_of.ts), change by change.
 *
 * @module
 */
import type { SQLInputValue } from "node:sqlite";
import type { Change } from "../../../shared/model/change.ts";
import { EXPERIMENT_STATES } from "../../../shared/model/experiment.ts";
import { groupId, type TaskId, taskId } from "../../../shared/model/ids.ts";
import type { AttemptEndCause, FailureCause, Outcome } from "../../../shared/model/outcome.ts";
import { endedChange } from "../changes_of.ts";
import { rowLimit } from "../limits.ts";
import type { Queries } from "../store.ts";
import { metricsOf, numberOf, type Row, textOf } from "./row.ts";

type Select = (sql: string, ...values: SQLInputValue[]) => readonly Row[];

/** A table of facts: how its rows between two marks are read, and which change one is. */
interface Table {
  readonly mark: "next_task" | "next_outcome" | "next_ended" | "next_state";
  readonly sql: string;
  readonly change: (row: Row) => Change;
}

/** Adds the name of the task of a row of table `x`. */
const TASK_OF = `
  JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= x.task)
  JOIN groups g ON g.seq = s.group_seq`;
const TASK_COLUMNS = "g.id AS group_id, s.first + x.task - s.first_seq AS number";

const TABLES: readonly Table[] = [
  {
    mark: "next_task",
    sql: `SELECT s.first_seq AS fact, s.place, s.first, s.count, g.id AS group_id
      FROM submissions s JOIN groups g ON g.seq = s.group_seq
      WHERE s.first_seq >= ? AND s.first_seq < ? ORDER BY s.first_seq`,
    change: (row) => ({
      kind: "submitted",
      group: groupId(textOf(row.group_id)),
      first: numberOf(row.first),
      count: numberOf(row.count),
    }),
  },
  {
    mark: "next_outcome",
    sql: `SELECT x.id AS fact, x.place, x.state, x.metrics, x.cause, x.message, x.worker, x.elapsed_ms,
      ${TASK_COLUMNS} FROM outcomes x ${TASK_OF} WHERE x.id >= ? AND x.id < ? ORDER BY x.id`,
    change: (row) => endedChange(task(row), outcome(row), textOf(row.worker), numberOf(row.elapsed_ms)),
  },
  {
    mark: "next_ended",
    sql: `SELECT x.id AS fact, x.place, x.attempt, x.worker, x.cause, x.message, ${TASK_COLUMNS}
      FROM ended_attempts x ${TASK_OF} WHERE x.id >= ? AND x.id < ? ORDER BY x.id`,
    change: (row) => ({
      kind: "attempt_ended",
      task: task(row),
      attempt: numberOf(row.attempt),
      worker: textOf(row.worker),
      // Written by a commit, from a value of this type.
      cause: textOf(row.cause) as AttemptEndCause,
      message: textOf(row.message),
    }),
  },
  {
    mark: "next_state",
    sql: `SELECT x.id AS fact, x.place, x.state, x.reason, e.id AS group_id, e.name
      FROM experiment_states x JOIN experiments e ON e.seq = x.experiment
      WHERE x.id >= ? AND x.id < ? ORDER BY x.id`,
    change: (row) => ({
      kind: "experiment",
      experiment: groupId(textOf(row.group_id)),
      name: textOf(row.name),
      state: EXPERIMENT_STATES.find((state) => state === row.state) ?? "broken",
      reason: textOf(row.reason),
    }),
  },
];

/** The changes of the commits after one, whole commits only. */
export function readChanges(select: Select, ask: Queries["changes"]["ask"]): Queries["changes"]["answer"] {
  const limit = rowLimit(ask.limit);
  const looked = select("SELECT * FROM commits WHERE number > ? ORDER BY number LIMIT ?", ask.after, limit);
  const commits = upToLimit(looked, limit);
  const last = commits.at(-1);
  if (last === undefined) return { commits: [], upTo: ask.after };
  const [before] = select(
    "SELECT * FROM commits WHERE number < ? ORDER BY number DESC LIMIT 1",
    first(commits),
  );
  const placed = commits.map((): { readonly place: number; readonly change: Change }[] => []);
  for (const table of TABLES) {
    const from = before === undefined ? 1 : numberOf(before[table.mark]);
    let index = 0;
    for (const row of select(table.sql, from, numberOf(last[table.mark]))) {
      const fact = numberOf(row.fact);
      while (fact >= numberOf(commits[index]?.[table.mark])) index += 1;
      placed[index]?.push({ place: numberOf(row.place), change: table.change(row) });
    }
  }
  return {
    commits: placed.flatMap((changes, index) => {
      const commit = numberOf(commits[index]?.number);
      changes.sort((a, b) => a.place - b.place);
      return changes.length === 0 ? [] : [{ commit, changes: changes.map((each) => each.change) }];
    }),
    upTo: numberOf(last.number),
  };
}

function upToLimit(commits: readonly Row[], limit: number): readonly Row[] {
  let changes = 0;
  const index = commits.findIndex((commit) => (changes += numberOf(commit.changes)) >= limit);
  return index === -1 ? commits : commits.slice(0, index + 1);
}

function first(commits: readonly Row[]): number {
  return numberOf(commits[0]?.number);
}

function task(row: Row): TaskId {
  return taskId(groupId(textOf(row.group_id)), numberOf(row.number));
}

function outcome(row: Row): Outcome {
  switch (row.state) {
    case "completed":
    case "pruned":
      return { state: row.state, metrics: metricsOf(textOf(row.metrics)) };
    case "failed":
      // Written by a commit, from a value of this type.
      return { state: "failed", cause: textOf(row.cause) as FailureCause, message: textOf(row.message) };
    default:
      return { state: "cancelled" };
  }
}
