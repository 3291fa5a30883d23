/**
 * Plain tasks: durable before the submitter hears yes, and submitted once however often the command comes.
 *
 * Promise: what a full queue cannot take is refused with a time to come back, never silently kept.
 *
 * @module
 */
import { groupId } from "../../shared/model/ids.ts";
import type { CommandError } from "../../shared/protocol/client_envelopes.ts";
import { decode, encode } from "../../shared/protocol/codec.ts";
import { needs } from "../scheduling/queue.ts";
import { type ClusterCore, commandError } from "./core.ts";
import { newTask, shareOf } from "./live_task.ts";
import type { ClusterMessage } from "./messages.ts";
import { storeTrouble } from "./store_trouble.ts";

/** Open tasks in the heap, and the bytes of their payloads. More are told to wait. */
export const OPEN_TASKS_MAX = 200_000;
export const OPEN_BYTES_MAX = 512 * 1024 * 1024;
/** Of these, what one submitter may have: all that is submitted under one name. There is room left for others. */
export const SHARE_TASKS_MAX = 100_000;
export const SHARE_BYTES_MAX = 256 * 1024 * 1024;
/** Tasks of so many different needs may wait; every turn looks at each of them. */
export const LANES_MAX = 500;
/** When a refused submitter should come back: by then a thousand short tasks have ended. */
const COME_BACK_MS = 50;
/** When to come back to a store that fails or is behind: it is tried again every few seconds. */
const STORE_COME_BACK_MS = 1_000;

/** What is being committed. */
export interface PendingSubmissions {
  tasks: number;
  bytes: number;
}

/** Why a submission is refused, and when to come back. */
function refusal(
  core: ClusterCore,
  pending: PendingSubmissions,
  { name, payloads, template }: Extract<ClusterMessage, { type: "submit" }>,
): CommandError | undefined {
  const wait = (why: string, comeBackMs: number) =>
    commandError("queue_full", why, "send the same command again later", comeBackMs);
  const { lost, storeState } = core;
  if (lost !== undefined) return commandError("store_lost", lost, "an operator must decide");
  const trouble = storeTrouble(core);
  if (trouble !== "") return wait(trouble, STORE_COME_BACK_MS);
  if (core.epoch === undefined) return wait("the master is reading its store", STORE_COME_BACK_MS);
  if (storeState.isOverfull || core.log.isBehind) {
    return wait(`the store is behind: ${core.log.waiting} changes wait to be written`, STORE_COME_BACK_MS);
  }
  const count = payloads.length;
  if (core.tasks.size + pending.tasks + count > OPEN_TASKS_MAX) {
    return wait(`${core.tasks.size} tasks are open, and ${OPEN_TASKS_MAX} may be`, COME_BACK_MS);
  }
  if (core.payloadBytes + pending.bytes > OPEN_BYTES_MAX) {
    return wait(`the payloads of open tasks have ${core.payloadBytes} bytes already`, COME_BACK_MS);
  }
  const own = core.books.of(shareOf(groupId(`${nameOf(name)}.1`)));
  if (own.tasks + count > SHARE_TASKS_MAX) {
    return wait(
      `${own.tasks} tasks of "${name}" are open, and ${SHARE_TASKS_MAX} of one name may be`,
      COME_BACK_MS,
    );
  }
  if (own.bytes > SHARE_BYTES_MAX) {
    return wait(`the payloads of the open tasks of "${name}" have ${own.bytes} bytes already`, COME_BACK_MS);
  }
  const { priority, resources, evaluator } = template;
  const kind = needs(priority, resources, evaluator.kind, "");
  if (core.queue.laneCount >= LANES_MAX && !core.queue.hasLane(kind)) {
    const text = `tasks of ${LANES_MAX} different priorities and resources wait, and no more kinds may`;
    return wait(text, STORE_COME_BACK_MS);
  }
  return undefined;
}

/** What of a submission's name stands in its groups' ids. */
function nameOf(name: string): string {
  return name.slice(0, 64);
}

/** Takes in a client's `submit`. */
export function submitCommand(
  core: ClusterCore,
  pending: PendingSubmissions,
  message: Extract<ClusterMessage, { type: "submit" }>,
): void {
  const { from, token, payloads } = message;
  const error = refusal(core, pending, message);
  if (error !== undefined) {
    return core.context.send(from, { type: "command_answered", token, reply: { ok: false, error } });
  }
  const bytes = payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  pending.tasks += payloads.length;
  pending.bytes += bytes;
  const id = groupId(`${nameOf(message.name)}.${core.nextGroup++}`);
  const share = shareOf(id);
  core.books.add(share, payloads.length, bytes);
  const template = encode(message.template);
  const value = { group: id, first: 1, count: payloads.length };
  const atMs = core.context.wallClock();
  core.log.add({
    type: "command",
    id: message.id,
    reply: encode(value),
    changes: [
      { type: "group_added", group: id, template, code: message.template.code?.sha256 },
      { type: "tasks_submitted", group: id, first: 1, payloads, atMs },
    ],
  }, (verdict, commit) => {
    pending.tasks -= payloads.length;
    pending.bytes -= bytes;
    // From here on each task is counted by itself.
    core.books.add(share, -payloads.length, -bytes);
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
