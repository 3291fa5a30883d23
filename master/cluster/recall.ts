/**
 * Recall: what waits on a busy worker is taken back for an idle one. This is how work is stolen and the fleet rebalanced.
 *
 * Promise: nothing is recalled that an idle worker would not be given: it would come back for ever.
 *
 * @module
 */
import { hasRoom } from "../scheduling/placement.ts";
import type { ClusterCore } from "./core.ts";
import type { LiveAttempt, LiveTask } from "./live_task.ts";
import type { Seat } from "./seat.ts";

/** What waits on a busy worker longer than this is taken back for an idle one. */
const RECALL_WAIT_MS = 20;

/** Takes back as much as idle slots could begin at once. Called when nothing is queued. */
export function recall(core: ClusterCore, seats: readonly Seat[]): void {
  const idle = seats.filter((seat) => seat.idle > 0).map((seat) => ({ seat, room: seat.idle }));
  if (idle.length === 0) return;
  const busy = seats.filter((seat) => seat.held > seat.slots);
  busy.sort((a, b) => b.held / b.slots - a.held / a.slots);
  for (const seat of busy) {
    for (const attempt of waitingTooLong(seat)) {
      const { task } = attempt;
      if (attempt.cancelling !== undefined || !core.isOpen(task)) continue;
      const place = idle.find((each) => each.room > 0 && wouldTake(each.seat, task));
      if (place === undefined) continue;
      place.room -= 1;
      if (attempt.recalled) continue;
      attempt.recalled = true;
      core.say(seat.record.session, { type: "recall", ...attempt.lease });
    }
  }
}

/** What waits on a worker, the last first, as far as it waits too long. */
function waitingTooLong(seat: Seat): readonly LiveAttempt[] {
  const waiting = [...seat.record.attempts].slice(seat.slots);
  return waiting.filter((attempt, index) =>
    (attempt.task.group.meanMs ?? 0) * (index + 1) / seat.slots >= RECALL_WAIT_MS
  ).reverse();
}

/** Not where a slot is idle because its worker is kept for others. */
function wouldTake(seat: Seat, task: LiveTask): boolean {
  return seat.id !== task.avoid && hasRoom(seat, { needs: task.group.needs, prefetch: () => 0 });
}
