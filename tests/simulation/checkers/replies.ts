/**
 * What a client may be told.
 *
 * @module
 */
import { groupId } from "../../../shared/model/ids.ts";
import type { Reply } from "../../../shared/protocol/client_envelopes.ts";
import { decode } from "../../../shared/protocol/codec.ts";
import { isRecord } from "../../../shared/space/problem.ts";
import type { Request } from "../nodes/client_node.ts";
import type { World } from "../world.ts";

/** What a command may meet without anyone's fault: what it names is over, or not there any more. */
const ANSWERS: ReadonlySet<string> = new Set([
  "unknown_group",
  "unknown_experiment",
  "unknown_task",
  "experiment_over",
  "store_failed",
  "unavailable",
]);
/** What a question may meet besides, while the disk is slow. */
const ANSWERS_OF_SLOWNESS: ReadonlySet<string> = new Set(["no_answer", "store_fault"]);
/** What changes nothing. */
const QUESTIONS: ReadonlySet<string> = new Set([
  "workers",
  "experiments",
  "experiment",
  "trials",
  "counts",
  "explain",
]);
/** What it may meet besides, once the store was deleted or an older copy put back. */
const ANSWERS_OF_LOSS: ReadonlySet<string> = new Set(["store_lost"]);

/** Compares a reply with what is durable, and with an earlier one to the same command. */
export function checkReply(world: World, request: Request, reply: Reply): void {
  const { findings, disk, storeLives } = world;
  const { body, id } = request;
  // The master that said it has lost its store since.
  if (reply.epoch !== "" && !storeLives.isPresent(reply.epoch)) return;
  const isLoss = storeLives.life > 0 && !reply.ok && ANSWERS_OF_LOSS.has(reply.error.code);
  if (isLoss) return;
  const stored = disk.state.commands.get(id);
  if (stored !== undefined) {
    findings.expect(
      "replies_fit",
      fits(reply, decode(stored)),
      () => `${id} (${body.kind}) is stored and was answered ${describe(reply)}`,
    );
  } else if (!reply.ok) {
    findings.expect(
      "replies_fit",
      ANSWERS.has(reply.error.code) ||
        (QUESTIONS.has(body.kind) && ANSWERS_OF_SLOWNESS.has(reply.error.code)),
      () => `${id} (${body.kind}) was answered ${describe(reply)}`,
    );
  }
  if (!reply.ok || (body.kind !== "submit" && body.kind !== "run")) return;
  const count = body.kind === "submit" ? body.payloads.length : 0;
  const name = isRecord(reply.value)
    ? reply.value[body.kind === "submit" ? "group" : "experiment"]
    : undefined;
  const group = typeof name === "string" ? disk.state.groups.get(groupId(name)) : undefined;
  findings.expect(
    "submissions_kept",
    group !== undefined && group.tasks.size >= count && stored !== undefined,
    () =>
      `${id} was acknowledged as ${String(name)}, and the disk has ${group?.tasks.size} of ${count} tasks`,
  );
}

/** What is kept of a cancelled group is how many were cancelled; null where there was nothing. */
function fits(reply: Reply, stored: unknown): boolean {
  if (stored === null) return !reply.ok;
  return reply.ok && same(reply.value, typeof stored === "number" ? { cancelled: stored } : stored);
}

function describe(reply: Reply): string {
  return JSON.stringify(reply.ok ? reply.value : reply.error);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
