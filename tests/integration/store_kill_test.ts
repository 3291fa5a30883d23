import assert from "node:assert/strict";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { groupId } from "../../shared/model/ids.ts";
import { asked } from "../conformance/store_bench.ts";
import { StoreChild } from "./store_child.ts";

const ROUNDS = 20;
const TASKS = 50;
const MANY = 1_000_000;

Deno.test("twenty kills in the middle of commits lose no acknowledged row and leave no half of a batch", async () => {
  const folder = await Deno.makeTempDir();
  const epochs = new Set<string>();
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using child = new StoreChild(folder, MANY, TASKS);
    const { opened } = await child.until((said) => said.opened !== undefined);
    epochs.add(opened ?? "");
    for (let seen = 0; seen <= round; seen++) {
      acknowledged = (await child.until((said) => said.durable !== undefined)).durable ?? 0;
    }
    for (const { durable } of await child.kill()) acknowledged = durable ?? acknowledged;
  }
  const store = asked(new SqliteStore({ folder }));
  const recovered = await store.open();
  const { submitted } = await store.query("counts", { group: groupId("t1") });
  assert.ok(submitted >= acknowledged, `${submitted} of ${acknowledged}`);
  assert.equal(submitted % TASKS, 0);
  assert.equal(recovered.tasks.length, submitted);
  assert.deepEqual(recovered.tasks.map((each) => each.task), numbered(submitted));
  assert.equal(epochs.size, ROUNDS);
  assert.deepEqual(new Set(recovered.earlierEpochs), epochs);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `t1/${index + 1}`);
}
