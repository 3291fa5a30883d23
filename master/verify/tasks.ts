/**
 * Every task with all that the store says of it, one at a time.
 *
 * Promise: each row of each table is looked at once; those that belong to no task are found.
 *
 * @module
 */
import type { CheckName } from "./checks.ts";
import { Cursor } from "./cursor.ts";
import type { Findings } from "./findings.ts";
import type { AttemptRow, OutcomeRow, SubmissionRow } from "./store_rows.ts";

/** A task, and what there is of it. */
export interface TaskFacts {
  /** Its id, as people know it. */
  readonly task: string;
  readonly seq: number;
  readonly groupSeq: number;
  readonly outcomes: readonly OutcomeRow[];
  readonly open: readonly AttemptRow[];
  readonly ended: readonly AttemptRow[];
}

/** The tables, each in the order of tasks. */
export interface TaskTables {
  readonly submissions: Iterable<SubmissionRow>;
  readonly tasks: Iterable<number>;
  readonly trials: Iterable<number>;
  readonly outcomes: Iterable<OutcomeRow>;
  readonly open: Iterable<AttemptRow>;
  readonly ended: Iterable<AttemptRow>;
}

/** Checks what belongs to what, and yields the tasks that there are. */
export function* readTasks(tables: TaskTables, findings: Findings): Generator<TaskFacts> {
  const tasks = new Cursor(tables.tasks, (seq) => seq);
  const trials = new Cursor(tables.trials, (seq) => seq);
  const outcomes = new Cursor(tables.outcomes, ({ task }) => task);
  const open = new Cursor(tables.open, ({ task }) => task);
  const ended = new Cursor(tables.ended, ({ task }) => task);
  const strays = (seq: number) => {
    findStrays("submissions_kept", "tasks", tasks.below(seq), findings);
    findStrays("submissions_kept", "trials", trials.below(seq), findings);
    findStrays("one_outcome", "outcomes", outcomes.below(seq), findings);
    findStrays("lease_once", "open_attempts", open.below(seq), findings);
    findStrays("lease_once", "ended_attempts", ended.below(seq), findings);
  };
  let next = 1;
  for (const submission of tables.submissions) {
    const { firstSeq, count } = submission;
    findings.expect(
      "submissions_kept",
      firstSeq === next && count > 0 && submission.group !== null,
      () => [`a submission begins at task row ${firstSeq}, where ${next} is the next`, { ...submission }],
    );
    for (let seq = Math.max(firstSeq, next); seq < firstSeq + count; seq++) {
      strays(seq);
      const task = `${submission.group}/${submission.first + seq - firstSeq}`;
      const [hasTask, hasTrial] = [tasks.at(seq).length === 1, trials.at(seq).length === 1];
      findings.expect(
        "submissions_kept",
        hasTask && hasTrial === submission.hasTrials,
        () => [
          `${task} was submitted, and ${hasTask ? "what it is as a trial does not fit" : "is not there"}`,
          { task, row: seq, submission: { ...submission } },
        ],
      );
      yield {
        task,
        seq,
        groupSeq: submission.groupSeq,
        outcomes: outcomes.at(seq),
        open: open.at(seq),
        ended: ended.at(seq),
      };
    }
    next = Math.max(next, firstSeq + count);
  }
  strays(Infinity);
}

function findStrays(check: CheckName, table: string, rows: readonly unknown[], findings: Findings): void {
  for (const row of rows) {
    findings.expect(check, false, () => [`a row of ${table} is of a task that nobody submitted`, { row }]);
  }
}

/** Within a group, each submission's numbers follow those of the one before. @param submissions by group and number */
export function checkRanges(submissions: Iterable<SubmissionRow>, findings: Findings): void {
  let group = 0, next = 1;
  for (const submission of submissions) {
    if (submission.groupSeq !== group) next = 1;
    group = submission.groupSeq;
    findings.expect(
      "submissions_kept",
      submission.first === next,
      () => [
        `a submission of ${submission.group} begins with number ${submission.first}, where ${next} is the next`,
        { ...submission },
      ],
    );
    next = Math.max(next, submission.first + submission.count);
  }
}
