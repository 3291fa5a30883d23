/**
 * The tables, and the way from each released version of them to the next.
 *
 * A released step is never edited: another one is added, and a fixture of the old version stays in tests/fixtures/store.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** "ESPL": tells our files from other SQLite files. */
export const APPLICATION_ID = 0x4553504c;

/**
 * Each step brings the schema from the version of its index to the next.
 *
 * Tasks have running numbers (`seq`) in the order of their submission; a row of `submissions` maps a range of them to a
 * range of numbers within a group, so that a task needs no index of its own. What the feed tells is append-only and
 * carries its place within its commit; a row of `commits` says where each table stood after it.
 */
const STEPS: readonly string[] = [
  `
CREATE TABLE store (id TEXT NOT NULL) STRICT;
CREATE TABLE epochs (number INTEGER PRIMARY KEY, mark TEXT NOT NULL, at_ms REAL NOT NULL) STRICT;
CREATE TABLE commits (
  number INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  changes INTEGER NOT NULL,
  next_task INTEGER NOT NULL,
  next_outcome INTEGER NOT NULL,
  next_ended INTEGER NOT NULL,
  next_state INTEGER NOT NULL,
  next_group INTEGER NOT NULL
) STRICT;
CREATE TABLE commands (id TEXT PRIMARY KEY, reply BLOB NOT NULL) STRICT;
CREATE TABLE groups (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  template BLOB NOT NULL,
  last_number INTEGER NOT NULL DEFAULT 0,
  submitted INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  pruned INTEGER NOT NULL DEFAULT 0,
  told INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  open_attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE submissions (
  first_seq INTEGER PRIMARY KEY,
  group_seq INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  has_trials INTEGER NOT NULL,
  place INTEGER NOT NULL,
  at_ms REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX submissions_by_group ON submissions (group_seq, first);
CREATE TABLE tasks (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;
CREATE TABLE trials (
  seq INTEGER PRIMARY KEY,
  candidate TEXT NOT NULL,
  hash TEXT NOT NULL,
  parents TEXT NOT NULL,
  told_before INTEGER NOT NULL
) STRICT;
CREATE TABLE outcomes (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL UNIQUE,
  place INTEGER NOT NULL,
  state TEXT NOT NULL,
  metrics TEXT,
  cause TEXT,
  message TEXT,
  stack TEXT,
  worker TEXT NOT NULL,
  epoch INTEGER,
  attempt INTEGER,
  attempts INTEGER NOT NULL,
  elapsed_ms REAL NOT NULL,
  at_ms REAL NOT NULL
) STRICT;
CREATE TABLE told (
  group_seq INTEGER NOT NULL,
  place INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (group_seq, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_attempts (
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  at_ms REAL NOT NULL,
  PRIMARY KEY (task, epoch, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE ended_attempts (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  place INTEGER NOT NULL,
  worker TEXT NOT NULL,
  cause TEXT NOT NULL,
  message TEXT NOT NULL,
  at_ms REAL NOT NULL,
  UNIQUE (task, epoch, attempt)
) STRICT;
CREATE TABLE experiments (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at_ms REAL NOT NULL,
  ended_at_ms REAL,
  best_outcome INTEGER,
  best_score REAL
) STRICT;
CREATE TABLE experiment_states (
  id INTEGER PRIMARY KEY,
  experiment INTEGER NOT NULL,
  place INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms REAL NOT NULL
) STRICT;
CREATE TABLE reports (
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  step REAL NOT NULL,
  metrics TEXT NOT NULL,
  PRIMARY KEY (task, epoch, attempt, step)
) STRICT, WITHOUT ROWID;
`,
  // Reports have numbers. A store may have had several ids: the newest is that of the highest `first_epoch`.
  `
CREATE TABLE numbered_reports (
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  number INTEGER NOT NULL,
  step REAL NOT NULL,
  metrics TEXT NOT NULL,
  PRIMARY KEY (task, epoch, attempt, number)
) STRICT, WITHOUT ROWID;
INSERT INTO numbered_reports
  SELECT task, epoch, attempt, row_number() OVER (PARTITION BY task, epoch, attempt ORDER BY step), step, metrics
  FROM reports;
DROP TABLE reports;
ALTER TABLE numbered_reports RENAME TO reports;
ALTER TABLE store ADD COLUMN first_epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ended_attempts ADD COLUMN final INTEGER NOT NULL DEFAULT 0;
`,
  // What attempts keep at the master, and from where they go on. What a report tells of is 0 for a measurement, else the
  // sum of 1 for a checkpoint, 2 for a file, and 4 where its lease was given up and the checkpoint is none to go on from.
  // Of checkpoints with equal steps that of the higher id is the newer one.
  `
ALTER TABLE reports ADD COLUMN tells_of INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN code TEXT;
CREATE INDEX groups_by_code ON groups (code) WHERE code IS NOT NULL;
CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  step REAL NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX checkpoints_by_task ON checkpoints (task, step);
CREATE INDEX checkpoints_by_hash ON checkpoints (sha256);
CREATE TABLE files (
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (task, epoch, attempt, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_hash ON files (sha256);
CREATE TABLE continued (
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  from_epoch INTEGER NOT NULL,
  from_attempt INTEGER NOT NULL,
  step REAL NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (task, epoch, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX continued_by_hash ON continued (sha256);
`,
];

/** The version that this program writes. */
export const SCHEMA_VERSION = STEPS.length;

/** The file is no store, or one of a newer program: only a person can help. */
export class UnusableFile extends Error {
  readonly kind: "newer_schema" | "damaged";

  constructor(kind: "newer_schema" | "damaged", message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * The version of a file's schema, 0 for an empty file. Writes nothing.
 *
 * @throws UnusableFile where it is not a store, or newer than this program
 */
export function schemaVersion(db: DatabaseSync, path: string): number {
  const applicationId = pragma(db, "application_id");
  if (applicationId === 0 && tableCount(db) === 0) return 0;
  if (applicationId !== APPLICATION_ID) {
    throw new UnusableFile(
      "damaged",
      `${path} is an SQLite file of another program: name another data folder`,
    );
  }
  const version = Number(db.prepare("SELECT max(version) AS version FROM schema_versions").get()?.version);
  if (version > SCHEMA_VERSION) {
    throw new UnusableFile(
      "newer_schema",
      `${path} has schema version ${version}, this program knows ${SCHEMA_VERSION}: start a newer espalier`,
    );
  }
  return version;
}

/** Brings a file to the newest version, all steps in one transaction. */
export function migrate(db: DatabaseSync, version: number, nowMs: number): void {
  if (version === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    if (version === 0) {
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.exec("CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, at_ms REAL NOT NULL) STRICT");
    }
    for (const [index, step] of STEPS.entries()) {
      if (index < version) continue;
      db.exec(step);
      db.prepare("INSERT INTO schema_versions VALUES (?, ?)").run(index + 1, nowMs);
    }
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function tableCount(db: DatabaseSync): number {
  return Number(db.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count);
}
