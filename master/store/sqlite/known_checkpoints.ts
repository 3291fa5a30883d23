/**
 * Checkpoints of tasks that have no outcome: held in memory beside their table, because every outcome lets those of its
 * task go, and hardly any task has one.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ArtifactRef } from "../../../shared/model/artifact.ts";
import { numberOf, rows } from "./row.ts";

interface Known {
  /** Rises with each that is recorded, among those that are there. */
  readonly id: number;
  readonly step: number;
}

/** Whose a checkpoint is: task and epoch by their numbers. */
export interface CheckpointOf {
  readonly task: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly step: number;
}

/** Checkpoints by task. */
export class KnownCheckpoints {
  /** In the order of their ids. */
  readonly #byTask = new Map<number, Known[]>();
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  #nextId: number;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM checkpoints WHERE id = ?");
    const [newest] = rows(db, "SELECT coalesce(max(id), 0) AS id FROM checkpoints");
    this.#nextId = numberOf(newest?.id) + 1;
    const unresolved = `SELECT id, task, step FROM checkpoints
      WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.task = checkpoints.task) ORDER BY id`;
    for (const { id, task, step } of rows(db, unresolved)) {
      this.#of(numberOf(task)).push({ id: numberOf(id), step: numberOf(step) });
    }
  }

  /** Records one of a task without outcome; the highest `keep` stay, of equal steps the newest. */
  add({ task, epoch, attempt, step }: CheckpointOf, { sha256, bytes }: ArtifactRef, keep: number): void {
    const id = this.#nextId++;
    this.#add.run(id, task, epoch, attempt, step, sha256, bytes);
    const known = this.#of(task);
    known.push({ id, step });
    this.#keepHighest(known, keep);
  }

  /** A task has its outcome. @param keep how many of the highest stay */
  resolve(task: number, keep: number): void {
    const known = this.#byTask.get(task);
    if (known === undefined) return;
    this.#keepHighest(known, keep);
    this.#byTask.delete(task);
  }

  #keepHighest(known: Known[], keep: number): void {
    while (known.length > keep) {
      const lowest = known.reduce((low, each) => each.step < low.step ? each : low);
      known.splice(known.indexOf(lowest), 1);
      this.#remove.run(lowest.id);
    }
  }

  #of(task: number): Known[] {
    const known = this.#byTask.get(task) ?? [];
    this.#byTask.set(task, known);
    return known;
  }
}
