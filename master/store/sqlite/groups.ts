/**
 * What the writer keeps in memory of groups and experiments between commits.
 *
 * Promise: counters are written once per commit and group; a rolled back transaction forgets all of it.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Objective } from "../../../shared/model/experiment.ts";
import type { OutcomeState } from "../../../shared/model/outcome.ts";
import { readStoredSpec } from "../stored_spec.ts";
import { numberOf, textOf } from "./row.ts";

/** Groups that are remembered: those of single tasks come by the thousand. */
const GROUPS_REMEMBERED_MAX = 10_000;

/** A range of tasks. */
export interface SubmissionRow {
  readonly firstSeq: number;
  readonly first: number;
  readonly count: number;
  readonly hasTrials: boolean;
}

/** A group with its counters. */
export interface GroupRow {
  readonly seq: number;
  readonly id: string;
  lastNumber: number;
  submitted: number;
  readonly ended: Record<OutcomeState, number>;
  /** Outcomes of trials. */
  told: number;
  /** Attempts of tasks with an outcome. */
  attempts: number;
  /** Known attempts of tasks without one. */
  openAttempts: number;
  /** The submission that was looked at last: most questions are about its neighbours. */
  near: SubmissionRow | undefined;
  isChanged: boolean;
}

/** An experiment as the writer needs it. */
export interface ExperimentRow {
  readonly seq: number;
  readonly name: string;
  readonly objective: Objective | undefined;
  state: string;
  reason: string;
  endedAtMs: number | null;
  best: { readonly outcome: number; readonly score: number } | undefined;
  isChanged: boolean;
}

/** Groups and experiments by id. */
export class Groups {
  readonly #groups = new Map<string, GroupRow>();
  readonly #experiments = new Map<string, ExperimentRow | null>();
  readonly #changedGroups: GroupRow[] = [];
  readonly #changedExperiments: ExperimentRow[] = [];
  readonly #findGroup: StatementSync;
  readonly #findExperiment: StatementSync;
  readonly #findSubmission: StatementSync;
  readonly #writeGroup: StatementSync;
  readonly #writeExperiment: StatementSync;

  constructor(db: DatabaseSync) {
    this.#findGroup = db.prepare("SELECT * FROM groups WHERE id = ?");
    this.#findExperiment = db.prepare("SELECT * FROM experiments WHERE id = ?");
    this.#findSubmission = db.prepare(
      "SELECT * FROM submissions WHERE group_seq = ? AND first <= ? ORDER BY first DESC LIMIT 1",
    );
    this.#writeGroup = db.prepare(
      `UPDATE groups SET last_number = ?, submitted = ?, completed = ?, failed = ?, cancelled = ?, pruned = ?,
         told = ?, attempts = ?, open_attempts = ? WHERE seq = ?`,
    );
    this.#writeExperiment = db.prepare(
      "UPDATE experiments SET state = ?, reason = ?, ended_at_ms = ?, best_outcome = ?, best_score = ? WHERE seq = ?",
    );
  }

  group(id: string): GroupRow | undefined {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const row = this.#findGroup.get(id);
    if (row === undefined) return undefined;
    const group: GroupRow = {
      seq: numberOf(row.seq),
      id,
      lastNumber: numberOf(row.last_number),
      submitted: numberOf(row.submitted),
      ended: {
        completed: numberOf(row.completed),
        failed: numberOf(row.failed),
        cancelled: numberOf(row.cancelled),
        pruned: numberOf(row.pruned),
      },
      told: numberOf(row.told),
      attempts: numberOf(row.attempts),
      openAttempts: numberOf(row.open_attempts),
      near: undefined,
      isChanged: false,
    };
    this.#groups.set(id, group);
    return group;
  }

  experiment(id: string): ExperimentRow | undefined {
    const known = this.#experiments.get(id);
    if (known !== undefined) return known ?? undefined;
    const row = this.#findExperiment.get(id);
    const experiment: ExperimentRow | null = row === undefined ? null : {
      seq: numberOf(row.seq),
      name: textOf(row.name),
      objective: readStoredSpec(textOf(row.spec)).objectives[0],
      state: textOf(row.state),
      reason: textOf(row.reason),
      endedAtMs: row.ended_at_ms === null ? null : numberOf(row.ended_at_ms),
      best: row.best_outcome === null || row.best_score === null
        ? undefined
        : { outcome: numberOf(row.best_outcome), score: numberOf(row.best_score) },
      isChanged: false,
    };
    this.#experiments.set(id, experiment);
    return experiment ?? undefined;
  }

  /** An experiment was added: that there was none is no longer true. */
  forgetExperiment(id: string): void {
    this.#experiments.delete(id);
  }

  /** The submission that a task belongs to. */
  submission(group: GroupRow, number: number): SubmissionRow | undefined {
    if (group.near === undefined || !isWithin(group.near, number)) {
      const row = this.#findSubmission.get(group.seq, number);
      if (row === undefined) return undefined;
      group.near = {
        firstSeq: numberOf(row.first_seq),
        first: numberOf(row.first),
        count: numberOf(row.count),
        hasTrials: row.has_trials === 1,
      };
    }
    return isWithin(group.near, number) ? group.near : undefined;
  }

  touch(group: GroupRow): void {
    if (!group.isChanged) this.#changedGroups.push(group);
    group.isChanged = true;
  }

  touchExperiment(experiment: ExperimentRow): void {
    if (!experiment.isChanged) this.#changedExperiments.push(experiment);
    experiment.isChanged = true;
  }

  /** Writes what changed: the last thing in a transaction. */
  write(): void {
    for (const group of this.#changedGroups) {
      const { completed, failed, cancelled, pruned } = group.ended;
      const { lastNumber, submitted, told, attempts, openAttempts, seq } = group;
      const ended = [completed, failed, cancelled, pruned];
      this.#writeGroup.run(lastNumber, submitted, ...ended, told, attempts, openAttempts, seq);
      group.isChanged = false;
    }
    for (const each of this.#changedExperiments) {
      const best = [each.best?.outcome ?? null, each.best?.score ?? null];
      this.#writeExperiment.run(each.state, each.reason, each.endedAtMs, ...best, each.seq);
      each.isChanged = false;
    }
    this.#changedGroups.length = 0;
    this.#changedExperiments.length = 0;
    if (this.#groups.size > GROUPS_REMEMBERED_MAX) this.#groups.clear();
    if (this.#experiments.size > GROUPS_REMEMBERED_MAX) this.#experiments.clear();
  }
}

function isWithin(submission: SubmissionRow, number: number): boolean {
  return number >= submission.first && number < submission.first + submission.count;
}
