/**
 * Each check of `verify` finds what it is there for: a healthy store is harmed in one way at a time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CHECK_NAMES, type CheckName } from "../../../master/verify/checks.ts";
import { VIOLATIONS_TOLD_MAX } from "../../../master/verify/findings.ts";
import { type StoreReport, verifyStore } from "../../../master/verify/verify.ts";
import { writeSampleStore } from "./sample_store.ts";

/** One way in which a store may be wrong, as SQL; and the check that says so. */
interface Harm {
  readonly check: CheckName;
  readonly what: string;
  readonly sql: string;
  /** What the evidence names. */
  readonly names: RegExp;
}

/** The row of a task: those of the plain tasks come after half of the first search. */
const PLAIN = (number: number) =>
  `(SELECT s.first_seq + ${number} - s.first FROM submissions s JOIN groups g ON g.seq = s.group_seq
    WHERE g.id = 't7' AND s.first <= ${number} ORDER BY s.first DESC LIMIT 1)`;
const WITHOUT_INDEXES = `
  CREATE TABLE loose AS SELECT * FROM outcomes; DROP TABLE outcomes; ALTER TABLE loose RENAME TO outcomes;`;

const HARMS: readonly Harm[] = [
  {
    check: "epoch_new",
    what: "a life is missing",
    sql: "DELETE FROM epochs WHERE number = 1",
    names: /epoch 2/,
  },
  {
    check: "epoch_new",
    what: "two lives have one mark",
    sql: "UPDATE epochs SET mark = (SELECT mark FROM epochs WHERE number = 1)",
    names: /sameMarkAs":1/,
  },
  {
    check: "epoch_new",
    what: "commits go back to an older life",
    sql: "UPDATE commits SET epoch = 1 WHERE number = (SELECT max(number) FROM commits)",
    names: /of epoch 1, after one of epoch 2/,
  },
  {
    check: "log_complete",
    what: "a commit is missing",
    sql: "DELETE FROM commits WHERE number = 5",
    names: /commit 6/,
  },
  {
    check: "log_complete",
    what: "a commit counts another number of changes",
    sql: "UPDATE commits SET changes = changes + 1 WHERE number = 4",
    names: /commit 4 counts/,
  },
  {
    check: "log_complete",
    what: "an end of an attempt is gone",
    sql: "DELETE FROM ended_attempts WHERE id = 2",
    names: /ended_attempts has row 3 after row 1/,
  },
  {
    check: "submissions_kept",
    what: "a task is gone",
    sql: `DELETE FROM tasks WHERE seq = ${PLAIN(5)}`,
    names: /t7\/5 was submitted/,
  },
  {
    check: "submissions_kept",
    what: "a trial is gone",
    sql: "DELETE FROM trials WHERE seq = 2",
    names: /ended-1\/2 was submitted/,
  },
  {
    check: "submissions_kept",
    what: "submissions overlap",
    sql: "UPDATE submissions SET count = count + 1 WHERE first_seq = 1",
    names: /begins/,
  },
  {
    check: "submissions_kept",
    what: "a submission is of no group",
    sql: "UPDATE submissions SET group_seq = 99 WHERE first_seq = 1",
    names: /"group":null/,
  },
  {
    check: "one_outcome",
    what: "a task has two outcomes",
    sql:
      `${WITHOUT_INDEXES} INSERT INTO outcomes SELECT id + 100, task, place, state, metrics, cause, message, stack,
      worker, epoch, attempt, attempts, elapsed_ms, at_ms FROM outcomes WHERE task = ${PLAIN(1)}`,
    names: /t7\/1 has 2 outcomes/,
  },
  {
    check: "one_outcome",
    what: "an outcome is of no task",
    sql: `UPDATE outcomes SET task = 9999 WHERE task = ${PLAIN(1)}`,
    names: /"task":9999/,
  },
  {
    check: "outcome_whole",
    what: "a completed task has no metrics",
    sql: `UPDATE outcomes SET metrics = NULL WHERE task = ${PLAIN(1)}`,
    names: /t7\/1 has no metrics/,
  },
  {
    check: "outcome_whole",
    what: "a metric is no number",
    sql: `UPDATE outcomes SET metrics = '{"ms":null}' WHERE task = ${PLAIN(1)}`,
    names: /t7\/1 has no metrics/,
  },
  {
    check: "outcome_whole",
    what: "a failed task has no cause",
    sql: `UPDATE outcomes SET cause = NULL WHERE task = ${PLAIN(3)}`,
    names: /t7\/3 failed without a cause/,
  },
  {
    check: "outcome_whole",
    what: "a completed task had no attempt",
    sql: `UPDATE outcomes SET attempts = 0 WHERE task = ${PLAIN(1)}`,
    names: /t7\/1 was reached without an attempt/,
  },
  {
    check: "lease_once",
    what: "an attempt is open and has ended",
    sql: `INSERT INTO ended_attempts SELECT 1000, task, epoch, attempt, 0, worker, 'returned', '', 0
      FROM open_attempts WHERE task = ${PLAIN(5)}`,
    names: /attempt 1 of t7\/5/,
  },
  {
    check: "lease_once",
    what: "an outcome is of an epoch that never was",
    sql: `UPDATE outcomes SET epoch = 9 WHERE task = ${PLAIN(1)}`,
    names: /t7\/1 is of a lease that this store never granted/,
  },
  {
    check: "all_settled",
    what: "a task that is resolved has an open attempt",
    sql: `UPDATE open_attempts SET task = ${PLAIN(1)}`,
    names: /t7\/1 has its outcome, and 1 open attempts/,
  },
  {
    check: "retries_bounded",
    what: "a task failed more often than its policy allows",
    sql: `INSERT INTO ended_attempts SELECT 1000 + number, ${
      PLAIN(5)
    }, 1, 1 + number, 0, 'w', 'evaluator', '', 0
      FROM (SELECT number FROM commits LIMIT 6)`,
    names: /t7\/5 failed 6 times by evaluator, 4 are allowed/,
  },
  {
    check: "retries_bounded",
    what: "a task was given up too early",
    sql: `DELETE FROM ended_attempts WHERE task = ${PLAIN(4)} AND attempt = 1`,
    names: /t7\/4 was given up after 3 failures by crash/,
  },
  {
    check: "retries_bounded",
    what: "the failure that a task was given up for is not there",
    sql: `DELETE FROM ended_attempts WHERE task = ${PLAIN(3)} AND attempt = 4`,
    names: /the attempt that it names did not fail/,
  },
  {
    check: "curve_whole",
    what: "a report measures nothing",
    sql: `UPDATE reports SET metrics = '{"loss":null}' WHERE task = 1 AND step = 20`,
    names: /does not follow/,
  },
  {
    check: "curve_whole",
    what: "a report is of no task",
    sql: "UPDATE reports SET task = 9999 WHERE task = 1",
    names: /"task":9999/,
  },
  {
    check: "counters_fit",
    what: "a group counts an outcome too many",
    sql: "UPDATE groups SET completed = completed + 1 WHERE id = 't7'",
    names: /t7 does not count/,
  },
  {
    check: "told_once",
    what: "an outcome was told that belongs to another trial",
    sql: "UPDATE told SET number = 4 WHERE group_seq = 1 AND place = 0",
    names: /"number":4/,
  },
  {
    check: "told_once",
    what: "an outcome was never told",
    sql: "DELETE FROM told WHERE group_seq = 1 AND place = 1",
    names: /"place":2/,
  },
  {
    check: "trials_ordered",
    what: "a trial was proposed after more outcomes than there were",
    sql: "UPDATE trials SET told_before = 50 WHERE seq = 3",
    names: /after 50 outcomes/,
  },
  {
    check: "budget_kept",
    what: "an experiment is completed before its budget is used",
    sql: `UPDATE experiments SET state = 'completed', ended_at_ms = 1 WHERE id = 'open-2';
      UPDATE experiment_states SET state = 'completed' WHERE experiment = 2`,
    names: /open-2 is completed after 4 of 100 trials/,
  },
  {
    check: "budget_kept",
    what: "an experiment has more trials than its budget",
    sql: "UPDATE experiments SET spec = json_set(spec, '$.budget.trials', 5) WHERE id = 'ended-1'",
    names: /ended-1 has 12 trials that count/,
  },
  {
    check: "states_agree",
    what: "an experiment is in another state than the last one stored",
    sql: "UPDATE experiments SET state = 'paused' WHERE id = 'open-2'",
    names: /open-2 is paused, and the last state that was stored is running/,
  },
  {
    check: "search_replays",
    what: "another candidate was proposed",
    sql: `UPDATE trials SET candidate = '{"ms":5}' WHERE seq = 2`,
    names: /ended-1 leads to trial 2/,
  },
  {
    check: "search_replays",
    what: "another trial is the best",
    sql: "UPDATE experiments SET best_outcome = best_outcome + 1 WHERE id = 'ended-1'",
    names: /the best outcome of ended-1/,
  },
  {
    check: "file_sound",
    what: "a text stands where a number should",
    sql: `${WITHOUT_INDEXES} UPDATE outcomes SET elapsed_ms = 'soon' WHERE id = 1`,
    names: /should hold a number/,
  },
];

function inFolder(body: (path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/espalier.db`;
    writeSampleStore(path);
    body(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function reportOf(path: string): StoreReport {
  const verified = verifyStore(path);
  assert.ok(verified.ok, verified.ok ? "" : verified.message);
  return verified.report;
}

function broken({ checks }: StoreReport): Partial<Record<CheckName, string>> {
  return Object.fromEntries(
    checks.filter(({ violations }) => violations > 0).map(({ name, first }) => [name, JSON.stringify(first)]),
  );
}

Deno.test("a healthy store has no violation, and everything in it was looked at", () =>
  inFolder((path) => {
    const report = reportOf(path);
    assert.deepEqual(broken(report), {});
    assert.deepEqual(report.notChecked, []);
    assert.deepEqual(report.checks.filter(({ looked }) => looked === 0), []);
    const { epochs, tasks, outcomes, experiments } = report;
    assert.deepEqual({ epochs, tasks, outcomes, experiments }, {
      epochs: 2,
      tasks: 22,
      outcomes: 21,
      experiments: 2,
    });
  }));

for (const { check, what, sql, names } of HARMS) {
  Deno.test(`verify finds that ${what} (${check})`, () =>
    inFolder((path) => {
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      assert.match(broken(reportOf(path))[check] ?? "", names);
    }));
}

Deno.test("every check has a harm that it finds", () => {
  const tested = new Set(HARMS.map(({ check }) => check));
  assert.deepEqual(CHECK_NAMES.filter((name) => !tested.has(name)), []);
});

Deno.test("of many violations the first are told and all are counted", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
      INSERT INTO ended_attempts SELECT 1000 + i, 9999, 1, i, 0, 'w', 'returned', '', 0 FROM n`);
    db.close();
    const lease = reportOf(path).checks.find(({ name }) => name === "lease_once");
    assert.equal(lease?.violations, 100);
    assert.equal(lease.first.length, VIOLATIONS_TOLD_MAX);
  }));

Deno.test("an experiment whose optimizer this program does not have is told as not checked", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec(
      "UPDATE experiments SET spec = json_set(spec, '$.optimizer.kind', 'foreign') WHERE id = 'open-2'",
    );
    db.close();
    const report = reportOf(path);
    assert.deepEqual(broken(report), {});
    assert.match(JSON.stringify(report.notChecked), /the search of open-2/);
  }));

Deno.test("verify changes nothing in the folder, also where a crash left a log", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode = WAL; UPDATE groups SET completed = completed + 1 WHERE id = 't7'");
    const folder = path.slice(0, path.lastIndexOf("/"));
    // As a process that is killed leaves them.
    const crashed = `${folder}/crashed`;
    Deno.mkdirSync(crashed);
    for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, `${crashed}/espalier.db${suffix}`);
    db.close();
    const before = contents(crashed);
    Deno.chmodSync(crashed, 0o500);
    // What was only in the log is seen.
    assert.match(broken(reportOf(`${crashed}/espalier.db`)).counters_fit ?? "", /t7/);
    Deno.chmodSync(crashed, 0o700);
    assert.deepEqual(contents(crashed), before);
  }));

Deno.test("what is no store is refused with a word why", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO schema_versions VALUES (99, 0)");
    db.close();
    const newer = verifyStore(path);
    assert.match(newer.ok ? "" : newer.message, /schema version 99/);
    Deno.writeFileSync(path, new Uint8Array());
    const empty = verifyStore(path);
    assert.match(empty.ok ? "" : empty.message, /it is no store yet/);
    Deno.writeTextFileSync(
      path,
      "this is no database, but long enough to be taken for the head of one: ".repeat(20),
    );
    assert.match(broken(reportOf(path)).file_sound ?? "", /not a database/);
  }));

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => [name, Deno.readFileSync(`${folder}/${name}`).toHex()]),
  );
}
