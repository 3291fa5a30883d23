import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { groupId } from "../../shared/model/ids.ts";
import { asked, isFailure } from "../conformance/store_bench.ts";
import { group, submission } from "../conformance/store_samples.ts";

const GROUP = groupId("t7");
const ROUNDS = 40;
const TASKS = 500;

Deno.test("a thread that does not confirm its close in time is told as a fault", async () => {
  const folder = await Deno.makeTempDir();
  const store = asked(new SqliteStore({ folder, closeDeadlineMs: 300 }));
  const { epoch } = await store.open();
  const blocker = new DatabaseSync(`${folder}/espalier.db`);
  blocker.exec("BEGIN IMMEDIATE");
  const blocked = store.commit(epoch, [group()]);
  await assert.rejects(store.close(), isFailure("fault"));
  const confirmed = store.close();
  blocker.exec("ROLLBACK");
  blocker.close();
  await blocked;
  await confirmed;
  await Deno.remove(folder, { recursive: true });
});

Deno.test("commits go on while a backup is made, and the backup is whole commits", async () => {
  const folder = await Deno.makeTempDir();
  const store = asked(new SqliteStore({ folder }));
  const { epoch } = await store.open();
  await store.commit(epoch, [group()]);
  let first = 1;
  const backups: Promise<unknown>[] = [];
  for (let round = 0; round < ROUNDS; round++, first += TASKS) {
    await store.commit(epoch, [submission(first, TASKS)]);
    if (round % 10 === 5) backups.push(store.backup(`${folder}/copy-${round}`));
  }
  await Promise.all(backups);
  for (const round of [5, 15, 25, 35]) {
    const data = `${folder}/restored-${round}`;
    await Deno.mkdir(data);
    await Deno.rename(`${folder}/copy-${round}`, `${data}/espalier.db`);
    const copy = asked(new SqliteStore({ folder: data }));
    const recovered = await copy.open();
    assert.equal(recovered.tasks.length, (recovered.commit - 1) * TASKS);
    assert.ok(recovered.commit >= round + 2);
    await copy.close();
  }
  assert.equal((await store.query("counts", { group: GROUP })).submitted, ROUNDS * TASKS);
  const left = [...Deno.readDirSync(folder)].filter((each) => each.name.includes("partial"));
  assert.deepEqual(left, []);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a backup into a folder that is not there is a fault and leaves nothing behind", async () => {
  const folder = await Deno.makeTempDir();
  const store = asked(new SqliteStore({ folder }));
  await store.open();
  await assert.rejects(store.backup(`${folder}/none/copy.db`), isFailure("fault"));
  await store.close();
  await Deno.remove(folder, { recursive: true });
});
