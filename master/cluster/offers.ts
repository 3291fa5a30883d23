/**
 * Offers: free slots for experiments, which propose a trial only when one can begin.
 *
 * Promise: never more is asked for than is free, less what is on its way, nor more than an experiment may run at once;
 * what was offered is kept until its trial has come or was declined. Experiments take turns with queued tasks of their
 * priority and with each other.
 *
 * @module
 */
import { hasRoom, lacksOnlySlot, leastLoaded, type PlacementOrder } from "../scheduling/placement.ts";
import type { Needs } from "../scheduling/queue.ts";
import type { ClusterCore, Source } from "./core.ts";
import { idleSlots, type Seat } from "./seat.ts";

/** The offers of one turn. */
export class Offers {
  readonly #core: ClusterCore;
  readonly #seats: readonly Seat[];
  /** Experiments that would take a slot, and were not found to have none in this turn. */
  readonly #waiting: Source[] = [];
  readonly #counts = new Map<Source, number>();
  /** Slots of trials whose outcomes are being committed: whoever had them is asked after it was told. */
  #untold = 0;

  constructor(core: ClusterCore, seats: readonly Seat[]) {
    this.#core = core;
    this.#seats = seats;
    if (core.sources.size === 0) return;
    const connected = core.connectedWorkers;
    for (const source of core.sources.values()) {
      keepPromises(source, seats);
      this.#untold += untold(source);
      if (isWaiting(source, connected)) this.#waiting.push(source);
    }
  }

  /** The experiment whose turn it is. */
  next(): Source | undefined {
    let best: Source | undefined;
    for (const source of this.#waiting) if (best === undefined || goesBefore(source, best)) best = source;
    return best;
  }

  /** Offers it one slot; not where there is none for it: it is passed over then for the rest of this turn. */
  offer(source: Source): "offered" | "no_slot" | "only_slot_missing" {
    const { needs } = source.group;
    const seat = this.#hasSlot(source) ? leastLoaded.choose(this.#seats, orderOf(needs)) : undefined;
    if (seat === undefined) {
      this.#pass(source);
      return this.#seats.some((each) => lacksOnlySlot(each, needs)) ? "only_slot_missing" : "no_slot";
    }
    seat.promise(needs.resources);
    source.offered += 1;
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
    this.#core.queue.charge(source.share, 1);
    if (isAtLimit(source)) this.#pass(source);
    return "offered";
  }

  /** Tells the experiments what they were offered. */
  send(): void {
    for (const [source, count] of this.#counts) {
      this.#core.context.send(source.ref, { type: "wanted", count });
    }
  }

  #hasSlot(source: Source): boolean {
    if (idleSlots(this.#seats) <= this.#untold) return false;
    const { needs } = source.group;
    return this.#seats.reduce((sum, seat) => sum + freeSlots(seat, needs), 0) > untold(source);
  }

  #pass(source: Source): void {
    this.#waiting.splice(this.#waiting.indexOf(source), 1);
  }
}

/** Whether an experiment has as many trials as it may have at once. */
export function isAtLimit(source: Source): boolean {
  return source.group.open.size + source.offered + source.submitting >= source.maxConcurrent;
}

/** Slots that it was offered are not given to others while its trials are on their way. */
function keepPromises(source: Source, seats: readonly Seat[]): void {
  const { needs } = source.group;
  for (let i = source.offered + source.submitting; i > 0; i--) {
    const seat = leastLoaded.choose(seats, orderOf(needs));
    if (seat === undefined) return;
    seat.promise(needs.resources);
  }
}

function untold(source: Source): number {
  return source.committing - source.submitting;
}

function isWaiting(source: Source, connected: number): boolean {
  if (!source.started && connected >= source.minWorkers) source.started = true;
  return source.started && source.wants && !isAtLimit(source);
}

function goesBefore(a: Source, b: Source): boolean {
  const [first, second] = [a.group.needs.priority, b.group.needs.priority];
  return first === second ? a.share.turn < b.share.turn : first > second;
}

function orderOf(needs: Needs): PlacementOrder {
  return { needs, prefetch: () => 0, avoid: undefined, exclude: undefined };
}

function freeSlots(seat: Seat, needs: Needs): number {
  if (!hasRoom(seat, { needs, prefetch: () => 0 })) return 0;
  const { cpus, memoryBytes } = needs.resources;
  const free = seat.free;
  return Math.min(
    seat.idle,
    cpus > 0 ? Math.floor(free.cpus / cpus + 1e-9) : Infinity,
    memoryBytes > 0 ? Math.floor(free.memoryBytes / memoryBytes) : Infinity,
    seat.devices.countFree(needs.resources),
  );
}
