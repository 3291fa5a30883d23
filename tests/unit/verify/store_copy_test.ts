/**
 * Copies of files that are being written.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { copyStore } from "../../../master/verify/store_copy.ts";

/** Writes the same number into two tables, again and again; its log begins anew all the time. */
const WRITER = `
  import { DatabaseSync } from "node:sqlite";
  const db = new DatabaseSync(Deno.args[0]);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20");
  db.exec("CREATE TABLE one (n INTEGER, filler BLOB); CREATE TABLE other (n INTEGER, filler BLOB)");
  for (let n = 1; ; n++) {
    db.exec("BEGIN; INSERT INTO one VALUES (" + n + ", randomblob(3000));" +
      "INSERT INTO other VALUES (" + n + ", randomblob(3000)); COMMIT");
    if (n === 200) console.log("ready");
    if (n % 200 === 0) db.exec("DELETE FROM one WHERE n <= " + (n - 200) + "; DELETE FROM other WHERE n <= " + (n - 200));
  }
`;

Deno.test("a copy beside a writer whose log begins anew all the time is whole, and of one moment", async () => {
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/writer.ts`, WRITER);
  const path = `${folder}/espalier.db`;
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", `${folder}/writer.ts`, path],
    stdout: "piped",
  }).spawn();
  try {
    const reader = writer.stdout.getReader();
    await reader.read();
    let last = 0;
    for (let round = 0; round < 6; round++) {
      const copy = copyStore(path);
      const db = new DatabaseSync(copy.path);
      assert.equal(db.prepare("PRAGMA quick_check").get()?.quick_check, "ok");
      const newest = (table: string) => Number(db.prepare(`SELECT max(n) AS n FROM ${table}`).get()?.n);
      assert.equal(newest("one"), newest("other"));
      assert.ok(newest("one") >= last);
      last = newest("one");
      db.close();
      copy.remove();
    }
    await reader.cancel();
  } finally {
    writer.kill("SIGKILL");
    await writer.status;
    Deno.removeSync(folder, { recursive: true });
  }
});
