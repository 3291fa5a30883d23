/**
 * Dispatch: gives tasks to slots, offers free slots to experiments, and moves waiting attempts to idle workers.
 *
 * Promise: no barrier: whatever is free is given at the end of the turn that freed it.
 * Not here: which worker (scheduling/placement.ts), which task (scheduling/queue.ts).
 *
 * @module
 */
import type { Epoch } from "../../shared/model/ids.ts";
import { lacksOnlySlot, leastLoaded, type PlacementOrder, type WorkerView } from "../scheduling/placement.ts";
import type { ClusterCore } from "./core.ts";
import { grantLease, type Group, type LiveTask } from "./live_task.ts";
import { offer } from "./offers.ts";
import { recall } from "./recall.ts";
import { Seat } from "./seat.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Attempts longer than this are never prefetched: waiting on one worker would cost more than a round trip. */
const PREFETCH_TASK_MAX_MS = 1_000;
/** Work that waits on a slot of short tasks covers a round trip and a commit. */
const PREFETCH_SPAN_MS = 25;

/** Called at the end of each turn. */
export function dispatch(core: ClusterCore): void {
  const { epoch } = core;
  if (epoch === undefined || core.lost !== undefined || core.log.isBehind) return;
  const nowMs = core.context.now();
  const seats: Seat[] = [];
  for (const worker of core.workers.values()) if (worker.isAvailable(nowMs)) seats.push(new Seat(worker));
  if (seats.length === 0) return;
  if (!core.queue.isEmpty) place(core, epoch, seats, nowMs);
  offer(core, seats);
  if (core.queue.isEmpty) recall(core, seats);
}

function place(core: ClusterCore, epoch: Epoch, seats: readonly Seat[], nowMs: number): void {
  const rooms = new PrefetchRooms(core);
  const setAside: LiveTask[] = [];
  const draw = core.queue.draw();
  for (let next = draw.next(); next !== undefined; next = draw.next()) {
    const { task, needs } = next;
    const exclude = task.attempts[0]?.worker.id;
    const order: PlacementOrder = { needs, prefetch: rooms.of(task.group), avoid: task.avoid, exclude };
    const seat = leastLoaded.choose(seats, order);
    if (seat !== undefined) {
      core.takeOut(task);
      assign(core, epoch, task, seat.record, nowMs);
    } else if (exclude !== undefined && leastLoaded.choose(seats, { ...order, exclude: undefined })) {
      // Room for others of its needs, but not for this one: only where it has an attempt already.
      core.takeOut(task);
      setAside.push(task);
    } else {
      draw.block(needs);
      // What needs a slot would wait for ever where each slot that ends has another attempt waiting for it.
      if (seats.some((each) => lacksOnlySlot(each, needs))) rooms.close();
    }
  }
  for (const task of setAside.reverse()) core.enqueueFront(task);
}

function assign(
  core: ClusterCore,
  epoch: Epoch,
  task: LiveTask,
  worker: WorkerRecord,
  nowMs: number,
): void {
  const attempt = grantLease(task, epoch, worker, nowMs);
  if (attempt === "settling" || attempt === "enough_live") {
    throw new Error(`task ${task.id} was queued although ${attempt}`);
  }
  core.young.push(attempt);
  core.say(worker.session, {
    type: "assign",
    epoch,
    task: task.id,
    attempt: attempt.lease.attempt,
    template: task.group.templateBytes,
    payload: task.payload,
  });
}

type Room = (worker: WorkerView) => number;

const NO_ROOM: Room = () => 0;

/** How many attempts of each group may wait on a worker, beyond its slots, in this turn. */
class PrefetchRooms {
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
