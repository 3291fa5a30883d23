/**
 * The cluster's own sanity: what must hold after every turn, whatever came.
 *
 * @module
 */
import { DeviceBooks } from "../../shared/model/device_books.ts";
import { addResources, NO_RESOURCES } from "../../shared/model/resources.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { ClusterCore } from "./core.ts";
import { LIVE_LEASES_MAX } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** What does not hold; empty where all is well. */
export function checkCluster(core: ClusterCore): readonly string[] {
  const wrong: string[] = [];
  const queued = new Set(core.queue);
  for (const task of core.tasks.values()) {
    if (task.group.open.get(task.number) !== task) {
      wrong.push(`${task.id} is not among its group's open tasks`);
    }
    if ((task.state === "queued") !== queued.has(task)) {
      wrong.push(`${task.id} is ${task.state} and not so in the queue`);
    }
    if ((task.state === "delayed") !== (task.delay !== undefined)) {
      wrong.push(`${task.id} is ${task.state} and its delay does not say so`);
    }
    if (task.state === "queued" && task.attempts.length >= LIVE_LEASES_MAX) {
      wrong.push(`${task.id} waits for a lease that it may not have`);
    }
    const isEnding = task.ending !== undefined && task.ending.leases.length > 0;
    if (task.state === "queued" && isEnding) {
      wrong.push(`${task.id} waits for a slot and an end of it is not durable`);
    }
    if (task.state === "queued" && task.isPruned) wrong.push(`${task.id} is pruned and waits for a slot`);
    if (task.state === "out" && task.attempts.length === 0 && !isEnding) {
      wrong.push(`${task.id} is out without an attempt`);
    }
    const live = task.attempts.filter((each) => !each.doubtful && each.cancelling === undefined);
    if (live.length > LIVE_LEASES_MAX) wrong.push(`${task.id} has ${live.length} live leases`);
    if (new Set(task.attempts.map((each) => leaseKey(each.lease))).size !== task.attempts.length) {
      wrong.push(`${task.id} has one lease twice`);
    }
  }
  for (const task of queued) if (!core.isOpen(task)) wrong.push(`${task.id} is queued and not open`);
  if (queued.size !== core.queue.size) {
    wrong.push(`the queue counts ${core.queue.size} and holds ${queued.size}`);
  }
  for (const worker of core.workers.values()) {
    let drawn = NO_RESOURCES;
    for (const attempt of worker.attempts) {
      drawn = addResources(drawn, attempt.task.group.template.resources);
      const key = leaseKey(attempt.lease);
      if (attempt.ended) wrong.push(`${key} has ended and is still held by ${worker.id}`);
      if (!attempt.task.attempts.includes(attempt)) wrong.push(`${key} is unknown to its task`);
    }
    wrong.push(...checkDevices(worker));
    for (const kind of ["cpus", "memoryBytes", "gpus"] as const) {
      if (Math.abs(drawn[kind] - worker.drawn[kind]) > 1e-6) {
        wrong.push(`${worker.id} has drawn ${kind} wrongly`);
      }
      // Of GPUs, whatever their worker says that its leases have.
      if (kind === "gpus") continue;
      if (worker.slots > 0 && worker.drawn[kind] > worker.pool[kind] + 1e-6 && worker.registrations === 1) {
        wrong.push(`${worker.id} has drawn more ${kind} than it has`);
      }
    }
  }
  return wrong;
}

/** Whether what is used of each GPU is what the attempts have of it. */
function checkDevices({ id: worker, attempts, devices }: WorkerRecord): readonly string[] {
  const kept = devices.books.uses();
  if (kept.length === 0) return [];
  const books = new DeviceBooks(devices.live());
  for (const attempt of attempts) books.draw(attempt.devices, attempt.task.group.template.resources);
  return books.uses().filter(({ used }, index) => used !== kept[index]?.used)
    .map(({ id, used }) => `${worker} uses ${used} of ${id} and has drawn it wrongly`);
}
