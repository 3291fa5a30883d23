/**
 * A worker reduced to its data folder: takes it, appends results until the disk refuses, settles them, and appends one
 * more; says each step in a line; then goes on for ever.
 *
 * @module
 */
import { epochOf, groupId, taskId } from "../../shared/model/ids.ts";
import type { Result } from "../../shared/protocol/worker_envelopes.ts";
import { openIdentity } from "../../worker/identity.ts";
import { openJournal } from "../../worker/journal.ts";

const [folder = ""] = Deno.args;
openIdentity(folder);
const troubles: string[] = [];
const journal = await openJournal(folder, { trouble: (message) => troubles.push(message) });
let number = 0;

function result(): Result {
  number += 1;
  return {
    type: "result",
    epoch: epochOf("a".repeat(32), 1, "00000000"),
    task: taskId(groupId("disk"), number),
    attempt: 1,
    end: { state: "failed", cause: "evaluator", message: "x".repeat(1_000), final: false },
    elapsedMs: 0,
  };
}

const appended: Result[] = [];
while (troubles.length === 0) {
  const next = result();
  await journal.append(next);
  appended.push(next);
}
// It goes on refusing, and says so once.
for (let more = 0; more < 3; more += 1) {
  const next = result();
  await journal.append(next);
  appended.push(next);
}
console.log(`refused ${appended.length} ${JSON.stringify(troubles)}`);
for (const each of appended) journal.settle(each);
await journal.append(result());
console.log(`healed ${number} ${troubles.length}`);
setInterval(() => {}, 3_600_000);
