/**
 * Doubt: whether a worker that is silent or gone still runs what it was given.
 *
 * Promise: a session that ends makes leases doubtful, not lost; whoever is heard again has them back, unless another
 * attempt is further by then.
 * Not here: when silence makes doubtful or lost (silence.ts).
 *
 * @module
 */
import type { ClusterCore } from "./core.ts";
import { goOn } from "./failures.ts";
import { isFurther, otherAttempt, resume } from "./returns.ts";
import { endAttempt } from "./settle.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** A worker's session has ended: what it holds is doubtful from now on. */
export function detach(core: ClusterCore, worker: WorkerRecord): void {
  if (worker.session !== undefined) core.sessions.delete(worker.session.id);
  worker.session = undefined;
  makeDoubtful(core, worker);
}

/** A worker is silent or gone: its tasks may be given to others. */
export function makeDoubtful(core: ClusterCore, worker: WorkerRecord): void {
  if (worker.doubtful) return;
  worker.doubtful = true;
  const attempts = [...worker.attempts];
  for (const attempt of attempts) attempt.doubtful = true;
  // From the last to the first, so that the front of the queue has them in their order.
  for (const attempt of attempts.reverse()) goOn(core, attempt.task, 0);
}

/** A silent worker was heard again over the same session: its leases count again. */
export function makeCertain(core: ClusterCore, worker: WorkerRecord): void {
  if (!worker.doubtful || worker.session === undefined) return;
  worker.doubtful = false;
  worker.certainSinceMs = core.context.now();
  for (const attempt of worker.attempts) {
    attempt.doubtful = false;
    const task = attempt.task;
    if (!core.isOpen(task) || attempt.cancelling !== undefined) continue;
    const rival = otherAttempt(task.attempts, attempt);
    if (rival === undefined) resume(core, task);
    else endAttempt(core, isFurther(attempt, rival) ? rival : attempt, "duplicate");
  }
}
