import { MemoryDisk } from "../../master/store/memory_disk.ts";
import { MemoryStore } from "../../master/store/memory_store.ts";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { seededRandom } from "../../shared/actor/random.ts";
import type { StoreBench } from "./store_bench.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("SQLite", async (): Promise<StoreBench> => {
  const root = await Deno.makeTempDir();
  const backupPath = `${root}/copy/espalier.db`;
  await Deno.mkdir(`${root}/copy`);
  return {
    create: () => new SqliteStore({ folder: `${root}/data` }),
    backupPath,
    createFromBackup: () => new SqliteStore({ folder: `${root}/copy` }),
    dispose: () => Deno.remove(root, { recursive: true }),
  };
});

storeSuite("memory", (): Promise<StoreBench> => {
  const disk = new MemoryDisk();
  const random = seededRandom("memory");
  const over = (each: MemoryDisk) =>
    new MemoryStore({
      disk: each,
      random,
      schedule: (_delayMs, call) => queueMicrotask(call),
      wallClock: () => 1_700_000_100_000,
    });
  return Promise.resolve({
    create: () => over(disk),
    backupPath: "copy",
    createFromBackup: () => over(disk.backups.get("copy") ?? new MemoryDisk()),
    dispose: () => Promise.resolve(),
  });
});
