/**
 * Offers: free slots for experiments, which propose a trial only when one can begin.
 *
 * Promise: never more is asked for than is free, less what is on its way; those of the highest priority first, equals in
 * equal parts and in turn.
 *
 * @module
 */
import { hasRoom, type PlacementOrder } from "../scheduling/placement.ts";
import type { ClusterCore, Source } from "./core.ts";
import { idleSlots, type Seat } from "./seat.ts";

/** Offers what is free to the experiments that would take it. */
export function offer(core: ClusterCore, seats: readonly Seat[]): void {
  if (core.sources.size === 0) return;
  const connected = core.connectedWorkers;
  const waiting: Source[] = [];
  let promised = 0;
  for (const source of core.sources.values()) {
    promised += source.offered + source.committing;
    if (isWaiting(source, connected)) waiting.push(source);
  }
  waiting.sort((a, b) => b.group.needs.priority - a.group.needs.priority || a.turn - b.turn);
  // What waits in the queue fits into none of these slots, or it would have been placed.
  let budget = idleSlots(seats) - promised;
  for (const [index, source] of waiting.entries()) {
    if (budget <= 0) return;
    const usable = seats.reduce((sum, seat) => sum + freeSlots(seat, source), 0);
    const part = Math.ceil(budget / equalsFrom(waiting, index));
    const count = Math.min(part, usable - source.offered - source.committing);
    if (count <= 0) continue;
    budget -= count;
    source.offered += count;
    source.turn = core.nextTurn++;
    core.context.send(source.ref, { type: "wanted", count });
  }
}

function isWaiting(source: Source, connected: number): boolean {
  if (!source.started && connected >= source.minWorkers) source.started = true;
  return source.started && source.wants;
}

/** How many sources from here on have the same priority. */
function equalsFrom(waiting: readonly Source[], from: number): number {
  const priority = waiting[from]?.group.needs.priority;
  let count = 0;
  for (let i = from; i < waiting.length && waiting[i]?.group.needs.priority === priority; i++) count += 1;
  return count;
}

function freeSlots(seat: Seat, source: Source): number {
  const { needs } = source.group;
  const order: Pick<PlacementOrder, "needs" | "prefetch"> = { needs, prefetch: () => 0 };
  if (!hasRoom(seat, order)) return 0;
  const { cpus, memoryBytes, gpus } = needs.resources;
  const free = seat.free;
  return Math.min(
    seat.idle,
    cpus > 0 ? Math.floor(free.cpus / cpus + 1e-9) : Infinity,
    memoryBytes > 0 ? Math.floor(free.memoryBytes / memoryBytes) : Infinity,
    gpus > 0 ? Math.floor(free.gpus / gpus + 1e-9) : Infinity,
  );
}
