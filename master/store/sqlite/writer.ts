/**
 * Writes changes within a transaction, and says what became of each.
 *
 * Promise: the verdicts are those of `memory_apply.ts`; nothing is written for a change that was refused or known.
 * Not here: the transaction itself and the fence (database.ts).
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { isOver, type Objective } from "../../../shared/model/experiment.ts";
import { OUTCOME_STATES } from "../../../shared/model/outcome.ts";
import type { StoreVerdict } from "../store.ts";
import { groupNumber, scoreOf } from "../stored_spec.ts";
import { type GroupRow, Groups, type SubmissionRow } from "./groups.ts";
import { KnownAttempts } from "./known_attempts.ts";
import { Reported } from "./reported.ts";
import { bytesOf, metricsOf, numberOrNull, textOf } from "./row.ts";
import type { RowChange, RowLease, RowOutcome, RowSubmission } from "./row_change.ts";
import { prepareWrites, type Writes } from "./statements.ts";

const RECORDED: StoreVerdict = { type: "recorded" };
const AGAIN: StoreVerdict = { type: "recorded", again: true };
const UNKNOWN: StoreVerdict = { type: "unknown" };

type Of<T extends RowChange["type"]> = Extract<RowChange, { type: T }>;

/** Where each table stands: the next number that it gives out. */
export interface Marks {
  task: number;
  outcome: number;
  ended: number;
  state: number;
  /** Greater than the number in any group's or experiment's id. */
  group: number;
}

/** A task that was found, with what it belongs to. */
interface Found {
  readonly seq: number;
  readonly group: GroupRow;
  readonly submission: SubmissionRow;
}

/** The prepared statements of a connection, and what they need to know between commits. */
export class Writer {
  readonly marks: Marks;
  readonly #epochs: ReadonlyMap<string, number>;
  readonly #groups: Groups;
  readonly #attempts: KnownAttempts;
  readonly #reported: Reported;
  readonly #everyEpoch: ReadonlyMap<string, number>;
  /** How many changes of the present commit the feed shows. */
  #place = 0;
  readonly #statements: Writes;

  /**
   * @param epochs those since the store has its present id, with their numbers: whose leases count
   * @param everyEpoch those under earlier ids too: whose checkpoints can be gone on from
   */
  constructor(
    db: DatabaseSync,
    marks: Marks,
    epochs: ReadonlyMap<string, number>,
    everyEpoch: ReadonlyMap<string, number>,
  ) {
    this.marks = marks;
    this.#epochs = epochs;
    this.#everyEpoch = everyEpoch;
    this.#reported = new Reported(db);
    this.#groups = new Groups(db);
    this.#attempts = new KnownAttempts(db);
    this.#statements = prepareWrites(db);
  }

  /** Applies a batch. @returns a verdict for each change, and how many changes the feed will show */
  apply(
    changes: readonly RowChange[],
  ): { readonly verdicts: readonly StoreVerdict[]; readonly shown: number } {
    this.#place = 0;
    const verdicts = changes.map((change) => this.#apply(change));
    this.#groups.write();
    return { verdicts, shown: this.#place };
  }

  #apply(change: RowChange): StoreVerdict {
    switch (change.type) {
      case "command":
        return this.#command(change);
      case "group_added":
        return this.#addGroup(change);
      case "tasks_submitted":
        return this.#submit(change);
      case "attempt_opened":
        return this.#openAttempt(change);
      case "attempt_ended":
        return this.#endAttempt(change);
      case "outcome":
        return this.#recordOutcome(change);
      case "experiment_added":
        return this.#addExperiment(change);
      case "experiment_state":
        return this.#setExperimentState(change);
      case "reports":
        return this.#recordReports(change);
    }
  }

  #command(change: Of<"command">): StoreVerdict {
    const known = this.#statements.findCommand.get(change.id);
    if (known !== undefined) return { type: "repeated", reply: bytesOf(known.reply) };
    this.#statements.addCommand.run(change.id, change.reply);
    return { type: "recorded", nested: change.changes.map((each) => this.#apply(each)) };
  }

  #addGroup(change: Of<"group_added">): StoreVerdict {
    if (this.#groups.group(change.group) !== undefined) return AGAIN;
    this.#statements.addGroup.run(change.group, change.template, change.code);
    this.#noteName(change.group);
    return RECORDED;
  }

  #noteName(id: string): void {
    this.marks.group = Math.max(this.marks.group, groupNumber(id) + 1);
  }

  #submit(change: RowSubmission): StoreVerdict {
    const { first, trials, payloads, atMs } = change;
    const count = payloads.length;
    const group = this.#groups.group(change.group);
    if (group === undefined || (trials !== undefined && trials.length !== count)) return UNKNOWN;
    if (first <= group.lastNumber) return this.#isSubmitted(group, first, count) ? AGAIN : UNKNOWN;
    if (count === 0) return RECORDED;
    const firstSeq = this.marks.task;
    const hasTrials = trials !== undefined;
    const { addSubmission, addTask, addTrial } = this.#statements;
    addSubmission.run(firstSeq, group.seq, first, count, hasTrials ? 1 : 0, this.#place++, atMs);
    for (const [index, payload] of payloads.entries()) addTask.run(firstSeq + index, payload);
    for (const [index, trial] of trials?.entries() ?? []) {
      addTrial.run(firstSeq + index, trial.candidate, trial.hash, trial.parents, trial.toldBefore);
    }
    this.marks.task += count;
    group.lastNumber = first + count - 1;
    group.submitted += count;
    group.near = { firstSeq, first, count, hasTrials };
    this.#groups.touch(group);
    return RECORDED;
  }

  #isSubmitted(group: GroupRow, first: number, count: number): boolean {
    const submission = this.#groups.submission(group, first);
    return submission?.first === first && submission.count === count;
  }

  #openAttempt(change: Of<"attempt_opened">): StoreVerdict {
    const { lease, worker, incarnation, atMs, continues } = change;
    const epoch = this.#epochs.get(lease.epoch);
    const found = this.#find(lease.group, lease.number);
    const fromEpoch = continues === undefined ? 0 : this.#everyEpoch.get(continues.epoch);
    if (found === undefined || epoch === undefined || fromEpoch === undefined) return UNKNOWN;
    const outcome = this.#outcomeOf(found.seq);
    if (outcome !== undefined) return outcome.superseded;
    const was = this.#attempts.open(found.seq, epoch, lease.attempt, worker, incarnation, atMs);
    if (was === "known") return AGAIN;
    if (continues !== undefined) {
      this.#reported.continues({ task: found.seq, epoch, attempt: lease.attempt }, continues, fromEpoch);
    }
    if (was === "new") found.group.openAttempts += 1;
    this.#groups.touch(found.group);
    return RECORDED;
  }

  #endAttempt(change: Of<"attempt_ended">): StoreVerdict {
    const { lease, worker, cause, message, atMs, final } = change;
    const epoch = this.#epochs.get(lease.epoch);
    const found = this.#find(lease.group, lease.number);
    if (found === undefined || epoch === undefined) return UNKNOWN;
    const { seq, group } = found;
    if (this.#attempts.hasEnded(seq, epoch, lease.attempt)) {
      this.#attempts.close(seq, epoch, lease.attempt);
      return AGAIN;
    }
    const outcome = this.#outcomeOf(seq);
    if (outcome?.epoch === epoch && outcome.attempt === lease.attempt) return outcome.superseded;
    const { attempt } = lease;
    this.#statements.addEnded.run(
      this.marks.ended++,
      seq,
      epoch,
      attempt,
      this.#place++,
      worker,
      cause,
      message,
      atMs,
      final ? 1 : 0,
    );
    if (outcome !== undefined) return RECORDED;
    const wasOpen = this.#attempts.end(seq, epoch, attempt, cause);
    group.openAttempts += wasOpen ? 0 : 1;
    this.#groups.touch(group);
    return RECORDED;
  }

  #recordOutcome(change: RowOutcome): StoreVerdict {
    const epoch = change.epoch === "" ? null : this.#epochs.get(change.epoch);
    const found = this.#find(change.group, change.number);
    if (found === undefined || epoch === undefined) return UNKNOWN;
    const { seq, group, submission } = found;
    const attempt = epoch === null ? null : change.attempt;
    const id = this.marks.outcome;
    const written = this.#statements.addOutcome.run(
      id,
      seq,
      this.#place,
      change.state,
      change.metrics,
      change.cause,
      change.message,
      change.stack,
      change.worker,
      epoch,
      attempt,
      change.attempts,
      change.elapsedMs,
      change.atMs,
    );
    if (Number(written.changes) === 0) return this.#known(seq, change.state, epoch, attempt);
    this.marks.outcome += 1;
    this.#place += 1;
    group.ended[change.state] += 1;
    group.attempts += change.attempts;
    group.openAttempts -= this.#attempts.resolve(seq);
    this.#reported.resolve(seq, change.keepCheckpoint);
    if (submission.hasTrials) this.#statements.addTold.run(group.seq, group.told++, id, change.number);
    if (change.state === "completed") this.#noteBest(group, id, change.metrics);
    this.#groups.touch(group);
    return RECORDED;
  }

  #known(seq: number, state: string, epoch: number | null, attempt: number | null): StoreVerdict {
    const known = this.#outcomeOf(seq);
    if (known === undefined) return UNKNOWN;
    const isSame = known.state === state && known.epoch === epoch && known.attempt === attempt;
    return isSame ? AGAIN : known.superseded;
  }

  /** The first of equals stays the best. Only completed trials compete: a pruned one was measured too early. */
  #noteBest(group: GroupRow, outcome: number, metrics: string | null): void {
    const experiment = this.#groups.experiment(group.id);
    if (experiment === undefined || metrics === null) return;
    const score = scoreOfJson(experiment.objective, metrics);
    if (score === undefined || (experiment.best !== undefined && experiment.best.score >= score)) return;
    experiment.best = { outcome, score };
    this.#groups.touchExperiment(experiment);
  }

  #addExperiment(change: Of<"experiment_added">): StoreVerdict {
    if (this.#groups.experiment(change.experiment) !== undefined) return AGAIN;
    const { experiment, name, spec, atMs } = change;
    const { lastInsertRowid } = this.#statements.addExperiment.run(experiment, name, spec, atMs);
    this.#addState(Number(lastInsertRowid), "running", "", atMs);
    this.#groups.forgetExperiment(experiment);
    this.#noteName(experiment);
    return RECORDED;
  }

  #setExperimentState(change: Of<"experiment_state">): StoreVerdict {
    const { state, reason, atMs } = change;
    const experiment = this.#groups.experiment(change.experiment);
    if (experiment === undefined) return UNKNOWN;
    if (experiment.state === state && experiment.reason === reason) return AGAIN;
    experiment.endedAtMs = isOver(state) ? experiment.endedAtMs ?? atMs : null;
    experiment.state = state;
    experiment.reason = reason;
    this.#groups.touchExperiment(experiment);
    this.#addState(experiment.seq, state, reason, atMs);
    return { type: "recorded", name: experiment.name };
  }

  #addState(experiment: number, state: string, reason: string, atMs: number): void {
    this.#statements.addState.run(this.marks.state++, experiment, this.#place++, state, reason, atMs);
  }

  #recordReports(change: Of<"reports">): StoreVerdict {
    const { lease } = change;
    const epoch = this.#epochs.get(lease.epoch);
    const found = this.#find(lease.group, lease.number);
    if (found === undefined || epoch === undefined) return UNKNOWN;
    const { seq } = found;
    const attempt = { task: seq, epoch, attempt: lease.attempt };
    return this.#reported.record(attempt, change, () => this.#outcomeOf(seq)?.superseded);
  }

  #find(groupId: RowLease["group"], number: number): Found | undefined {
    const group = this.#groups.group(groupId);
    const submission = group === undefined ? undefined : this.#groups.submission(group, number);
    if (group === undefined || submission === undefined) return undefined;
    return { seq: submission.firstSeq + number - submission.first, group, submission };
  }

  #outcomeOf(seq: number) {
    const row = this.#statements.findOutcome.get(seq);
    if (row === undefined) return undefined;
    const state = OUTCOME_STATES.find((each) => each === textOf(row.state)) ?? "cancelled";
    const attempt = numberOrNull(row.attempt);
    const superseded: StoreVerdict = { type: "superseded", by: attempt, state };
    return { state, epoch: numberOrNull(row.epoch), attempt, superseded };
  }
}

/** A trial's score from the JSON of its metrics. */
function scoreOfJson(objective: Objective | undefined, json: string): number | undefined {
  return objective === undefined ? undefined : scoreOf(objective, metricsOf(json));
}
