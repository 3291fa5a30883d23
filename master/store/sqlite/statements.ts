/**
 * The statements that write, prepared once for a connection.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** The statements by what they do. */
export type Writes = ReturnType<typeof prepareWrites>;

/** Prepares the statements that write. */
export function prepareWrites(db: DatabaseSync) {
  return {
    findCommand: db.prepare("SELECT reply FROM commands WHERE id = ?"),
    addCommand: db.prepare("INSERT INTO commands VALUES (?, ?)"),
    addGroup: db.prepare("INSERT INTO groups (id, template, code) VALUES (?, ?, ?)"),
    addSubmission: db.prepare("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?)"),
    addTask: db.prepare("INSERT INTO tasks VALUES (?, ?)"),
    addTrial: db.prepare("INSERT INTO trials VALUES (?, ?, ?, ?, ?)"),
    addOutcome: db.prepare(
      `INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (task) DO NOTHING`,
    ),
    findOutcome: db.prepare("SELECT state, epoch, attempt FROM outcomes WHERE task = ?"),
    addTold: db.prepare("INSERT INTO told VALUES (?, ?, ?, ?)"),
    addEnded: db.prepare("INSERT INTO ended_attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    addExperiment: db.prepare(`INSERT INTO experiments (id, name, spec, state, reason, created_at_ms)
    VALUES (?, ?, ?, 'running', '', ?)`),
    addState: db.prepare("INSERT INTO experiment_states VALUES (?, ?, ?, ?, ?, ?)"),
  };
}

/** Prepares the statements of a transaction. */
export function prepareCommit(db: DatabaseSync) {
  return {
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
    newestEpoch: db.prepare("SELECT max(number) AS number FROM epochs"),
    addCommit: db.prepare("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
  };
}
