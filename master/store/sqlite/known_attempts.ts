/**
 * Attempts of tasks that have no outcome: held in memory beside their tables, because every outcome asks for them and
 * hardly any task has one that was written.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { numberOf, type Row, rows } from "./row.ts";

interface Known {
  readonly open: Set<string>;
  readonly ended: Set<string>;
}

/** Open and ended attempts by task. */
export class KnownAttempts {
  readonly #byTask = new Map<number, Known>();
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeAll: StatementSync;
  readonly #findEnded: StatementSync;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare("INSERT INTO open_attempts VALUES (?, ?, ?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM open_attempts WHERE task = ? AND epoch = ? AND attempt = ?");
    this.#removeAll = db.prepare("DELETE FROM open_attempts WHERE task = ?");
    this.#findEnded = db.prepare(
      "SELECT 1 FROM ended_attempts WHERE task = ? AND epoch = ? AND attempt = ?",
    );
    for (const row of rows(db, "SELECT task, epoch, attempt FROM open_attempts")) this.#load(row, "open");
    const unresolved = `SELECT task, epoch, attempt FROM ended_attempts
      WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.task = ended_attempts.task)`;
    for (const row of rows(db, unresolved)) this.#load(row, "ended");
  }

  /** Writes an open attempt of a task without outcome. @returns false where it was known already */
  open(
    task: number,
    epoch: number,
    attempt: number,
    worker: string,
    incarnation: string,
    atMs: number,
  ): boolean {
    const known = this.#of(task);
    const key = keyOf(epoch, attempt);
    if (known.open.has(key) || known.ended.has(key)) return false;
    known.open.add(key);
    this.#add.run(task, epoch, attempt, worker, incarnation, atMs);
    return true;
  }

  hasEnded(task: number, epoch: number, attempt: number): boolean {
    return this.#findEnded.get(task, epoch, attempt) !== undefined;
  }

  /** An attempt of a task without outcome has ended. @returns whether it was open */
  end(task: number, epoch: number, attempt: number): boolean {
    const known = this.#of(task);
    const key = keyOf(epoch, attempt);
    known.ended.add(key);
    if (!known.open.delete(key)) return false;
    this.#remove.run(task, epoch, attempt);
    return true;
  }

  /** A task has its outcome. @returns how many attempts were known */
  resolve(task: number): number {
    const known = this.#byTask.get(task);
    if (known === undefined) return 0;
    if (known.open.size > 0) this.#removeAll.run(task);
    this.#byTask.delete(task);
    return known.open.size + known.ended.size;
  }

  #load(row: Row, kind: keyof Known): void {
    this.#of(numberOf(row.task))[kind].add(keyOf(numberOf(row.epoch), numberOf(row.attempt)));
  }

  #of(task: number): Known {
    const known = this.#byTask.get(task) ?? { open: new Set(), ended: new Set() };
    this.#byTask.set(task, known);
    return known;
  }
}

function keyOf(epoch: number, attempt: number): string {
  return `${epoch}.${attempt}`;
}
