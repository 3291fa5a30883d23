/**
 * Placement: which worker gets the next task.
 *
 * Promise: pure; a task goes to the least loaded worker that has the executor, a place and the resources. A worker that
 * failed the task is taken only where no other would do.
 * Not here: leases (cluster/), the order of tasks (queue.ts).
 *
 * @module
 */
import { fits, needsNothing } from "../../shared/model/resources.ts";
import type { Resources } from "../../shared/model/resources.ts";
import type { Needs } from "./queue.ts";

/** A worker as placement sees it. */
export interface WorkerView {
  readonly id: string;
  readonly slots: number;
  /** Attempts that it has, waiting ones included. */
  readonly held: number;
  /** Of the pool, what is left. */
  readonly free: Resources;
  readonly executors: ReadonlySet<string>;
  /** It is kept for these: others of their priority or a lower one get nothing there. */
  readonly reserved?: Reserved | undefined;
}

/** For whom a worker is kept. */
export interface Reserved {
  readonly lane: string;
  readonly priority: number;
}

/** What placement is asked. */
export interface PlacementOrder {
  readonly needs: Needs;
  /** How many attempts a worker may have beyond its slots; only for tasks that need nothing but a slot. */
  readonly prefetch: (worker: WorkerView) => number;
  /** Taken only where no other would do. */
  readonly avoid: string | undefined;
  /** Never taken: it has an attempt of this task. */
  readonly exclude: string | undefined;
}

/** A policy of placement. */
export interface Placement {
  choose<W extends WorkerView>(fleet: readonly W[], order: PlacementOrder): W | undefined;
}

/** The least loaded worker: the one with the smallest share of its slots taken. */
export const leastLoaded: Placement = {
  choose<W extends WorkerView>(fleet: readonly W[], order: PlacementOrder): W | undefined {
    let best: W | undefined;
    let bestLoad = Infinity;
    for (const worker of fleet) {
      if (!hasRoom(worker, order) || worker.id === order.exclude) continue;
      const load = worker.held / worker.slots + (worker.id === order.avoid ? 1e6 : 0);
      if (load < bestLoad) {
        best = worker;
        bestLoad = load;
      }
    }
    return best;
  },
};

/** Whether a task of these needs could begin if one of the worker's attempts ended. */
export function lacksOnlySlot(worker: WorkerView, needs: Needs): boolean {
  return worker.executors.has(needs.evaluatorKind) && worker.held >= worker.slots &&
    fits(needs.resources, worker.free);
}

/** Whether a worker can take a task of these needs now. */
export function hasRoom(worker: WorkerView, order: Pick<PlacementOrder, "needs" | "prefetch">): boolean {
  if (!worker.executors.has(order.needs.evaluatorKind) || isKeptForOthers(worker, order.needs)) return false;
  if (!needsNothing(order.needs.resources)) {
    return worker.held < worker.slots && fits(order.needs.resources, worker.free);
  }
  return worker.held < worker.slots || worker.held < worker.slots + order.prefetch(worker);
}

function isKeptForOthers({ reserved }: WorkerView, { lane, priority }: Needs): boolean {
  return reserved !== undefined && reserved.lane !== lane && priority <= reserved.priority;
}
