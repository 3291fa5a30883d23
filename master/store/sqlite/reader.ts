/**
 * Answers queries from the file.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  EXPERIMENT_STATES,
  type ExperimentSummary,
  NO_TRIALS,
  type TrialSummary,
} from "../../../shared/model/experiment.ts";
import { type Epoch, groupId, taskParts } from "../../../shared/model/ids.ts";
import { OUTCOME_STATES, type OutcomeState } from "../../../shared/model/outcome.ts";
import { rowLimit } from "../limits.ts";
import type { HistoryOutcome, HistoryTrial, Queries } from "../store.ts";
import { parsedJson, readStoredSpec } from "../stored_spec.ts";
import { epochEnd } from "./epoch_end.ts";
import { readChanges } from "./feed.ts";
import { KeptReader, OUTCOME } from "./kept_reader.ts";
import { NOT_ENDED } from "./known_attempts.ts";
import { metricsOf, numberOf, numberOrNull, type Row, textOf, textOrNull } from "./row.ts";

type Ask<K extends keyof Queries> = Queries[K]["ask"];
type Answers = { readonly [K in keyof Queries]: (ask: Ask<K>, nowMs: number) => Queries[K]["answer"] };

/** The tasks of a group from a number on: `?1` is the group's id, `?2` the number, `?3` a limit. */
const TASKS_OF_GROUP = `
  FROM groups g JOIN submissions s ON s.group_seq = g.seq
    AND s.first >= coalesce((SELECT max(first) FROM submissions WHERE group_seq = g.seq AND first <= ?2), 0)
  CROSS JOIN tasks t ON t.seq >= max(s.first_seq, s.first_seq + ?2 - s.first) AND t.seq < s.first_seq + s.count`;

const HISTORY_TRIALS = `
  SELECT s.first + t.seq - s.first_seq AS number, r.* ${TASKS_OF_GROUP} JOIN trials r ON r.seq = t.seq
  WHERE g.id = ?1 ORDER BY s.first, t.seq LIMIT ?3`;

const TRIALS = `
  SELECT s.first + t.seq - s.first_seq AS number, r.candidate, r.parents, o.*,
    CASE WHEN o.id IS NULL THEN
      (SELECT count(*) FROM ended_attempts e WHERE e.task = t.seq) +
      (SELECT count(*) FROM open_attempts a WHERE a.task = t.seq AND ${NOT_ENDED})
    ELSE o.attempts END AS known_attempts
  ${TASKS_OF_GROUP} LEFT JOIN trials r ON r.seq = t.seq LEFT JOIN outcomes o ON o.task = t.seq
  WHERE g.id = ?1 ORDER BY s.first, t.seq LIMIT ?3`;

const HISTORY_OUTCOMES = `
  SELECT o.*, p.number FROM groups g JOIN told p ON p.group_seq = g.seq JOIN outcomes o ON o.id = p.outcome
  WHERE g.id = ?1 AND p.place >= ?2 ORDER BY p.place LIMIT ?3`;

const SUMMARIES = `
  SELECT e.*, g.submitted, g.completed, g.failed, g.cancelled, g.pruned, g.attempts, g.open_attempts,
    b.metrics AS best_metrics, r.candidate AS best_candidate, s.first + b.task - s.first_seq AS best_number
  FROM experiments e LEFT JOIN groups g ON g.id = e.id
    LEFT JOIN outcomes b ON b.id = e.best_outcome
    LEFT JOIN trials r ON r.seq = b.task
    LEFT JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= b.task)`;

/** Queries over one connection. */
export class Reader {
  readonly kept: KeptReader;
  readonly #db: DatabaseSync;
  readonly #epochs: readonly Epoch[];
  readonly #statements = new Map<string, StatementSync>();
  readonly #answers: Answers = {
    outcome: (ask) => this.#outcome(ask),
    history_trials: (ask) =>
      this.#all(HISTORY_TRIALS, ask.experiment, ask.after + 1, rowLimit(ask.limit)).map(historyTrial),
    history_outcomes: (ask) =>
      this.#all(HISTORY_OUTCOMES, ask.experiment, ask.after, rowLimit(ask.limit)).map(historyOutcome),
    changes: (ask) => readChanges((sql, ...values) => this.#all(sql, ...values), ask),
    experiments: (ask, nowMs) =>
      this.#all(`${SUMMARIES} ORDER BY e.seq DESC LIMIT ? OFFSET ?`, rowLimit(ask.limit), ask.offset)
        .map((row) => summary(row, nowMs)),
    experiment: (ask, nowMs) => this.#experiment(ask, nowMs),
    trials: (ask) => this.#all(TRIALS, ask.experiment, ask.after + 1, rowLimit(ask.limit)).map(trialSummary),
    curve: (ask) => this.kept.curve(ask),
    files: (ask) => this.kept.files(ask),
    artifacts_used: (ask) => this.kept.artifactsUsed(ask),
    counts: (ask) => this.#counts(ask),
    epoch_end: (ask) => this.#epochEnd(ask),
  };

  /** @param epochs every epoch, in order; those under earlier ids of the store too */
  constructor(db: DatabaseSync, epochs: readonly Epoch[]) {
    this.#db = db;
    this.#epochs = epochs;
    this.kept = new KeptReader((sql, ...values) => this.#all(sql, ...values), epochs);
  }

  answer<K extends keyof Queries>(kind: K, ask: Ask<K>, nowMs: number): Queries[K]["answer"] {
    return this.#answers[kind](ask, nowMs);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement.all(...values);
  }

  #epochEnd({ epoch }: Ask<"epoch_end">): number | null {
    const number = this.#epochs.indexOf(epoch) + 1;
    if (number === 0) return null;
    const [newest] = this.#all("SELECT coalesce(max(number), 0) AS number FROM commits");
    return epochEnd(this.#db, number, numberOf(newest?.number ?? 0));
  }

  #outcome(ask: Ask<"outcome">): Queries["outcome"]["answer"] {
    const { group, number } = taskParts(ask.task);
    const [row] = this.#all(OUTCOME, group, number);
    if (row === undefined) return { known: false, state: null, by: null, epoch: null };
    const epoch = this.#epochs[(numberOrNull(row.epoch) ?? 0) - 1] ?? null;
    return { known: true, state: outcomeState(row), by: numberOrNull(row.attempt), epoch };
  }

  #experiment(ask: Ask<"experiment">, nowMs: number): Queries["experiment"]["answer"] {
    const [row] = ask.experiment === "last"
      ? this.#all(`${SUMMARIES} ORDER BY e.seq DESC LIMIT 1`)
      : this.#all(`${SUMMARIES} WHERE e.id = ?`, ask.experiment);
    return row === undefined ? null : { summary: summary(row, nowMs), spec: textOf(row.spec) };
  }

  #counts(ask: Ask<"counts">): Queries["counts"]["answer"] {
    const [row] = this.#all("SELECT * FROM groups WHERE id = ?", ask.group);
    return row === undefined
      ? { ...NO_TRIALS, submitted: 0 }
      : { ...counts(row), submitted: numberOf(row.submitted) };
  }
}

function counts(row: Row): Record<OutcomeState, number> {
  return {
    completed: numberOf(row.completed),
    failed: numberOf(row.failed),
    cancelled: numberOf(row.cancelled),
    pruned: numberOf(row.pruned),
  };
}

function outcomeState(row: Row): OutcomeState | null {
  return OUTCOME_STATES.find((state) => state === row.state) ?? null;
}

function historyTrial(row: Row): HistoryTrial {
  return {
    number: numberOf(row.number),
    candidate: textOf(row.candidate),
    hash: textOf(row.hash),
    parents: parentsOf(row),
    toldBefore: numberOf(row.told_before),
  };
}

function parentsOf(row: Row): readonly number[] {
  const parents = parsedJson(textOrNull(row.parents));
  return Array.isArray(parents) ? parents : [];
}

function historyOutcome(row: Row): HistoryOutcome {
  return {
    number: numberOf(row.number),
    state: outcomeState(row) ?? "cancelled",
    ...result(row),
    attempts: numberOf(row.attempts),
    atMs: numberOf(row.at_ms),
  };
}

function result(row: Row): Pick<HistoryOutcome, "metrics" | "cause" | "message"> {
  const metrics = textOrNull(row.metrics);
  return {
    metrics: metrics === null ? null : metricsOf(metrics),
    cause: textOrNull(row.cause),
    message: textOrNull(row.message),
  };
}

function trialSummary(row: Row): TrialSummary {
  return {
    trial: numberOf(row.number),
    state: outcomeState(row) ?? "pending",
    attempts: numberOf(row.known_attempts),
    ...result(row),
    candidate: parsedJson(textOrNull(row.candidate)),
    worker: textOrNull(row.worker),
    elapsedMs: numberOrNull(row.elapsed_ms),
    endedAtMs: numberOrNull(row.at_ms),
    parents: parentsOf(row),
  };
}

function summary(row: Row, nowMs: number): ExperimentSummary {
  const { objectives, budgetTrials } = readStoredSpec(textOf(row.spec));
  const hasGroup = row.submitted !== null;
  const trials = hasGroup ? counts(row) : NO_TRIALS;
  const ended = trials.completed + trials.failed + trials.cancelled + trials.pruned;
  const createdAtMs = numberOf(row.created_at_ms);
  return {
    experiment: groupId(textOf(row.id)),
    name: textOf(row.name),
    state: EXPERIMENT_STATES.find((state) => state === row.state) ?? "broken",
    reason: textOf(row.reason),
    trials,
    open: hasGroup ? numberOf(row.submitted) - ended : 0,
    attempts: hasGroup ? numberOf(row.attempts) + numberOf(row.open_attempts) : 0,
    budgetTrials,
    objectives,
    best: bestOf(row),
    seconds: ((numberOrNull(row.ended_at_ms) ?? nowMs) - createdAtMs) / 1000,
    createdAtMs,
  };
}

function bestOf(row: Row): ExperimentSummary["best"] {
  const metrics = textOrNull(row.best_metrics);
  if (metrics === null) return null;
  return {
    trial: numberOf(row.best_number),
    metrics: metricsOf(metrics),
    candidate: parsedJson(textOrNull(row.best_candidate)),
  };
}
