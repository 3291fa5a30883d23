/**
 * Assignments: how a worker hears of a lease.
 *
 * Promise: one that begins at the beginning waits for no disk; one that goes on from a checkpoint waits until the store
 * knows from which.
 *
 * @module
 */
import type { Restore } from "../../shared/model/artifact.ts";
import { continueFrom } from "./checkpoints.ts";
import type { ClusterCore } from "./core.ts";
import { endAsTold } from "./failures.ts";
import type { LiveAttempt } from "./live_task.ts";

/** Assigns a lease that was just granted. */
export function assign(core: ClusterCore, attempt: LiveAttempt): void {
  core.young.push(attempt);
  const { checkpoint } = attempt.task;
  if (checkpoint === undefined) return say(core, attempt);
  continueFrom(
    core,
    attempt,
    checkpoint,
    () => {
      // Its worker could not hear a recall of what it had not heard of.
      attempt.recalled = false;
      say(core, attempt, checkpoint);
    },
    () => endAsTold(core, attempt, 0),
  );
}

function say(core: ClusterCore, { lease, task, worker, devices }: LiveAttempt, restore?: Restore): void {
  const { epoch, attempt } = lease;
  core.say(worker.session, {
    type: "assign",
    epoch,
    task: task.id,
    attempt,
    template: task.group.templateBytes,
    payload: task.payload,
    ...(devices.length > 0 && worker.devices.areNamed ? { devices: [...devices] } : {}),
    ...(restore === undefined ? {} : { restore }),
  });
}
