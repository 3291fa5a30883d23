/**
 * Cancelling tasks: the outcome is recorded at once; attempts keep their slots through their grace period.
 *
 * @module
 */
import type { GroupId, TaskId } from "../../shared/model/ids.ts";
import { decode, encode } from "../../shared/protocol/codec.ts";
import { type ClusterCore, commandError } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import type { ClusterMessage, CommandReply } from "./messages.ts";
import { settle } from "./settle.ts";

/** When whoever came too early should come back: a store is read in less, mostly. */
const COME_BACK_MS = 1_000;

/** Cancels all open tasks of a group. @returns how many */
export function cancelGroup(core: ClusterCore, id: GroupId): number {
  const group = core.groups.get(id);
  if (group === undefined) return 0;
  let cancelled = 0;
  for (const task of [...group.open.values()]) if (cancelTask(core, task)) cancelled += 1;
  return cancelled;
}

/** Cancels a task, unless its outcome is being recorded. @returns whether it did */
export function cancelTask(core: ClusterCore, task: LiveTask): boolean {
  if (task.state === "settling") return false;
  settle(core, {
    task,
    outcome: { state: "cancelled" },
    lease: undefined,
    worker: "",
    elapsedMs: 0,
    acknowledgeTo: undefined,
  });
  return true;
}

/** Cancels a task in the store alone: it was submitted, and that is not known to be durable. */
export function cancelUnheard(core: ClusterCore, task: TaskId): void {
  const outcome = { state: "cancelled" } as const;
  const atMs = core.context.wallClock();
  core.log.add({ type: "outcome", task, worker: "", outcome, attempts: 0, elapsedMs: 0, atMs });
}

/**
 * Carries out a client's `cancel`, once however often it comes.
 *
 * What the store keeps as the reply is how many were cancelled, or null where there was nothing to cancel.
 */
export function cancelCommand(core: ClusterCore, message: Extract<ClusterMessage, { type: "cancel" }>): void {
  const { from, token, group: id, number } = message;
  if (core.epoch === undefined) {
    const error = commandError("restarting", "the master is reading its store", "", COME_BACK_MS);
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  if (core.lost !== undefined) {
    const error = commandError("store_lost", core.lost, "an operator must decide");
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  const cancelled = core.groups.has(id) ? cancelOpen(core, id, number) : null;
  core.log.add(
    { type: "command", id: message.id, reply: encode(cancelled), changes: [] },
    (verdict, commit) => {
      const stored = verdict.type === "repeated" ? decode(verdict.reply) : cancelled;
      core.context.send(from, { type: "command_answered", token, reply: replyOf(id, stored, commit) });
    },
  );
}

function cancelOpen(core: ClusterCore, id: GroupId, number: number | null): number {
  if (number === null) return cancelGroup(core, id);
  const task = core.groups.get(id)?.open.get(number);
  return task !== undefined && cancelTask(core, task) ? 1 : 0;
}

function replyOf(id: GroupId, stored: unknown, commit: number): CommandReply {
  // What came first may have been a whole experiment's, which its registrar answered.
  if (stored !== null) {
    return { ok: true, value: typeof stored === "number" ? { cancelled: stored } : stored, commit };
  }
  const advice = "list experiments to see their ids";
  return { ok: false, error: commandError("unknown_group", `there is nothing open in ${id}`, advice) };
}
