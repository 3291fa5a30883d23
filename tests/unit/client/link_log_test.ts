import assert from "node:assert/strict";
import { seededRandom } from "../../../shared/actor/random.ts";
import type { ToClient } from "../../../shared/protocol/client_envelopes.ts";
import { begun, changed, LinkStage } from "./fake_master.ts";

const RUNS = 200;
const COMMITS = 30;

/**
 * What a master tells behind a commit: whole commits and parts of them in envelopes of a given size, each with the last
 * commit that it completes, and with how much of it belongs to a commit that it does not complete.
 */
function envelopesAfter(after: number, commits: readonly (readonly string[])[], size: number): ToClient[] {
  const envelopes: ToClient[] = [];
  let open: string[] = [];
  let complete = after;
  let begunNames = 0;
  const close = () => {
    if (open.length > 0) envelopes.push({ ...changed(complete, ...open), begun: begunNames });
    open = [];
    begunNames = 0;
  };
  commits.forEach((names, index) => {
    const commit = index + 1;
    if (commit <= after) return;
    for (const name of names) {
      if (open.length >= size) close();
      open.push(name);
      begunNames += 1;
    }
    complete = commit;
    begunNames = 0;
  });
  close();
  return envelopes;
}

Deno.test("wherever a connection breaks, a log is told without gap and without double", () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = seededRandom(seed);
    // Few different words: commits that say the same must not be taken for repetitions of each other.
    const word = () => `word-${random.integer(3)}`;
    const length = () => 1 + random.integer(random.integer(3) === 0 ? 40 : 3);
    const commits = Array.from({ length: COMMITS }, () => Array.from({ length: length() }, word));
    const stage = new LinkStage();
    stage.send({ type: "subscribe", id: "log", kind: "log", after: 0 });
    stage.open();
    for (let connection = 0; connection < 200; connection++) {
      const socket = connection === 0 ? stage.socket : stage.reconnect();
      const subscribe = socket.heard.find((each) => each.type === "subscribe");
      assert.ok(subscribe?.type === "subscribe");
      const after = subscribe.after ?? 0;
      const envelopes = envelopesAfter(after, commits, 1 + random.integer(20));
      const told = 1 + random.integer(envelopes.length + 1);
      socket.say(begun(after), ...envelopes.slice(0, told));
      stage.settle();
      if (told >= envelopes.length && after === COMMITS) break;
    }
    const names = stage.told.flatMap((each) =>
      each.type === "change"
        ? each.changes.map((change) => change.kind === "submitted" ? String(change.group) : "")
        : []
    );
    assert.deepEqual(names, commits.flat(), `seed ${seed}`);
    stage.end();
  }
});
