/**
 * Pruning: a task ends for what it has reported, by its experiment's word.
 *
 * Promise: the decision outlives every attempt: one that is lost is not run again, its last counted report is the
 * outcome's. Of `completed` and `pruned`, whichever enters the commit queue first is the outcome.
 * Not here: who decides so (the experiment's pruner).
 *
 * @module
 */
import type { GroupId } from "../../shared/model/ids.ts";
import type { ClusterCore } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import { endAttempt, settle } from "./settle.ts";

/** An experiment wants no more of one of its trials. A task that has its outcome, or is about to, keeps it. */
export function pruneTask(core: ClusterCore, group: GroupId, number: number): void {
  const task = core.groups.get(group)?.open.get(number);
  if (task === undefined || task.state === "settling" || task.isPruned) return;
  task.isPruned = true;
  // Those that are away are told when they come back.
  for (const attempt of task.attempts) endAttempt(core, attempt, "pruned");
  pruneIfAlone(core, task);
}

/** A task that is to be pruned has its outcome as soon as nothing runs that may still complete it. */
export function pruneIfAlone(core: ClusterCore, task: LiveTask): void {
  core.takeOut(task);
  if (task.attempts.length > 0) return;
  const { attempt, metrics = {} } = task.measured ?? {};
  settle(core, {
    task,
    outcome: { state: "pruned", metrics },
    lease: attempt?.lease,
    worker: attempt?.worker.id ?? "",
    elapsedMs: attempt === undefined ? 0 : core.context.now() - attempt.startedAtMs,
    acknowledgeTo: undefined,
  });
}
