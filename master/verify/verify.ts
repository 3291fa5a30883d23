/**
 * Checks a finished or crashed run's store for the promises that were made about it.
 *
 * Promise: nothing is written where the store is; rows are looked at one at a time, so that a million tasks fit;
 * whatever is wrong with the file, the answer is a report.
 * Not here: what only a running cluster shows (tests/simulation), the printed form (client/cli).
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { TaskTemplate } from "../../shared/model/task.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { taskTemplate } from "../../shared/protocol/fields.ts";
import { type Spec, specSchema } from "../../shared/protocol/spec.ts";
import { DATABASE_FILE } from "../store/sqlite/files.ts";
import { migrate, schemaVersion, UnusableFile } from "../store/sqlite/schema.ts";
import { parsedJson } from "../store/stored_spec.ts";
import { CheckpointRows } from "./checkpoint_rows.ts";
import { checkCheckpoints } from "./checkpoints.ts";
import { checkCurves } from "./curves.ts";
import { Cursor } from "./cursor.ts";
import { checkExperiment } from "./experiments.ts";
import { type CheckReport, Findings, type NotChecked } from "./findings.ts";
import { checkGroups } from "./groups.ts";
import { historyOutcomes, historyTrials } from "./history.ts";
import { checkCommits, checkEpochs, checkNumbers } from "./log.ts";
import { copyStore } from "./store_copy.ts";
import { StoreRows } from "./store_rows.ts";
import { checkTask } from "./task_checks.ts";
import { checkRanges, readTasks } from "./tasks.ts";

/** What there is in a store, and what is wrong with it. */
export interface StoreReport {
  readonly file: string;
  readonly storeId: string;
  readonly schemaVersion: number;
  readonly epochs: number;
  readonly commits: number;
  readonly tasks: number;
  readonly outcomes: number;
  readonly experiments: number;
  readonly checks: readonly CheckReport[];
  readonly notChecked: readonly NotChecked[];
  /** Of all checks. */
  readonly violations: number;
}

/** A report, or why there is nothing to report on. */
export type Verified = { readonly ok: true; readonly report: StoreReport } | {
  readonly ok: false;
  readonly message: string;
};

/** Templates that are kept: groups of single tasks come by the thousand. */
const TEMPLATES_KEPT_MAX = 1_000;

/** The file of a store, where the path is one or a master's data folder; undefined where it is neither. */
export function storeFile(path: string): string | undefined {
  for (const file of [`${path}/${DATABASE_FILE}`, path]) {
    try {
      if (Deno.statSync(file).isFile) return file;
    } catch (error) {
      const isAbsent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
      // Whatever else it is, whoever reads the file will meet it and say so.
      if (!isAbsent) return file;
    }
  }
  return undefined;
}

/** Checks a store's file. The master may run meanwhile. */
export function verifyStore(file: string): Verified {
  let copy;
  try {
    copy = copyStore(file);
  } catch (error) {
    const advice = "a copy is made in the temporary folder, which TMPDIR names";
    return { ok: false, message: `${file} cannot be copied to be looked at: ${wordsOf(error)}; ${advice}` };
  }
  try {
    return new Verification(file, copy.path).run();
  } finally {
    copy.remove();
  }
}

class Verification {
  readonly #file: string;
  readonly #copy: string;
  readonly #findings = new Findings();
  readonly #found = {
    storeId: "",
    schemaVersion: 0,
    epochs: 0,
    commits: 0,
    tasks: 0,
    outcomes: 0,
    experiments: 0,
  };
  readonly #templates = new Map<number, TaskTemplate | undefined>();
  #nextTask = 1;

  constructor(file: string, copy: string) {
    this.#file = file;
    this.#copy = copy;
  }

  run(): Verified {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(this.#copy);
      this.#found.schemaVersion = schemaVersion(db, this.#file);
      if (this.#found.schemaVersion === 0) {
        return { ok: false, message: `${this.#file} is empty: it is no store yet` };
      }
      const opened = db;
      this.#part("the whole file", () => this.#quickCheck(opened));
      this.#readTables(opened);
      // The copy may be brought up to date: its rows are looked at in one form.
      migrate(db, this.#found.schemaVersion, 0);
      this.#check(db, new StoreRows(db));
    } catch (error) {
      if (error instanceof UnusableFile) return { ok: false, message: error.message };
      this.#unreadable("the file", error);
    } finally {
      db?.close();
    }
    const checks = this.#findings.reports();
    const violations = checks.reduce((sum, check) => sum + check.violations, 0);
    const { notChecked } = this.#findings;
    return { ok: true, report: { file: this.#file, ...this.#found, checks, notChecked, violations } };
  }

  #quickCheck(db: DatabaseSync): void {
    for (const { quick_check: said } of db.prepare("PRAGMA quick_check").all()) {
      this.#findings.expect("file_sound", said === "ok", () => ["SQLite finds damage in the file", { said }]);
    }
  }

  /** Damage is named by table: a cursor over damaged pages ends as if there were no more rows. */
  #readTables(db: DatabaseSync): void {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    for (const { name } of tables) {
      this.#part(`the table ${name}`, () => db.prepare(`SELECT count(*) FROM "${name}" NOT INDEXED`).get());
    }
  }

  /** Each part by itself: where one cannot be read, the others are. */
  #check(db: DatabaseSync, rows: StoreRows): void {
    const findings = this.#findings;
    this.#part("the store's id", () => this.#found.storeId = rows.ids().at(-1)?.id ?? "");
    this.#part("epochs", () => this.#found.epochs = checkEpochs(rows.ids(), rows.epochs(), findings));
    this.#part("the log of commits", () => this.#checkLog(rows));
    this.#part("submissions", () => checkRanges(rows.submissions("group"), findings));
    this.#part("tasks and their attempts", () => this.#checkTasks(rows));
    this.#part("groups and their counters", () => checkGroups(rows.groups(), rows.sums(), findings));
    this.#part(
      "reports",
      () => checkCurves(rows.reports(), this.#found.epochs, this.#nextTask, findings),
    );
    this.#part("checkpoints and files", () => this.#checkCheckpoints(db, rows));
    this.#part("experiments", () => this.#checkExperiments(db, rows));
  }

  #checkLog(rows: StoreRows): void {
    this.#found.commits = checkCommits(rows.commits(), this.#found.epochs, [
      { table: "submissions", rows: rows.facts("submissions"), mark: ({ nextTask }) => nextTask },
      { table: "outcomes", rows: rows.facts("outcomes"), mark: ({ nextOutcome }) => nextOutcome },
      { table: "ended_attempts", rows: rows.facts("ended_attempts"), mark: ({ nextEnded }) => nextEnded },
      {
        table: "experiment_states",
        rows: rows.facts("experiment_states"),
        mark: ({ nextState }) => nextState,
      },
    ], this.#findings);
    for (const table of ["outcomes", "ended_attempts", "experiment_states"] as const) {
      checkNumbers(table, rows.facts(table), this.#findings);
    }
  }

  #checkCheckpoints(db: DatabaseSync, rows: StoreRows): void {
    const policy = (groupSeq: number) => this.#template(rows, groupSeq)?.checkpoints;
    const context = { newestEpoch: this.#found.epochs, nextTask: this.#nextTask, policy };
    checkCheckpoints(new CheckpointRows(db), context, this.#findings);
  }

  #checkTasks(rows: StoreRows): void {
    const policy = (groupSeq: number) => this.#template(rows, groupSeq)?.retry;
    const firstEpoch = rows.ids().at(-1)?.firstEpoch ?? 1;
    const context = { newestEpoch: this.#found.epochs, firstEpoch, policy };
    const tables = {
      submissions: rows.submissions("task"),
      tasks: rows.numbers("tasks"),
      trials: rows.numbers("trials"),
      outcomes: rows.outcomes(),
      open: rows.attempts("open_attempts"),
      ended: rows.attempts("ended_attempts"),
    };
    for (const facts of readTasks(tables, this.#findings)) {
      this.#found.tasks += 1;
      this.#found.outcomes += facts.outcomes.length;
      this.#nextTask = facts.seq + 1;
      checkTask(facts, context, this.#findings);
    }
  }

  #template(rows: StoreRows, groupSeq: number): TaskTemplate | undefined {
    const templates = this.#templates;
    if (!templates.has(groupSeq)) {
      if (templates.size >= TEMPLATES_KEPT_MAX) templates.clear();
      templates.set(groupSeq, this.#readTemplate(rows, groupSeq));
    }
    return templates.get(groupSeq);
  }

  #readTemplate(rows: StoreRows, groupSeq: number): TaskTemplate | undefined {
    try {
      const template = rows.template(groupSeq);
      return template === undefined ? undefined : taskTemplate.parse(decode(template));
    } catch (error) {
      this.#findings.notChecked.push({ what: `the policies of group row ${groupSeq}`, why: wordsOf(error) });
      return undefined;
    }
  }

  #checkExperiments(db: DatabaseSync, rows: StoreRows): void {
    const states = new Cursor(rows.states(), ({ experiment }) => experiment);
    for (const experiment of rows.experiments()) {
      this.#found.experiments += 1;
      this.#part(`the history of ${experiment.id}`, () => {
        const { seq, groupSeq } = experiment;
        checkExperiment({
          experiment,
          states: (states.below(seq), states.at(seq)),
          spec: specOf(experiment.spec),
          trials: groupSeq === null ? [] : historyTrials(db, groupSeq),
          told: groupSeq === null ? [] : historyOutcomes(db, groupSeq),
        }, this.#findings);
      });
    }
  }

  #part(part: string, check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#unreadable(part, error);
    }
  }

  #unreadable(part: string, error: unknown): void {
    this.#findings.expect("file_sound", false, () => [`${part} cannot be read`, { error: wordsOf(error) }]);
  }
}

/** A spec as it was stored: the schema of this program reads it, or it is of another program. */
function specOf(json: string): Spec | undefined {
  return specSchema.safeParse(parsedJson(json)).data;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
