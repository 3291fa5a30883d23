/**
 * Whether what attempts went on from was recorded, and whether what is kept of tasks is what should be.
 *
 * @module
 */
import {
  type CheckpointPolicy,
  CHECKPOINTS_DEFAULT,
  isFileName,
  SHA256_PATTERN,
} from "../../shared/model/artifact.ts";
import type { CheckpointRows, ContinuedRow, KeptRow } from "./checkpoint_rows.ts";
import type { Findings } from "./findings.ts";

/** What the rows are compared with. */
export interface CheckpointContext {
  readonly newestEpoch: number;
  /** The first task row that is not there. */
  readonly nextTask: number;
  /** Of a group; undefined where its template cannot be read. */
  policy(groupSeq: number): CheckpointPolicy | undefined;
}

/** Checks checkpoints, files and the chains of attempts. */
export function checkCheckpoints(rows: CheckpointRows, context: CheckpointContext, findings: Findings): void {
  for (const row of rows.continued()) checkContinued(row, context, findings);
  for (const row of rows.kept()) checkKept(row, context, findings);
  for (const { task, name, sha256, bytes } of rows.files()) {
    findings.expect(
      "checkpoints_kept",
      isTask(task, context) && isFileName(name) && SHA256_PATTERN.test(sha256) && bytes >= 0,
      () => [`a file of task row ${task} is none`, { task, name, sha256, bytes }],
    );
  }
}

function checkContinued(row: ContinuedRow, context: CheckpointContext, findings: Findings): void {
  const { task, epoch, attempt, fromEpoch, fromAttempt, step, fromAbove, isSaved } = row;
  const isEarlier = fromEpoch < epoch || (fromEpoch === epoch && fromAttempt < attempt);
  findings.expect(
    "checkpoints_kept",
    isTask(task, context) && isSaved && epoch >= 1 && epoch <= context.newestEpoch,
    () => [`attempt ${attempt} of task row ${task} goes on from a checkpoint that was never recorded`, {
      row,
    }],
  );
  // So a chain ends, and none of its steps is there twice.
  findings.expect(
    "curve_whole",
    isEarlier && step >= (fromAbove ?? 0),
    () => [`attempt ${attempt} of task row ${task} goes on from one that does not come before it`, { row }],
  );
}

function checkKept(row: KeptRow, context: CheckpointContext, findings: Findings): void {
  const { task, count, untold, hasOutcome, groupSeq } = row;
  findings.expect(
    "checkpoints_kept",
    isTask(task, context) && groupSeq !== null && untold === 0,
    () => [`checkpoints of task row ${task} are kept that no report tells of`, { row }],
  );
  const policy = groupSeq === null ? undefined : context.policy(groupSeq) ?? CHECKPOINTS_DEFAULT;
  if (policy === undefined) return;
  const most = hasOutcome ? (policy.keepEnded ? 1 : 0) : policy.keep;
  findings.expect(
    "checkpoints_kept",
    count <= most,
    () => [`of task row ${task} ${count} checkpoints are kept, ${most} should be`, { row, policy }],
  );
}

function isTask(task: number, { nextTask }: CheckpointContext): boolean {
  return task >= 1 && task < nextTask;
}
