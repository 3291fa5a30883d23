/**
 * Faults of checkpoints: which stay, which is gone on from, and what is seen of it as a curve.
 *
 * @module
 */
import type { SourceMutant } from "./named_mutant.ts";
import { all, evaluator, longAttempts, muchWork, rates, workers } from "./plans.ts";

const CHECKPOINTS = "master/cluster/checkpoints.ts";

const saving = all(workers(3, 2), muchWork, longAttempts, evaluator({ saves: 1 }));
const breaks = rates({ partition: 4, vanish: 4, workerPause: 3, workerKill: 3 });
const kills = rates({ masterKill: 4, workerKill: 4 });

/** What is made of a checkpoint. */
export const CHECKPOINT_MUTANTS: readonly SourceMutant[] = [
  {
    name: "restore_forgotten_after_recovery",
    fault: "a restarted master does not know the checkpoints of its open tasks",
    file: "master/cluster/recovery.ts",
    find: "recoverCheckpoints(core, recovered);",
    replace: "",
    caughtBy: ["checkpoints_kept"],
    adjust: all(saving, kills),
  },
  {
    name: "lowest_checkpoint_gone_on_from",
    fault: "a task goes on from the checkpoint that was saved first",
    file: CHECKPOINTS,
    find: "if (step < (task.checkpoint?.step ?? 0)) continue;",
    replace: "if (task.checkpoint !== undefined) continue;",
    caughtBy: ["checkpoints_kept"],
    adjust: all(saving, breaks),
  },
  {
    name: "stale_checkpoint_counted",
    fault: "a checkpoint counts that an attempt saved after it was told to end",
    file: CHECKPOINTS,
    find: "if (attempt === undefined || attempt.ended || attempt.cancelling !== undefined) return undefined;",
    replace: "if (attempt === undefined) return undefined;",
    caughtBy: ["checkpoints_kept"],
    adjust: all(saving, breaks),
  },
  {
    name: "keep_off_by_one",
    fault: "one checkpoint more stays than was asked for",
    file: CHECKPOINTS,
    find: "return (task.group.template.checkpoints ?? CHECKPOINTS_DEFAULT).keep;",
    replace: "return (task.group.template.checkpoints ?? CHECKPOINTS_DEFAULT).keep + 1;",
    caughtBy: ["checkpoints_kept"],
    adjust: saving,
  },
  {
    name: "checkpoint_in_place_of_its_report",
    fault: "a checkpoint is recorded, and the measurement before it is not",
    file: "worker/outbox_reports.ts",
    find: "const isReplacing = isFull && !isKept(measured) &&",
    replace: "const isReplacing = (isFull || isKept(measured)) &&",
    caughtBy: ["curve_whole"],
    adjust: all(saving, breaks),
  },
  {
    name: "assigned_before_its_row",
    fault: "an attempt goes on from a checkpoint before the store knows from which",
    file: CHECKPOINTS,
    find: "attempt.opened = true;",
    replace: "attempt.opened = true;\n  if (Object.isExtensible(attempt)) return assign();",
    caughtBy: ["checkpoints_kept"],
    adjust: all(saving, breaks),
  },
  {
    name: "checkpoints_stay_after_the_outcome",
    fault: "a task that has its outcome keeps its checkpoints",
    file: "master/store/memory_apply.ts",
    find: "task.checkpoints = change.keepCheckpoint === true ? highestOf(task.checkpoints, 1) : [];",
    replace: "",
    caughtBy: ["checkpoints_kept"],
    adjust: saving,
  },
  {
    name: "step_behind_a_checkpoint_twice",
    fault: "a curve has the step behind a checkpoint from both attempts",
    file: "master/store/memory_kept.ts",
    find: "report.step <= upTo",
    replace: "report.step <= upTo + 1",
    caughtBy: ["curve_whole"],
    adjust: all(saving, breaks),
  },
  {
    name: "curve_of_the_last_attempt_alone",
    fault: "a curve lacks what was measured before the checkpoint that its last attempt went on from",
    file: "master/store/curve_parts.ts",
    find: "attempt = from;",
    replace: "attempt = undefined;",
    caughtBy: ["curve_whole"],
    adjust: all(saving, breaks),
  },
];
