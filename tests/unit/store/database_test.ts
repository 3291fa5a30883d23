import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { DatabaseOptions } from "../../../master/store/sqlite/connection.ts";
import { Database, Superseded } from "../../../master/store/sqlite/database.ts";
import { packChanges, unpackChanges } from "../../../master/store/sqlite/row_change.ts";
import { unpackRecovered } from "../../../master/store/sqlite/recovery.ts";
import { SCHEMA_VERSION, UnusableFile } from "../../../master/store/sqlite/schema.ts";
import type { Committed, StoreChange } from "../../../master/store/store.ts";
import { type Epoch, groupId, storeOf, taskId } from "../../../shared/model/ids.ts";
import { group, submission } from "../../conformance/store_samples.ts";

const GROUP = groupId("t7");
const NOW_MS = 1_700_000_000_000;

/** A file in a folder of its own. */
class Bench implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly path = `${this.folder}/test.db`;
  readonly #open: Database[] = [];
  #marks = 0;
  #batch = 0;

  database(connected: (db: DatabaseSync) => void = () => {}): Database {
    const options: DatabaseOptions = {
      path: this.path,
      wallClock: () => NOW_MS,
      randomHex: (digits) => String(++this.#marks).padStart(digits, "0"),
      connected,
    };
    const database = new Database(options);
    this.#open.push(database);
    return database;
  }

  commit(
    database: Database,
    epoch: Epoch,
    changes: readonly StoreChange[],
    batch = ++this.#batch,
  ): Committed {
    return database.commit(epoch, batch, unpackChanges(packChanges(changes)));
  }

  [Symbol.dispose](): void {
    for (const database of this.#open) database.close();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("a full disk fails the commit, leaves nothing of it, and heals on the same object", () => {
  using bench = new Bench();
  let pages = 1_000_000;
  const database = bench.database((db) => db.exec(`PRAGMA max_page_count = ${pages}`));
  const { epoch } = database.open();
  bench.commit(database, epoch, [group(), submission(1, 10)]);
  pages = 1;
  database.close();
  const many = [submission(11, 20_000)];
  for (let round = 0; round < 3; round++) {
    assert.throws(() => bench.commit(database, epoch, many, 99), /full/);
    assert.equal(database.query("counts", { group: GROUP }).submitted, 10);
  }
  pages = 1_000_000;
  assert.throws(() => bench.commit(database, epoch, many, 99), /full/);
  assert.deepEqual(bench.commit(database, epoch, many, 99), { commit: 2, verdicts: [{ type: "recorded" }] });
  assert.equal(database.query("counts", { group: GROUP }).submitted, 20_010);
});

Deno.test("a commit that threw though it was durable gets its first answer when it is applied again", () => {
  using bench = new Bench();
  let throwsAfter = false;
  const database = bench.database((db) => {
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      const statement = prepare(sql);
      if (sql !== "COMMIT") return statement;
      const run = statement.run.bind(statement);
      statement.run = () => {
        const answer = run();
        if (throwsAfter) throw new Error("disk I/O error");
        return answer;
      };
      return statement;
    };
  });
  const { epoch } = database.open();
  bench.commit(database, epoch, [group()]);
  throwsAfter = true;
  const batch = [submission(1, 2)];
  assert.throws(() => bench.commit(database, epoch, batch, 99), /disk I\/O/);
  throwsAfter = false;
  assert.deepEqual(bench.commit(database, epoch, batch, 99), { commit: 2, verdicts: [{ type: "recorded" }] });
  assert.deepEqual(bench.commit(database, epoch, [submission(3, 1)]).commit, 3);
  assert.equal(database.query("counts", { group: GROUP }).submitted, 3);
});

Deno.test("a file that may not be written answers queries and refuses commits until it may", () => {
  using bench = new Bench();
  let readOnly = 0;
  const database = bench.database((db) => db.exec(`PRAGMA query_only = ${readOnly}`));
  const { epoch } = database.open();
  bench.commit(database, epoch, [group()]);
  database.close();
  readOnly = 1;
  assert.throws(() => bench.commit(database, epoch, [submission(1, 1)], 99), /readonly/);
  assert.equal(database.query("counts", { group: GROUP }).submitted, 0);
  database.close();
  readOnly = 0;
  assert.equal(bench.commit(database, epoch, [submission(1, 1)], 99).commit, 2);
});

Deno.test("an epoch that was taken through another connection supersedes this one", () => {
  using bench = new Bench();
  const database = bench.database();
  const { epoch } = database.open();
  const other = bench.database();
  const newer = other.open();
  assert.throws(() => bench.commit(database, epoch, [group()]), Superseded);
  bench.commit(other, newer.epoch, [group()]);
});

Deno.test("a store of schema version 1 is opened with all that it holds", () => {
  using bench = new Bench();
  const db = new DatabaseSync(bench.path);
  db.exec(Deno.readTextFileSync(new URL("../../fixtures/store/schema_1.sql", import.meta.url)));
  db.close();
  const database = bench.database();
  const recovered = unpackRecovered(database.open());
  assert.equal(storeOf(recovered.epoch), "0123456789abcdef0123456789abcdef");
  assert.equal(recovered.earlierEpochs.length, 1);
  assert.equal(recovered.commit, 3);
  assert.equal(recovered.nextGroup, 8);
  assert.deepEqual(recovered.tasks.map((each) => [each.task, each.attempts, each.failures.crash]), [
    ["t7/2", 0, 0],
    ["e3/3", 1, 0],
    ["e3/4", 1, 1],
  ]);
  assert.deepEqual(recovered.attempts.map((each) => each.lease.task), [taskId(groupId("e3"), 3)]);
  assert.deepEqual(recovered.experiments.map((each) => [each.state, each.reason]), [["paused", "to think"]]);
  const feed = database.query("changes", { after: 0, limit: 100 });
  assert.deepEqual(feed.commits.map((each) => each.changes.map((change) => change.kind)), [
    ["experiment", "submitted"],
    ["submitted"],
    ["ended", "ended", "attempt_ended", "ended", "experiment"],
  ]);
  assert.equal(database.query("experiment", { experiment: "last" })?.summary.best?.trial, 1);
  const reported = database.query("curve", { task: taskId(groupId("e3"), 3), after: 0, limit: 9 });
  assert.deepEqual([reported.lease?.attempt, reported.reports.map((each) => [each.number, each.step])], [1, [[
    1,
    1,
  ]]]);
  bench.commit(database, recovered.epoch, [submission(3, 1)]);
});

Deno.test("a store of a newer program is refused and left as it is", () => {
  using bench = new Bench();
  const database = bench.database();
  database.open();
  database.close();
  const db = new DatabaseSync(bench.path);
  db.exec(`INSERT INTO schema_versions VALUES (${SCHEMA_VERSION + 1}, 0)`);
  db.close();
  const before = Deno.readFileSync(bench.path);
  assert.throws(
    () => database.open(),
    (error) => error instanceof UnusableFile && error.kind === "newer_schema",
  );
  assert.deepEqual(Deno.readFileSync(bench.path), before);
});

Deno.test("a file of another program is refused and left as it is", () => {
  using bench = new Bench();
  const db = new DatabaseSync(bench.path);
  db.exec("CREATE TABLE recipes (name TEXT)");
  db.close();
  const before = Deno.readFileSync(bench.path);
  assert.throws(
    () => bench.database().open(),
    (error) => error instanceof UnusableFile && error.kind === "damaged",
  );
  assert.deepEqual(Deno.readFileSync(bench.path), before);
});

Deno.test("a file whose tasks cannot all be read is refused: a cursor over a damaged page ends as if there were no more", () => {
  using bench = new Bench();
  const first = bench.database();
  const { epoch } = first.open();
  bench.commit(first, epoch, [group(), submission(1, 2_000)]);
  first.close();
  const db = new DatabaseSync(bench.path);
  const pageBytes = Number(db.prepare("PRAGMA page_size").get()?.page_size);
  const page = Number(db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'tasks'").get()?.rootpage);
  db.close();
  const bytes = Deno.readFileSync(bench.path);
  bytes.fill(0xff, (page - 1) * pageBytes, page * pageBytes);
  Deno.writeFileSync(bench.path, bytes);
  assert.throws(() => bench.database().open(), /malformed/);
});
