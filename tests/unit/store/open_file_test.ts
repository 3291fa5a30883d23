import assert from "node:assert/strict";
import { SqliteStore } from "../../../master/store/sqlite/sqlite_store.ts";
import { DATABASE_FILE } from "../../../master/store/sqlite/files.ts";
import { groupId } from "../../../shared/model/ids.ts";
import { type Asked, asked, isFailure } from "../../conformance/store_bench.ts";
import { group, submission } from "../../conformance/store_samples.ts";

/** A real store in a folder of its own, which the test does something to while it is open. */
async function overFolder(
  body: (store: Asked, path: string, commit: (first: number) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const store = asked(new SqliteStore({ folder: `${folder}/data` }));
  try {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 1)]);
    const commit = (first: number) => store.commit(epoch, [submission(first, 1)]);
    await body(store, `${folder}/data/${DATABASE_FILE}`, commit);
  } finally {
    await store.close().catch(() => null);
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a commit into a deleted file is not acknowledged, and the store says what happened", () =>
  overFolder(async (_store, path, commit) => {
    await Deno.remove(path);
    await assert.rejects(commit(2), isFailure("gone"));
    await assert.rejects(commit(2), /was deleted or replaced while the master had it open/);
    assert.equal(await Deno.stat(path).catch(() => undefined), undefined, "and no empty one is made");
  }));

Deno.test("a commit into a deleted folder is not acknowledged", () =>
  overFolder(async (_store, path, commit) => {
    await Deno.remove(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await assert.rejects(commit(2), isFailure("gone"));
  }));

Deno.test("a commit into a file that was replaced by a copy is not acknowledged", () =>
  overFolder(async (_store, path, commit) => {
    await Deno.copyFile(path, `${path}.copy`);
    await Deno.rename(`${path}.copy`, path);
    await assert.rejects(commit(2), isFailure("gone"));
  }));

Deno.test("a commit whose log was deleted is not acknowledged", () =>
  overFolder(async (_store, path, commit) => {
    await commit(2);
    await Deno.remove(`${path}-wal`);
    await assert.rejects(commit(3), isFailure("gone"));
  }));

Deno.test("a store that is opened again over a deleted file does not begin as an empty one", () =>
  overFolder(async (store, path) => {
    await Deno.remove(path);
    await assert.rejects(store.open(), isFailure("gone"));
  }));

Deno.test("a closed store may be put back as another copy", () =>
  overFolder(async (store, path, commit) => {
    await Deno.mkdir(`${path}.d`);
    await store.backup(`${path}.d/copy.db`);
    await commit(2);
    await store.close();
    await Deno.rename(`${path}.d/copy.db`, path);
    const { epoch } = await store.open();
    assert.equal((await store.query("counts", { group: groupId("t7") })).submitted, 1);
    await store.commit(epoch, [submission(2, 1)]);
  }));
