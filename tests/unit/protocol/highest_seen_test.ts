import { deepEqual, equal } from "node:assert/strict";
import { epochOf } from "../../../shared/model/ids.ts";
import { HighestSeen, type Seen } from "../../../shared/protocol/highest_seen.ts";

const STORE = "a".repeat(32);
const first = epochOf(STORE, 1, "00000001");
const second = epochOf(STORE, 2, "00000002");
const other = epochOf("b".repeat(32), 1, "00000001");

Deno.test("the highest commit of the newest epoch is presented", () => {
  const told: Seen[] = [];
  const seen = new HighestSeen(null, (each) => told.push(each));
  equal(seen.value, null);
  seen.tell(first, 5);
  seen.tell(first, 3);
  seen.tellCommit(6);
  seen.tell(second, 6);
  deepEqual(seen.value, { epoch: second, commit: 6 });
  deepEqual(told.map((each) => each.commit), [5, 6, 6]);
});

Deno.test("a master over an older copy does not wipe out what proves it", () => {
  const seen = new HighestSeen({ epoch: second, commit: 20 });
  seen.tell(epochOf(STORE, 2, "0000000f"), 30);
  deepEqual(seen.value, { epoch: second, commit: 20 }, "the same number, another life");
  seen.tell(epochOf(STORE, 3, "0000000f"), 12);
  deepEqual(seen.value, { epoch: second, commit: 20 }, "a newer life that knows less");
  seen.tell(epochOf(STORE, 4, "0000000f"), 20);
  equal(seen.value?.epoch, epochOf(STORE, 4, "0000000f"));
});

Deno.test("another store begins anew", () => {
  const seen = new HighestSeen({ epoch: second, commit: 20 });
  equal(seen.store, "");
  seen.tell(other, 1);
  deepEqual(seen.value, { epoch: other, commit: 1 });
  equal(seen.store, "b".repeat(32));
});

Deno.test("what has not the form of an epoch is not heard", () => {
  const seen = new HighestSeen();
  seen.tellCommit(3);
  seen.tell("__proto__", 3);
  equal(seen.value, null);
});
