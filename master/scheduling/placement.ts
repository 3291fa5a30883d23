/**
 * Placement: which worker gets the next task.
 *
 * Promise: pure; a task goes to the least loaded worker that has the executor, a place, the resources, the labels and
 * the time. A worker that failed the task is taken only where no other would do.
 * Not here: leases (cluster/), the order of tasks (queue.ts).
 *
 * @module
 */
import type { DeviceBooks } from "../../shared/model/device_books.ts";
import { addResources, fitsWithoutGpus, type Resources } from "../../shared/model/resources.ts";
import type { Needs } from "./queue.ts";

/** A worker as placement sees it. */
export interface WorkerView {
  readonly id: string;
  readonly slots: number;
  /** Attempts that it has, waiting ones included. */
  readonly held: number;
  /** Of the pool, what is left; the GPUs are in `devices`. */
  readonly free: Resources;
  readonly devices: Pick<DeviceBooks, "choose">;
  readonly labels: ReadonlySet<string>;
  /** How long it will still be there; Infinity where nobody knows. */
  readonly timeLeftMs: number;
  readonly executors: ReadonlySet<string>;
  /** It is kept for these: others of their priority or a lower one get nothing there that these will need. */
  readonly reserved?: Reserved | undefined;
}

/** For whom a worker is kept. */
export type Reserved = Pick<Needs, "lane" | "priority" | "resources">;

/** What placement is asked. */
export interface PlacementOrder {
  readonly needs: Needs;
  /** How many attempts a worker may have beyond its slots; only for tasks that a slot of any worker will do for. */
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
  return worker.executors.has(needs.evaluatorKind) && worker.held >= worker.slots && hasFree(worker, needs);
}

/** Whether a worker can take a task of these needs now. */
export function hasRoom(worker: WorkerView, order: Pick<PlacementOrder, "needs" | "prefetch">): boolean {
  const { needs } = order;
  if (!worker.executors.has(needs.evaluatorKind) || isKeptForOthers(worker, needs)) return false;
  if (!needs.isPlain) return worker.held < worker.slots && hasFree(worker, needs);
  return worker.held < worker.slots || worker.held < worker.slots + order.prefetch(worker);
}

/** Whether a worker has what a task needs beside a slot: nobody uses it now. */
function hasFree(worker: WorkerView, needs: Needs): boolean {
  if (needs.isPlain) return true;
  const { resources } = needs;
  return fitsWithoutGpus(resources, worker.free) && hasTraits(worker, needs, worker.timeLeftMs) &&
    (resources.gpus === 0 || worker.devices.choose(resources) !== undefined);
}

/** Whether a worker is such as a task asks for, whatever is used of it. @param timeLeftMs how long it will be there */
export function hasTraits(
  { labels }: Pick<WorkerView, "labels">,
  { resources, minTimeMs }: Needs,
  timeLeftMs: number,
): boolean {
  return timeLeftMs >= minTimeMs && (resources.labels?.every((label) => labels.has(label)) ?? true);
}

function isKeptForOthers(worker: WorkerView, { lane, priority, resources }: Needs): boolean {
  const { reserved } = worker;
  if (reserved === undefined || reserved.lane === lane || priority > reserved.priority) return false;
  return !leavesRoom(worker, resources, reserved.resources);
}

/**
 * Whether a task that needs no GPU leaves room for one that waits for GPUs alone: they may be long in coming, and a
 * machine's cores are not to stand idle for as long.
 */
function leavesRoom(worker: WorkerView, need: Resources, kept: Resources): boolean {
  if (kept.gpus === 0 || need.gpus > 0) return false;
  return worker.held + 1 < worker.slots && fitsWithoutGpus(addResources(need, kept), worker.free);
}
