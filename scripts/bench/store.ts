/**
 * How fast the SQLite store makes things durable, beside bare SQLite that writes the same payloads to one table.
 *
 * Promise: both sides write to the same folder in the same run, with fsync at every commit; the store's side includes
 * the way to its thread and back.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { StoreChange } from "../../master/store/store.ts";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { type Epoch, groupId, taskId } from "../../shared/model/ids.ts";
import type { Figure } from "./kernel.ts";

const GROUP = groupId("t1");
const PAYLOAD_BYTES = 300;
/** Commits of one task, one after another. */
const SINGLES = 2_000;
/** Commits of many tasks, and of as many outcomes. */
const BATCHES = 100;
const BATCH_TASKS = 1_000;
/** Commits that let the compiler warm up. */
const WARM_UP = 20;

/** Commits of one task each, one after another: what one waiting client sees. */
export async function storeCommitsPerSecond(): Promise<Figure> {
  return await inFolder(async (folder) => {
    const bare = bareSqlite(`${folder}/bare.db`, SINGLES, 1);
    const store = await openStore(`${folder}/data`);
    await submit(store, WARM_UP, 1, 1);
    const perSecond = await submit(store, SINGLES, 1, WARM_UP + 1);
    await store.close();
    return {
      name: "store_commits_per_second",
      value: Math.round(perSecond),
      unit: "commits/s",
      limit: Math.round(bare),
      detail: `${SINGLES} commits of one task of ${PAYLOAD_BYTES} bytes, each awaited, ` +
        "thread and fsync included; limit: bare SQLite on the same thread",
    };
  });
}

/** Rows in commits of a thousand: tasks, then their outcomes. */
export async function storeRowsPerSecond(): Promise<Figure> {
  return await inFolder(async (folder) => {
    const bare = bareSqlite(`${folder}/bare.db`, BATCHES, BATCH_TASKS);
    const store = await openStore(`${folder}/data`);
    await submit(store, WARM_UP, BATCH_TASKS, 1);
    const first = WARM_UP * BATCH_TASKS + 1;
    const tasks = await submit(store, BATCHES, BATCH_TASKS, first);
    const outcomes = await finish(store, first);
    await store.close();
    const pairs = 1 / (1 / tasks + 1 / outcomes);
    return {
      name: "store_rows_per_second",
      value: Math.round(2 * pairs),
      unit: "rows/s",
      limit: Math.round(bare),
      detail: `${BATCHES} commits of ${BATCH_TASKS} tasks (${Math.round(tasks)}/s) and as many of outcomes ` +
        `(${Math.round(outcomes)}/s), so ${Math.round(pairs)} whole tasks/s; limit: bare SQLite, one table`,
    };
  });
}

interface OpenStore {
  readonly epoch: Epoch;
  commit(changes: readonly StoreChange[]): Promise<void>;
  close(): Promise<void>;
}

async function openStore(folder: string): Promise<OpenStore> {
  const store = new SqliteStore({ folder });
  const { epoch } = await new Promise<{ readonly epoch: Epoch }>((resolve, reject) => {
    store.open((result) => result.ok ? resolve(result.value) : reject(new Error(result.error.message)));
  });
  const commit = (changes: readonly StoreChange[]) =>
    new Promise<void>((resolve, reject) => {
      store.commit(
        epoch,
        changes,
        (result) => result.ok ? resolve() : reject(new Error(result.error.message)),
      );
    });
  await commit([{ type: "group_added", group: GROUP, template: new Uint8Array() }]);
  return { epoch, commit, close: () => new Promise((resolve) => store.close(() => resolve())) };
}

async function submit(store: OpenStore, batches: number, tasks: number, first: number): Promise<number> {
  const startedMs = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const payloads = Array.from({ length: tasks }, payload);
    const number = first + batch * tasks;
    await store.commit([{
      type: "tasks_submitted",
      group: GROUP,
      first: number,
      payloads,
      atMs: Date.now(),
    }]);
  }
  return batches * tasks / (performance.now() - startedMs) * 1_000;
}

async function finish(store: OpenStore, first: number): Promise<number> {
  const startedMs = performance.now();
  for (let batch = 0; batch < BATCHES; batch++) {
    const from = first + batch * BATCH_TASKS;
    await store.commit(Array.from({ length: BATCH_TASKS }, (_, index) => outcome(store.epoch, from + index)));
  }
  return BATCHES * BATCH_TASKS / (performance.now() - startedMs) * 1_000;
}

function outcome(epoch: Epoch, number: number): StoreChange {
  const task = taskId(GROUP, number);
  return {
    type: "outcome",
    task,
    lease: { epoch, task, attempt: 1 },
    worker: `machine-${number % 4}`,
    outcome: { state: "completed", metrics: { accuracy: number / 1e9 } },
    attempts: 1,
    elapsedMs: 12.5,
    atMs: Date.now(),
  };
}

/** Rows a second of SQLite alone, with the store's settings. */
function bareSqlite(path: string, commits: number, rows: number): number {
  const db = new DatabaseSync(path);
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; " +
      "CREATE TABLE tasks (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT",
  );
  const insert = db.prepare("INSERT INTO tasks (payload) VALUES (?)");
  const write = (count: number) => {
    for (let commit = 0; commit < count; commit++) {
      db.exec("BEGIN IMMEDIATE");
      for (let row = 0; row < rows; row++) insert.run(payload());
      db.exec("COMMIT");
    }
  };
  write(WARM_UP);
  const startedMs = performance.now();
  write(commits);
  const perSecond = commits * rows / (performance.now() - startedMs) * 1_000;
  db.close();
  return perSecond;
}

function payload(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PAYLOAD_BYTES);
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  for (const measure of [storeCommitsPerSecond, storeRowsPerSecond]) console.log(await measure());
}
