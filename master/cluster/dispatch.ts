/**
 * Dispatch: gives tasks to slots, offers free slots to experiments, and moves waiting attempts to idle workers.
 *
 * Promise: no barrier: whatever is free is given at the end of the turn that freed it. A higher priority goes first,
 * whether it is queued or an experiment's; equals take turns.
 * Not here: which worker (scheduling/placement.ts), which task (scheduling/queue.ts), which experiment (offers.ts).
 *
 * @module
 */
import type { Epoch } from "../../shared/model/ids.ts";
import { lacksOnlySlot, leastLoaded, type PlacementOrder } from "../scheduling/placement.ts";
import type { Next } from "../scheduling/queue.ts";
import { assign } from "./assignment.ts";
import type { ClusterCore, Source } from "./core.ts";
import { grantLease, type LiveTask } from "./live_task.ts";
import { Offers } from "./offers.ts";
import { PrefetchRooms, turnTasks } from "./prefetch.ts";
import { recall } from "./recall.ts";
import { Seat } from "./seat.ts";
import { NO_DEVICES } from "./worker_devices.ts";

/** Called at the end of each turn. */
export function dispatch(core: ClusterCore): void {
  const { epoch } = core;
  if (epoch === undefined || core.lost !== undefined || core.log.isBehind) return;
  const nowMs = core.context.now();
  const seats: Seat[] = [];
  for (const worker of core.workers.values()) {
    if (worker.isAvailable(nowMs)) seats.push(new Seat(worker, nowMs));
  }
  if (seats.length === 0) return;
  if (core.queue.isEmpty && core.sources.size === 0) core.reservations.clear();
  else new Pass(core, epoch, seats, nowMs).run();
  if (core.queue.isEmpty) recall(core, seats);
}

/** One pass over all that would like a slot. */
class Pass {
  readonly #core: ClusterCore;
  readonly #epoch: Epoch;
  readonly #seats: readonly Seat[];
  readonly #nowMs: number;
  readonly #rooms: PrefetchRooms;
  readonly #draw;
  readonly #offers: Offers;
  readonly #setAside: Next<LiveTask>[] = [];

  constructor(core: ClusterCore, epoch: Epoch, seats: readonly Seat[], nowMs: number) {
    this.#core = core;
    this.#epoch = epoch;
    this.#seats = seats;
    this.#nowMs = nowMs;
    core.reservations.apply(seats, nowMs);
    this.#rooms = new PrefetchRooms(core);
    this.#draw = core.queue.draw();
    this.#offers = new Offers(core, seats);
  }

  run(): void {
    for (;;) {
      const next = this.#draw.next();
      const source = this.#offers.next();
      if (source !== undefined && (next === undefined || goesBefore(source, next))) this.#offer(source);
      else if (next !== undefined) this.#place(next);
      else break;
    }
    for (const { task, share } of this.#setAside.reverse()) {
      this.#core.enqueueFront(task);
      this.#core.queue.unpin(share);
    }
    this.#offers.send();
    this.#core.reservations.passOver();
  }

  #offer(source: Source): void {
    const { needs } = source.group;
    const answer = this.#offers.offer(source);
    const { reservations } = this.#core;
    if (answer === "offered") return reservations.placed(needs);
    if (answer === "only_slot_missing") this.#rooms.close();
    reservations.blocked(needs, this.#nowMs);
  }

  #place(next: Next<LiveTask>): void {
    const { task, needs, share } = next;
    const core = this.#core;
    const exclude = task.attempts[0]?.worker.id;
    const order: PlacementOrder = { needs, prefetch: this.#rooms.of(task.group), avoid: task.avoid, exclude };
    const seat = leastLoaded.choose(this.#seats, order);
    if (seat !== undefined) {
      core.takeOut(task);
      core.queue.charge(share, turnTasks(task.group));
      this.#assign(task, seat);
      core.reservations.placed(needs);
    } else if (exclude !== undefined && leastLoaded.choose(this.#seats, { ...order, exclude: undefined })) {
      // Room for others of its needs, but not for this one: only where it has an attempt already.
      core.queue.pin(share.name);
      core.takeOut(task);
      this.#setAside.push(next);
    } else {
      this.#draw.block(needs);
      core.reservations.blocked(needs, this.#nowMs);
      // What needs a slot would wait for ever where each slot that ends has another attempt waiting for it.
      if (this.#seats.some((each) => lacksOnlySlot(each, needs))) this.#rooms.close();
    }
  }

  #assign(task: LiveTask, seat: Seat): void {
    const core = this.#core;
    const { record: worker } = seat;
    const devices = devicesFor(task, seat);
    const attempt = grantLease(task, this.#epoch, worker, this.#nowMs, devices);
    if (attempt === "settling" || attempt === "enough_live") {
      throw new Error(`task ${task.id} was queued although ${attempt}`);
    }
    assign(core, attempt);
  }
}

/** The GPUs that a task gets. */
function devicesFor(task: LiveTask, seat: Seat): readonly string[] {
  const { resources } = task.group.template;
  if (resources.gpus === 0) return NO_DEVICES;
  const devices = seat.devices.choose(resources);
  if (devices === undefined) throw new Error(`task ${task.id} was placed where no devices are free`);
  seat.drew(devices, resources);
  return devices;
}

/** Whether an experiment is asked before a queued task is placed. */
function goesBefore(source: Source, { needs, share }: Next<LiveTask>): boolean {
  const { priority } = source.group.needs;
  return priority === needs.priority ? source.share.turn < share.turn : priority > needs.priority;
}
