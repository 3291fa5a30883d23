/**
 * Each check of `verify` finds what it is there for: a healthy store is harmed in one way at a time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CHECK_NAMES, type CheckName } from "../../../master/verify/checks.ts";
import { VIOLATIONS_TOLD_MAX } from "../../../master/verify/findings.ts";
import { type StoreReport, verifyStore } from "../../../master/verify/verify.ts";
import { HARMS } from "./harms.ts";
import { writeSampleStore } from "./sample_store.ts";

/** The sample's file, written once. */
let sample: Uint8Array | undefined;

function inFolder(body: (path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/espalier.db`;
    if (sample === undefined) {
      writeSampleStore(path);
      sample = Deno.readFileSync(path);
    } else Deno.writeFileSync(path, sample);
    body(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function reportOf(path: string): StoreReport {
  const verified = verifyStore(path);
  assert.ok(verified.ok, verified.ok ? "" : verified.message);
  return verified.report;
}

function broken({ checks }: StoreReport): Partial<Record<CheckName, string>> {
  return Object.fromEntries(
    checks.filter(({ violations }) => violations > 0).map(({ name, first }) => [name, JSON.stringify(first)]),
  );
}

Deno.test("a healthy store has no violation, and everything in it was looked at", () =>
  inFolder((path) => {
    const report = reportOf(path);
    assert.deepEqual(broken(report), {});
    assert.deepEqual(report.notChecked, []);
    assert.deepEqual(report.checks.filter(({ looked }) => looked === 0), []);
    const { epochs, tasks, outcomes, experiments } = report;
    assert.deepEqual({ epochs, tasks, outcomes, experiments }, {
      epochs: 2,
      tasks: 23,
      outcomes: 21,
      experiments: 2,
    });
  }));

for (const { check, what, sql, names } of HARMS) {
  Deno.test(`verify finds that ${what} (${check})`, () =>
    inFolder((path) => {
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      assert.match(broken(reportOf(path))[check] ?? "", names);
    }));
}

Deno.test("every check has a harm that it finds", () => {
  const tested = new Set(HARMS.map(({ check }) => check));
  assert.deepEqual(CHECK_NAMES.filter((name) => !tested.has(name)), []);
});

Deno.test("of many violations the first are told and all are counted", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
      INSERT INTO ended_attempts SELECT 1000 + i, 9999, 1, i, 0, 'w', 'returned', '', 0, 0 FROM n`);
    db.close();
    const lease = reportOf(path).checks.find(({ name }) => name === "lease_once");
    assert.equal(lease?.violations, 100);
    assert.equal(lease.first.length, VIOLATIONS_TOLD_MAX);
  }));

Deno.test("an experiment whose optimizer this program does not have is told as not checked", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec(
      "UPDATE experiments SET spec = json_set(spec, '$.optimizer.kind', 'foreign') WHERE id = 'open-2'",
    );
    db.close();
    const report = reportOf(path);
    assert.deepEqual(broken(report), {});
    assert.match(JSON.stringify(report.notChecked), /the search of open-2/);
  }));

Deno.test("a store that got a new id, because a person accepted a loss, is sound", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec(`INSERT INTO store VALUES ('${"b".repeat(32)}', 2)`);
    db.close();
    const report = reportOf(path);
    assert.deepEqual(broken(report), {});
    assert.equal(report.storeId, "b".repeat(32));
  }));

Deno.test("verify changes nothing in the folder, also where a crash left a log", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode = WAL; UPDATE groups SET completed = completed + 1 WHERE id = 't7'");
    const folder = path.slice(0, path.lastIndexOf("/"));
    // As a process that is killed leaves them.
    const crashed = `${folder}/crashed`;
    Deno.mkdirSync(crashed);
    for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, `${crashed}/espalier.db${suffix}`);
    db.close();
    const before = contents(crashed);
    Deno.chmodSync(crashed, 0o500);
    // What was only in the log is seen.
    assert.match(broken(reportOf(`${crashed}/espalier.db`)).counters_fit ?? "", /t7/);
    Deno.chmodSync(crashed, 0o700);
    assert.deepEqual(contents(crashed), before);
  }));

Deno.test("what is no store is refused with a word why", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO schema_versions VALUES (99, 0)");
    db.close();
    const newer = verifyStore(path);
    assert.match(newer.ok ? "" : newer.message, /schema version 99/);
    Deno.writeFileSync(path, new Uint8Array());
    const empty = verifyStore(path);
    assert.match(empty.ok ? "" : empty.message, /it is no store yet/);
    Deno.writeTextFileSync(
      path,
      "this is no database, but long enough to be taken for the head of one: ".repeat(20),
    );
    assert.match(broken(reportOf(path)).file_sound ?? "", /not a database/);
  }));

Deno.test("where pages of the file are damaged, each unreadable part is named and the others are checked", () =>
  inFolder((path) => {
    const db = new DatabaseSync(path);
    const pageBytes = Number(db.prepare("PRAGMA page_size").get()?.page_size);
    const page = Number(
      db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'epochs'").get()?.rootpage,
    );
    db.exec("UPDATE groups SET completed = completed + 1 WHERE id = 't7'");
    db.close();
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xff, (page - 1) * pageBytes, page * pageBytes);
    Deno.writeFileSync(path, bytes);
    const report = reportOf(path);
    assert.match(broken(report).file_sound ?? "", /the table epochs cannot be read.*malformed/);
    // What stands on other pages is found as in a whole file.
    assert.match(broken(report).counters_fit ?? "", /t7/);
    assert.equal(report.tasks, 23);
  }));

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => [name, Deno.readFileSync(`${folder}/${name}`).toHex()]),
  );
}

Deno.test("a store of an older program is brought up to date in the copy, and checked", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/espalier.db`;
    const db = new DatabaseSync(path);
    db.exec(Deno.readTextFileSync(new URL("../../fixtures/store/schema_1.sql", import.meta.url)));
    db.close();
    const before = contents(folder);
    const report = reportOf(path);
    assert.equal(report.schemaVersion, 1);
    assert.ok(report.tasks > 0);
    assert.ok(report.checks.some(({ name, looked }) => name === "curve_whole" && looked > 0));
    assert.deepEqual(contents(folder), before);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
