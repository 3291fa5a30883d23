/**
 * Prefetch: how many attempts may wait on a worker beyond its slots, and how many tasks make one turn.
 *
 * Promise: work that waits on a worker covers a round trip and no more; long tasks, tasks with a deadline and trials
 * never wait there.
 *
 * @module
 */
import type { WorkerView } from "../scheduling/placement.ts";
import type { ClusterCore } from "./core.ts";
import type { Group } from "./live_task.ts";

/** Attempts longer than this are never prefetched: waiting on one worker would cost more than a round trip. */
const PREFETCH_TASK_MAX_MS = 1_000;
/** Work that waits on a slot of short tasks covers a round trip and a commit. */
const PREFETCH_SPAN_MS = 25;
/** Tasks that a share gives in one turn at most, however short they are. */
export const TURN_TASKS_MAX = 64;

type Room = (worker: WorkerView) => number;

const NO_ROOM: Room = () => 0;

/** How many attempts of each group may wait on a worker, beyond its slots, in this turn. */
export class PrefetchRooms {
  readonly #core: ClusterCore;
  readonly #rooms = new Map<Group, Room>();
  #isClosed = false;

  constructor(core: ClusterCore) {
    this.#core = core;
  }

  of(group: Group): Room {
    if (this.#isClosed) return NO_ROOM;
    let room = this.#rooms.get(group);
    if (room === undefined) {
      room = prefetchRoom(this.#core, group);
      this.#rooms.set(group, room);
    }
    return room;
  }

  /** No more is prefetched in this turn. */
  close(): void {
    this.#isClosed = true;
  }
}

/** By the slots of the worker and the observed length of the group's tasks. */
function prefetchRoom(core: ClusterCore, group: Group): Room {
  const { meanMs, template } = group;
  const max = core.options.prefetchMax;
  // Deadlines and experiments: a waiting attempt would be an unwatched clock, or a proposal made too early.
  if (meanMs === undefined || meanMs > PREFETCH_TASK_MAX_MS || template.deadlineMs !== undefined) {
    return NO_ROOM;
  }
  if (max === 0 || core.sources.has(group.id)) return NO_ROOM;
  const perSlot = Math.max(1, Math.ceil(PREFETCH_SPAN_MS / Math.max(meanMs, 0.01)));
  return (worker) => Math.min(max, worker.slots * perSlot);
}

/** How many tasks of a group are given in one turn: one, or as many short ones as fit into the prefetched span. */
export function turnTasks({ meanMs }: Group): number {
  if (meanMs === undefined || meanMs > PREFETCH_SPAN_MS) return 1;
  return Math.min(TURN_TASKS_MAX, Math.ceil(PREFETCH_SPAN_MS / Math.max(meanMs, 0.01)));
}
