/**
 * Attempts of tasks that have no outcome: held in memory beside their tables, because every outcome asks for them and
 * hardly any task has one that was written.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AttemptEndCause } from "../../../shared/model/outcome.ts";
import { numberOf, type Row, rows } from "./row.ts";

/** The cause of an attempt whose worker was lost. */
const LOST = "worker_lost" satisfies AttemptEndCause;

interface Known {
  readonly open: Set<string>;
  readonly ended: Set<string>;
  /** Those of the ended that may be opened again: their workers were lost, and may come back. */
  readonly lost: Set<string>;
}

/** Of open attempts `a`: one that was lost and came back is in both tables, and is one. */
export const NOT_ENDED = `NOT EXISTS (
  SELECT 1 FROM ended_attempts e WHERE e.task = a.task AND e.epoch = a.epoch AND e.attempt = a.attempt)`;

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
    const unresolved = `SELECT task, epoch, attempt, cause FROM ended_attempts
      WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.task = ended_attempts.task)`;
    for (const row of rows(db, unresolved)) {
      this.#load(row, "ended");
      if (row.cause === LOST) this.#load(row, "lost");
    }
  }

  /**
   * Writes an open attempt of a task without outcome.
   *
   * @returns whether it is `new`, was `lost` and is open again, or was `known` already
   */
  open(
    task: number,
    epoch: number,
    attempt: number,
    worker: string,
    incarnation: string,
    atMs: number,
  ): "new" | "lost" | "known" {
    const known = this.#of(task);
    const key = keyOf(epoch, attempt);
    const hasEnded = known.ended.has(key);
    if (known.open.has(key) || (hasEnded && !known.lost.has(key))) return "known";
    known.open.add(key);
    this.#add.run(task, epoch, attempt, worker, incarnation, atMs);
    return hasEnded ? "lost" : "new";
  }

  hasEnded(task: number, epoch: number, attempt: number): boolean {
    return this.#findEnded.get(task, epoch, attempt) !== undefined;
  }

  /** An attempt of a task without outcome has ended. @returns whether it was open */
  end(task: number, epoch: number, attempt: number, cause: string): boolean {
    const known = this.#of(task);
    const key = keyOf(epoch, attempt);
    known.ended.add(key);
    if (cause === LOST) known.lost.add(key);
    return this.close(task, epoch, attempt);
  }

  /** An attempt whose end is written is open no more. @returns whether it was */
  close(task: number, epoch: number, attempt: number): boolean {
    if (this.#byTask.get(task)?.open.delete(keyOf(epoch, attempt)) !== true) return false;
    this.#remove.run(task, epoch, attempt);
    return true;
  }

  /** A task has its outcome. @returns how many attempts were known */
  resolve(task: number): number {
    const known = this.#byTask.get(task);
    if (known === undefined) return 0;
    if (known.open.size > 0) this.#removeAll.run(task);
    this.#byTask.delete(task);
    let count = known.ended.size;
    // One that was lost and came back is in both.
    for (const key of known.open) if (!known.ended.has(key)) count += 1;
    return count;
  }

  #load(row: Row, kind: keyof Known): void {
    this.#of(numberOf(row.task))[kind].add(keyOf(numberOf(row.epoch), numberOf(row.attempt)));
  }

  #of(task: number): Known {
    const known = this.#byTask.get(task) ?? { open: new Set(), ended: new Set(), lost: new Set() };
    this.#byTask.set(task, known);
    return known;
  }
}

function keyOf(epoch: number, attempt: number): string {
  return `${epoch}.${attempt}`;
}
