/**
 * Dispatch: gives tasks to slots, offers free slots to experiments, and moves waiting attempts to idle workers.
 *
 * Promise: no barrier: whatever is free is given at the end of the turn that freed it.
 * Not here: which worker (scheduling/placement.ts), which task (scheduling/queue.ts).
 *
 * @module
 */
import { hasRoom, leastLoaded, type PlacementOrder, type WorkerView } from "../scheduling/placement.ts";
import { type ClusterCore, needsOf, type Source } from "./core.ts";
import { grantLease, type Group, type LiveTask } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Attempts longer than this are never prefetched: waiting on one worker would cost more than a round trip. */
const PREFETCH_TASK_MAX_MS = 1_000;
/** Work that waits on a slot of short tasks covers a round trip and a commit. */
const PREFETCH_SPAN_MS = 25;
/** What waits on a busy worker longer than this is taken back for an idle one. */
const RECALL_WAIT_MS = 20;
/** Where so many changes wait for the store, nothing more is given out: the disk is behind. */
const WAITING_CHANGES_MAX = 50_000;

class Seat implements WorkerView {
  readonly record: WorkerRecord;
  readonly id: string;
  readonly slots: number;
  readonly executors: ReadonlySet<string>;

  constructor(record: WorkerRecord) {
    this.record = record;
    this.id = record.id;
    // On probation one attempt at a time.
    this.slots = record.probation === undefined ? record.slots : 1;
    this.executors = record.executors;
  }

  get held(): number {
    return this.record.attempts.size;
  }

  get free() {
    return this.record.free;
  }
}

/** Called at the end of each turn. */
export function dispatch(core: ClusterCore): void {
  if (core.epoch === undefined || core.lost !== undefined || core.log.waiting > WAITING_CHANGES_MAX) return;
  const nowMs = core.context.now();
  const seats: Seat[] = [];
  for (const worker of core.workers.values()) if (worker.isAvailable(nowMs)) seats.push(new Seat(worker));
  if (seats.length === 0) return;
  if (!core.queue.isEmpty) place(core, seats, nowMs);
  offer(core, seats);
  if (core.queue.isEmpty) recall(core, seats);
}

function place(core: ClusterCore, seats: readonly Seat[], nowMs: number): void {
  const epoch = core.epoch;
  if (epoch === undefined) return;
  const draw = core.queue.draw();
  for (let next = draw.next(); next !== undefined; next = draw.next()) {
    const { task, needs } = next;
    const room = prefetchRoom(core, task.group);
    const seat = leastLoaded.choose(seats, {
      needs,
      prefetch: (worker) => room(worker.slots),
      avoid: task.failedOn.at(-1),
      exclude: task.attempts[0]?.worker.id,
    });
    if (seat === undefined) {
      // Room for others of its needs, but not for this one: it already has an attempt on the only worker with room.
      draw.block(needs);
      continue;
    }
    draw.take(needs);
    assign(core, task, seat.record, nowMs);
  }
}

function assign(core: ClusterCore, task: LiveTask, worker: WorkerRecord, nowMs: number): void {
  const epoch = core.epoch;
  if (epoch === undefined) return;
  const attempt = grantLease(task, epoch, worker, nowMs);
  if (attempt === "settling" || attempt === "enough_live") {
    throw new Error(`task ${task.id} was queued although ${attempt}`);
  }
  core.young.push(attempt);
  const { task: id, attempt: number } = attempt.lease;
  core.say(worker.session, {
    type: "assign",
    epoch,
    task: id,
    attempt: number,
    template: task.group.templateBytes,
    payload: task.payload,
  });
}

/** How many attempts of a group may wait on a worker, by its slots and the observed length of the tasks. */
function prefetchRoom(core: ClusterCore, group: Group): (slots: number) => number {
  const { meanMs, template } = group;
  const max = core.options.prefetchMax;
  // Deadlines and experiments: a waiting attempt would be a proposal made too early, or an unwatched clock.
  if (
    meanMs === undefined || meanMs > PREFETCH_TASK_MAX_MS || template.deadlineMs !== undefined || max === 0
  ) {
    return () => 0;
  }
  if (core.sources.has(group.id)) return () => 0;
  const perSlot = Math.max(1, Math.ceil(PREFETCH_SPAN_MS / Math.max(meanMs, 0.01)));
  return (slots) => Math.min(max, slots * perSlot);
}

/** Offers free slots to experiments: those of the highest priority first, in equal parts. */
function offer(core: ClusterCore, seats: readonly Seat[]): void {
  if (core.sources.size === 0) return;
  const connected = core.connectedWorkers;
  const waiting = [...core.sources.values()].filter((source) => isWaiting(source, connected));
  if (waiting.length === 0) return;
  waiting.sort((a, b) => b.group.template.priority - a.group.template.priority);
  const promised = [...core.sources.values()].reduce(
    (sum, source) => sum + source.offered + source.committing,
    0,
  );
  let budget = seats.reduce((sum, seat) => sum + Math.max(0, seat.slots - seat.held), 0) - core.queue.size -
    promised;
  for (let i = 0; i < waiting.length && budget > 0; i++) {
    const source = waiting[i];
    if (source === undefined) continue;
    const usable = seats.reduce((sum, seat) => sum + freeSlots(seat, source), 0);
    const count = Math.min(usable, Math.ceil(budget / equals(waiting, i)));
    if (count <= 0) continue;
    budget -= count;
    source.offered += count;
    core.context.send(source.ref, { type: "wanted", count });
  }
}

function isWaiting(source: Source, connected: number): boolean {
  if (!source.started && connected >= source.minWorkers) source.started = true;
  return source.started && source.wants;
}

/** How many sources from here on have the same priority. */
function equals(waiting: readonly Source[], from: number): number {
  const priority = waiting[from]?.group.template.priority;
  let count = 0;
  for (let i = from; i < waiting.length && waiting[i]?.group.template.priority === priority; i++) count += 1;
  return count;
}

function freeSlots(seat: Seat, source: Source): number {
  const template = source.group.template;
  const needs = { priority: 0, resources: template.resources, evaluatorKind: template.evaluator.kind };
  const order: Pick<PlacementOrder, "needs" | "prefetch"> = { needs, prefetch: () => 0 };
  if (!hasRoom(seat, order)) return 0;
  const { cpus, memoryBytes, gpus } = template.resources;
  const free = seat.free;
  const byPool = Math.min(
    cpus > 0 ? Math.floor(free.cpus / cpus + 1e-9) : Infinity,
    memoryBytes > 0 ? Math.floor(free.memoryBytes / memoryBytes) : Infinity,
    gpus > 0 ? Math.floor(free.gpus / gpus + 1e-9) : Infinity,
  );
  return Math.min(seat.slots - seat.held, byPool);
}

/** Takes back what waits on busy workers, as much as idle slots could begin at once. */
function recall(core: ClusterCore, seats: readonly Seat[]): void {
  let idle = seats.reduce((sum, seat) => sum + Math.max(0, seat.slots - seat.held), 0);
  if (idle === 0) return;
  const busy = seats.filter((seat) => seat.held > seat.slots).sort((a, b) =>
    b.held / b.slots - a.held / a.slots
  );
  for (const seat of busy) {
    const attempts = [...seat.record.attempts.values()];
    for (let i = attempts.length - 1; i >= seat.slots && idle > 0; i--) {
      const attempt = attempts[i];
      if (attempt === undefined) continue;
      const waitMs = (attempt.task.group.meanMs ?? 0) * (i - seat.slots + 1) / seat.slots;
      if (waitMs < RECALL_WAIT_MS) break;
      idle -= 1;
      if (attempt.recalled || attempt.cancelling !== undefined || !core.tasks.has(attempt.task.id)) continue;
      attempt.recalled = true;
      core.say(seat.record.session, { type: "recall", ...attempt.lease });
    }
  }
}

/** Why a task waits, in a sentence. */
export function explainWaiting(core: ClusterCore, task: LiveTask): string {
  if (core.lost !== undefined) return core.lost;
  const workers = [...core.workers.values()].filter((worker) => worker.session !== undefined);
  if (workers.length === 0) return "no worker is connected; start one with: espalier worker --master URL";
  const needs = needsOf(task);
  const kind = needs.evaluatorKind;
  const able = workers.filter((worker) => worker.executors.has(kind));
  if (able.length === 0) return `none of ${workers.length} workers runs evaluators of kind ${kind}`;
  const { cpus, memoryBytes, gpus } = needs.resources;
  const large = able.filter((worker) =>
    cpus <= worker.pool.cpus && memoryBytes <= worker.pool.memoryBytes && gpus <= worker.pool.gpus
  );
  if (large.length === 0) {
    return `needs ${cpus} cpus, ${memoryBytes} bytes of memory and ${gpus} gpus; no worker has as much`;
  }
  const nowMs = core.context.now();
  const available = large.filter((worker) => worker.isAvailable(nowMs));
  if (available.length === 0) {
    return `the ${large.length} workers that fit are silent, leaving or on probation`;
  }
  return `waits for a free slot: ${core.queue.size} tasks are queued`;
}
