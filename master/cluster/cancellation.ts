/**
 * Cancelling tasks: the outcome is recorded at once; attempts keep their slots through their grace period.
 *
 * @module
 */
import type { GroupId } from "../../shared/model/ids.ts";
import { encode } from "../../shared/protocol/codec.ts";
import { type ClusterCore, commandError } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import type { ClusterMessage } from "./messages.ts";
import { settle } from "./settle.ts";

/** Cancels all open tasks of a group. @returns how many */
export function cancelGroup(core: ClusterCore, id: GroupId): number {
  const group = core.groups.get(id);
  if (group === undefined) return 0;
  let cancelled = 0;
  for (const task of [...group.open.values()]) if (cancelTask(core, task)) cancelled += 1;
  return cancelled;
}

function cancelTask(core: ClusterCore, task: LiveTask): boolean {
  if (task.state === "settling") return false;
  settle(core, {
    task,
    outcome: { state: "cancelled" },
    lease: undefined,
    worker: undefined,
    elapsedMs: 0,
    acknowledge: false,
  });
  return true;
}

/** Carries out a client's `cancel`. */
export function cancelCommand(core: ClusterCore, message: Extract<ClusterMessage, { type: "cancel" }>): void {
  const { from, token, group: id, number } = message;
  const group = core.groups.get(id);
  if (group === undefined) {
    const error = commandError(
      "unknown_group",
      `there is nothing open in ${id}`,
      "list experiments to see their ids",
    );
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  let cancelled = 0;
  if (number === null) cancelled = cancelGroup(core, id);
  else {
    const task = group.open.get(number);
    if (task !== undefined && cancelTask(core, task)) cancelled = 1;
  }
  const value = { cancelled };
  core.log.add({ type: "command", id: message.id, reply: encode(value), changes: [] }, (_verdict, commit) => {
    core.context.send(from, { type: "command_answered", token, reply: { ok: true, value, commit } });
  });
}
