import assert from "node:assert/strict";
import { lockFolder } from "../../master/store/sqlite/folder_lock.ts";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { asked, isFailure } from "../conformance/store_bench.ts";
import { StoreChild } from "./store_child.ts";

Deno.test("a second process is refused by name, and let in when the first is killed", async () => {
  const folder = await Deno.makeTempDir();
  const store = asked(new SqliteStore({ folder }));
  {
    await using child = new StoreChild(folder, 0, 0);
    await child.until((said) => said.opened !== undefined);
    await assert.rejects(store.open(), (error) => {
      assert.ok(isFailure("in_use")(error));
      assert.match(String(error), new RegExp(`process ${child.pid} on ${Deno.hostname()}`));
      return true;
    });
    await child.kill();
  }
  const { earlierEpochs } = await store.open();
  assert.equal(earlierEpochs.length, 1);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a second store in the same process is refused until the first is closed", async () => {
  const folder = await Deno.makeTempDir();
  const first = asked(new SqliteStore({ folder }));
  const second = asked(new SqliteStore({ folder }));
  await first.open();
  await assert.rejects(second.open(), isFailure("in_use"));
  await first.close();
  await second.open();
  await second.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a lock that could not be named, on a full disk, is not kept", async () => {
  const folder = await Deno.makeTempDir();
  const { writeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.writeSync = () => {
    throw new Error("No space left on device");
  };
  try {
    assert.throws(() => lockFolder(folder), /No space left/);
  } finally {
    Deno.FsFile.prototype.writeSync = writeSync;
  }
  lockFolder(folder).release();
  await Deno.remove(folder, { recursive: true });
});
