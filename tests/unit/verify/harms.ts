/**
 * Ways in which a stored run may be wrong, each with the check that says so.
 *
 * @module
 */
import type { CheckName } from "../../../master/verify/checks.ts";

/** One way in which a store may be wrong, as SQL; and the check that says so. */
export interface Harm {
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

/** Each harms a sample store in one way. */
export const HARMS: readonly Harm[] = [
  {
    check: "epoch_new",
    what: "a life is missing",
    sql: "DELETE FROM epochs WHERE number = 1",
    names: /epoch 2/,
  },
  {
    check: "epoch_new",
    what: "the store got its own id anew",
    sql: "INSERT INTO store SELECT id, 2 FROM store",
    names: /from epoch 2 on is no new one/,
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
    sql: `INSERT INTO ended_attempts SELECT 1000, task, epoch, attempt, 0, worker, 'returned', '', 0, 0
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
    sql: `UPDATE open_attempts SET task = ${PLAIN(1)} WHERE task = ${PLAIN(5)}`,
    names: /t7\/1 has its outcome, and 1 open attempts/,
  },
  {
    check: "retries_bounded",
    what: "a task failed more often than its policy allows",
    sql: `INSERT INTO ended_attempts SELECT 1000 + number, ${
      PLAIN(5)
    }, 1, 1 + number, 0, 'w', 'evaluator', '', 0, 0
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
    what: "a report is missing",
    sql: "DELETE FROM reports WHERE task = 1 AND number = 2",
    names: /does not follow/,
  },
  {
    check: "curve_whole",
    what: "a report is of no task",
    sql: "UPDATE reports SET task = 9999 WHERE task = 1",
    names: /"task":9999/,
  },
  {
    check: "curve_whole",
    what: "an attempt goes on from itself",
    sql: "UPDATE continued SET from_attempt = attempt",
    names: /does not come before it/,
  },
  {
    check: "checkpoints_kept",
    what: "an attempt goes on from a step at which nothing was saved",
    sql: "UPDATE continued SET step = 2.5",
    names: /never recorded/,
  },
  {
    check: "checkpoints_kept",
    what: "an attempt goes on from a checkpoint of a lease that was given up",
    sql: "UPDATE reports SET tells_of = 5 WHERE tells_of = 1",
    names: /never recorded/,
  },
  {
    check: "checkpoints_kept",
    what: "more checkpoints stay than were asked for",
    sql:
      `INSERT INTO checkpoints SELECT 100, task, epoch, attempt, 1, sha256, bytes FROM checkpoints LIMIT 1`,
    names: /3 checkpoints are kept, 2 should be/,
  },
  {
    check: "checkpoints_kept",
    what: "a checkpoint stays that no report tells of",
    sql: "UPDATE checkpoints SET step = 9 WHERE step = 2",
    names: /no report tells of/,
  },
  {
    check: "checkpoints_kept",
    what: "a file leaves its folder",
    sql: "UPDATE files SET name = '../plot.png'",
    names: /is none/,
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
