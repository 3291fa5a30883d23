/**
 * Reservations: what needs much is not overtaken for ever by what needs little.
 *
 * Promise: tasks whose needs fit nowhere now, though some worker could take them, wait for a bounded number of other
 * placements or a bounded time; then the worker that could take them soonest is given nothing smaller of their priority
 * or a lower one, until one of them is placed.
 *
 * @module
 */
import { addResources, fits } from "../../shared/model/resources.ts";
import type { Needs } from "../scheduling/queue.ts";
import type { Reserved } from "../scheduling/placement.ts";
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
    const { lane, priority } = needs;
    const before = this.#waiting.get(lane);
    this.#passed.set(
      lane,
      before ?? { needs, lane, priority, sinceMs: nowMs, overtaken: 0, worker: undefined },
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
  if (!fits(needs.resources, seat.record.pool)) return Infinity;
  let { free, held } = seat;
  const ends = [...seat.record.attempts].map((attempt) => {
    const ranMs = nowMs - attempt.startedAtMs;
    const { meanMs, template } = attempt.task.group;
    // Of what nobody knows the length, half is over.
    return { leftMs: Math.max(0, (meanMs ?? 2 * ranMs) - ranMs), resources: template.resources };
  }).sort((a, b) => a.leftMs - b.leftMs);
  let inMs = 0;
  for (const { leftMs, resources } of ends) {
    if (held < seat.slots && fits(needs.resources, free)) return inMs;
    held -= 1;
    free = addResources(free, resources);
    inMs = leftMs;
  }
  return held < seat.slots && fits(needs.resources, free) ? inMs : Infinity;
}
