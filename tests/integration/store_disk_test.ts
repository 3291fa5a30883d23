import assert from "node:assert/strict";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { groupId } from "../../shared/model/ids.ts";
import { asked, isFailure } from "../conformance/store_bench.ts";
import { group, submission } from "../conformance/store_samples.ts";
import { StoreChild } from "./store_child.ts";

const GROUP = groupId("t1");
const BATCHES = 30;
const TASKS = 1_000;
/** Blocks of 512 bytes that a file may have: reached after a few batches of 300 kB. */
const FILE_BLOCKS = 4_000;
const DISK = "4m";

Deno.test("a process whose files may not grow keeps its batch and goes on when they may", async () => {
  const folder = await Deno.makeTempDir();
  {
    // Without the trap the signal that comes with the limit would end the process.
    const shell = `trap "" XFSZ; ulimit -S -f ${FILE_BLOCKS}; exec "$@"`;
    await using child = new StoreChild(folder, BATCHES, TASKS, shell);
    const { fault } = await child.until((said) => said.fault !== undefined);
    assert.match(fault ?? "", /full|I\/O/);
    const raised = await new Deno.Command("prlimit", {
      args: ["--pid", String(child.pid), "--fsize=unlimited"],
    }).output();
    assert.ok(raised.success);
    await child.until((said) => said.closed === true);
  }
  const store = asked(new SqliteStore({ folder }));
  const { tasks } = await store.open();
  assert.equal(tasks.length, BATCHES * TASKS);
  assert.equal((await store.query("counts", { group: GROUP })).submitted, BATCHES * TASKS);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

const CANNOT_MOUNT = await canMount() ? "" : " (passed over: no disk can be mounted here)";

Deno.test({
  name:
    `a full disk is a fault, nothing is applied by half, and the same store goes on when there is room${CANNOT_MOUNT}`,
  ignore: CANNOT_MOUNT !== "",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    await mount(folder, `size=${DISK}`);
    const store = asked(new SqliteStore({ folder }));
    const { epoch } = await store.open();
    await store.commit(epoch, [group(GROUP), submission(1, 10, GROUP)]);
    await fillUp(`${folder}/filler`);
    const many = [submission(11, 50_000, GROUP)];
    for (let round = 0; round < 3; round++) {
      await assert.rejects(store.commit(epoch, many), isFailure("fault"));
    }
    await Deno.remove(`${folder}/filler`);
    const { verdicts } = await store.commit(epoch, many);
    assert.deepEqual(verdicts, [{ type: "recorded" }]);
    assert.equal((await store.query("counts", { group: GROUP })).submitted, 50_010);
    await store.close();
    await unmount(folder);
  },
});

Deno.test({
  name: `a folder on a read-only disk is a fault with its reason${CANNOT_MOUNT}`,
  ignore: CANNOT_MOUNT !== "",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    await mount(folder, "ro");
    const store = asked(new SqliteStore({ folder }));
    await assert.rejects(store.open(), (error) => {
      assert.ok(isFailure("fault")(error));
      assert.match(String(error), /[Rr]ead-only/);
      return true;
    });
    await store.close();
    await mount(folder, "remount,rw");
    await store.open();
    await store.close();
    await unmount(folder);
  },
});

Deno.test("a file that is no database is named as damaged", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${folder}/espalier.db`,
    "these are not the pages that you are looking for".repeat(100),
  );
  const store = asked(new SqliteStore({ folder }));
  await assert.rejects(store.open(), isFailure("damaged"));
  await assert.rejects(store.open(), /espalier\.db is damaged .*espalier verify/);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(4_096);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    assert.match(String(error), /space|quota/i);
  }
}

/** Whether this process may mount a disk; says why not. */
async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    console.log("skips tests of full and read-only disks: only root may mount a small one");
    return false;
  }
  const folder = await Deno.makeTempDir();
  try {
    await mount(folder, "size=1m");
    await unmount(folder);
    return true;
  } catch (error) {
    console.log(`skips tests of full and read-only disks: ${error}`);
    return false;
  }
}

async function mount(folder: string, options: string): Promise<void> {
  await command("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
}

async function unmount(folder: string): Promise<void> {
  await command("umount", [folder]);
  await Deno.remove(folder);
}

async function command(name: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
