/**
 * An experiment's history as its search was told it: trials in the order of their numbers, outcomes in that of commits.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { OUTCOME_STATES, type OutcomeState } from "../../shared/model/outcome.ts";
import { metricsOf, numberOf, textOf, textOrNull } from "../store/sqlite/row.ts";
import type { HistoryOutcome, HistoryTrial } from "../store/store.ts";

/** An outcome that was told, and where it stands. */
export interface ToldOutcome extends Pick<HistoryOutcome, "number" | "state" | "metrics" | "attempts"> {
  readonly place: number;
  /** Its row. */
  readonly outcome: number;
  /** The task's number by the outcome's row, null where that is not there or not of this group. */
  readonly ofTask: number | null;
}

/** The trials of a group. */
export function* historyTrials(db: DatabaseSync, groupSeq: number): Generator<HistoryTrial> {
  const sql = `
    SELECT s.first + r.seq - s.first_seq AS number, r.* FROM submissions s
      CROSS JOIN trials r ON r.seq >= s.first_seq AND r.seq < s.first_seq + s.count
    WHERE s.group_seq = ? ORDER BY s.first, r.seq`;
  for (const row of db.prepare(sql).iterate(groupSeq)) {
    yield {
      number: numberOf(row.number),
      candidate: textOf(row.candidate),
      hash: textOf(row.hash),
      parents: JSON.parse(textOf(row.parents)),
      toldBefore: numberOf(row.told_before),
    };
  }
}

/** What the group's optimizer was told. */
export function* historyOutcomes(db: DatabaseSync, groupSeq: number): Generator<ToldOutcome> {
  const sql = `
    SELECT p.place, p.outcome, p.number, o.state, o.metrics, o.attempts,
      s.first + o.task - s.first_seq AS of_task
    FROM told p LEFT JOIN outcomes o ON o.id = p.outcome
      LEFT JOIN submissions s ON s.group_seq = p.group_seq
        AND s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= o.task)
        AND o.task < s.first_seq + s.count
    WHERE p.group_seq = ? ORDER BY p.place`;
  for (const row of db.prepare(sql).iterate(groupSeq)) {
    const metrics = textOrNull(row.metrics);
    yield {
      place: numberOf(row.place),
      outcome: numberOf(row.outcome),
      number: numberOf(row.number),
      ofTask: row.of_task === null ? null : numberOf(row.of_task),
      state: stateOf(row.state),
      metrics: metrics === null ? null : metricsOf(metrics),
      attempts: row.attempts === null ? 0 : numberOf(row.attempts),
    };
  }
}

function stateOf(value: unknown): OutcomeState {
  return OUTCOME_STATES.find((state) => state === value) ?? "cancelled";
}
