/**
 * Plain tasks: durable before the submitter hears yes, and submitted once however often the command comes.
 *
 * Promise: what a full queue cannot take is refused with a time to come back, never silently kept.
 *
 * @module
 */
import { groupId } from "../../shared/model/ids.ts";
import { decode, encode } from "../../shared/protocol/codec.ts";
import { type ClusterCore, commandError } from "./core.ts";
import { newTask } from "./live_task.ts";
import type { ClusterMessage } from "./messages.ts";

/** Open tasks in the heap, and the bytes of their payloads. More are told to wait. */
export const OPEN_TASKS_MAX = 200_000;
export const OPEN_BYTES_MAX = 512 * 1024 * 1024;
/** When a refused submitter should come back: by then a thousand short tasks have ended. */
const COME_BACK_MS = 50;

/** What is being committed. */
export interface PendingSubmissions {
  tasks: number;
  bytes: number;
}

/** Takes in a client's `submit`. */
export function submitCommand(
  core: ClusterCore,
  pending: PendingSubmissions,
  message: Extract<ClusterMessage, { type: "submit" }>,
): void {
  const { from, token, payloads } = message;
  const open = core.tasks.size + pending.tasks + payloads.length;
  if (core.lost !== undefined) {
    const error = commandError("store_lost", core.lost, "an operator must decide");
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  const isDegraded = core.storeState.state === "degraded";
  const isFull = open > OPEN_TASKS_MAX || core.payloadBytes + pending.bytes > OPEN_BYTES_MAX;
  if (isFull || isDegraded || core.storeState.isOverfull || core.epoch === undefined) {
    const why = isDegraded
      ? `the store cannot write: ${core.storeState.reason}`
      : isFull
      ? `${core.tasks.size} tasks are open`
      : "the store is behind";
    const error = commandError("queue_full", why, "send the same command again later", COME_BACK_MS);
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  const bytes = payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  pending.tasks += payloads.length;
  pending.bytes += bytes;
  const id = groupId(`${message.name.slice(0, 64)}.${core.nextGroup++}`);
  const template = encode(message.template);
  const value = { group: id, first: 1, count: payloads.length };
  const atMs = core.context.wallClock();
  core.log.add({
    type: "command",
    id: message.id,
    reply: encode(value),
    changes: [
      { type: "group_added", group: id, template },
      { type: "tasks_submitted", group: id, first: 1, payloads, atMs },
    ],
  }, (verdict, commit) => {
    pending.tasks -= payloads.length;
    pending.bytes -= bytes;
    const answer = verdict.type === "repeated" ? decode(verdict.reply) : value;
    if (verdict.type === "recorded") {
      const group = core.group(id, message.template, template);
      for (let i = 0; i < payloads.length; i++) {
        // A copy: the payload is a view of the frame, and would keep all of it in memory.
        const payload = payloads[i]?.slice();
        if (payload === undefined) continue;
        const task = newTask(group, i + 1, payload);
        core.addTask(task);
        core.enqueueBack(task);
      }
    }
    core.context.send(from, { type: "command_answered", token, reply: { ok: true, value: answer, commit } });
  });
}
