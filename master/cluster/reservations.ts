/**
 * Reservations: what needs much is not overtaken for ever by what needs little.
 *
 * Promise: tasks whose needs fit nowhere now, though some worker could take them, wait for a bounded number of other
 * placements or a bounded time; then the worker that could take them soonest is given nothing smaller of their priority
 * or a lower one, until one of them is placed.
 *
 * @module
 */
import { addResources, fitsWithoutGpus } from "../../shared/model/resources.ts";
import type { Needs } from "../scheduling/queue.ts";
import { hasTraits, type Reserved } from "../scheduling/placement.ts";
import type { LiveAttempt } from "./live_task.ts";
import type { Seat } from "./seat.ts";

/** So many placements of others may go before. */
export const OVERTAKEN_MAX = 1_000;
/** For so long others may go before. */
export const OVERTAKEN_MAX_MS = 10_000;

/** Needs that have been passed over. */
interface Waiting extends Reserved {
  readonly needs: Needs;
  readonly sinceMs: number;
  overtaken: number;
  /** The id of the worker that is kept for them. */
  worker: string | undefined;
}

/** Who waits for room, and which workers are kept for them. */
export class Reservations {
  #waiting = new Map<string, Waiting>();
  /** Those of the pass that runs. */
  #passed = new Map<string, Waiting>();

  /** The worker that is kept for tasks of these needs. */
  workerFor(needs: Needs): string | undefined {
    return this.#waiting.get(needs.lane)?.worker;
  }

  /** For whom a worker is kept. */
  of(worker: string): Needs | undefined {
    for (const each of this.#waiting.values()) if (each.worker === worker) return each.needs;
    return undefined;
  }

  /** Nobody waits. */
  clear(): void {
    if (this.#waiting.size > 0) this.#waiting.clear();
  }

  /** Before a pass: marks the seats that are kept for someone, and chooses for those who have waited for long enough. */
  apply(seats: readonly Seat[], nowMs: number): void {
    for (const waiting of this.#waiting.values()) {
      const kept = seats.find((seat) => seat.id === waiting.worker && seat.reserved === undefined);
      const isDue = waiting.overtaken >= OVERTAKEN_MAX ||
        nowMs - waiting.sinceMs >= OVERTAKEN_MAX_MS && waiting.overtaken > 0;
      const seat = kept ?? (isDue ? soonest(seats, waiting.needs, nowMs) : undefined);
      waiting.worker = seat?.id;
      if (seat !== undefined) seat.reserved = waiting;
    }
  }

  /** In a pass: no worker has room for these needs, whose turn it was. */
  blocked(needs: Needs, nowMs: number): void {
    const { lane, priority, resources } = needs;
    const before = this.#waiting.get(lane);
    this.#passed.set(
      lane,
      before ?? { needs, lane, priority, resources, sinceMs: nowMs, overtaken: 0, worker: undefined },
    );
  }

  /** In a pass: something of these needs was given a slot. Those that were blocked before are overtaken by it. */
  placed({ lane, priority }: Needs): void {
    if (this.#waiting.size > 0) this.#waiting.delete(lane);
    if (this.#passed.size === 0) return;
    for (const each of this.#passed.values()) if (priority <= each.priority) each.overtaken += 1;
  }

  /** After a pass: who was not blocked in it waits for no room. */
  passOver(): void {
    if (this.#waiting.size === 0 && this.#passed.size === 0) return;
    this.#waiting = this.#passed;
    this.#passed = new Map();
  }
}

/** The worker that could take a task of these needs soonest, by how long the attempts on it have taken so far. */
function soonest(seats: readonly Seat[], needs: Needs, nowMs: number): Seat | undefined {
  let best: Seat | undefined;
  let bestMs = Infinity;
  for (const seat of seats) {
    if (seat.reserved !== undefined || !seat.executors.has(needs.evaluatorKind)) continue;
    const waitMs = roomInMs(seat, needs, nowMs);
    if (waitMs < bestMs) {
      best = seat;
      bestMs = waitMs;
    }
  }
  return best;
}

/** In how long it would have room if nothing more were given to it; Infinity where it never has. */
function roomInMs(seat: Seat, needs: Needs, nowMs: number): number {
  const { resources } = needs;
  const { pool, devices: { books }, attempts } = seat.record;
  if (!fitsWithoutGpus(resources, pool) || !books.canInService(resources)) return Infinity;
  let { free, held } = seat;
  const devices = resources.gpus === 0 ? seat.devices : seat.devices.copy();
  const hasRoom = () =>
    held < seat.slots && fitsWithoutGpus(resources, free) && devices.choose(resources) !== undefined;
  let inMs = 0;
  for (const { leftMs, attempt } of inOrderOfEnd(attempts, nowMs)) {
    if (hasRoom()) break;
    const need = attempt.task.group.template.resources;
    held -= 1;
    free = addResources(free, need);
    if (resources.gpus > 0) devices.giveBack(attempt.devices, need);
    inMs = leftMs;
  }
  return hasRoom() && hasTraits(seat, needs, seat.timeLeftMs - inMs) ? inMs : Infinity;
}

/** Attempts by how long they will still run, as far as that can be told. */
function inOrderOfEnd(
  attempts: Iterable<LiveAttempt>,
  nowMs: number,
): readonly { readonly attempt: LiveAttempt; readonly leftMs: number }[] {
  return [...attempts].map((attempt) => {
    const ranMs = nowMs - attempt.startedAtMs;
    // Of what nobody knows the length, half is over.
    return { attempt, leftMs: Math.max(0, (attempt.task.group.meanMs ?? 2 * ranMs) - ranMs) };
  }).sort((a, b) => a.leftMs - b.leftMs);
}
