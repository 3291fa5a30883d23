/**
 * Writes what attempts reported within a transaction: measurements, and word of checkpoints and files.
 *
 * Promise: the verdicts and what stays are those of `memory_reports.ts`.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ATTEMPT_REPORTS_MAX } from "../limits.ts";
import type { StoreVerdict } from "../store.ts";
import { KnownCheckpoints } from "./known_checkpoints.ts";
import type { RowReport, RowRestore } from "./packed_reports.ts";
import { REPORT_OF } from "./report_of.ts";
import { numberOrNull } from "./row.ts";
import type { RowChange } from "./row_change.ts";

/** An attempt by the numbers of its task and epoch. */
export interface RowAttempt {
  readonly task: number;
  readonly epoch: number;
  readonly attempt: number;
}

/** The prepared statements of a connection for reports and what they tell of. */
export class Reported {
  readonly #checkpoints: KnownCheckpoints;
  readonly #last: StatementSync;
  readonly #add: StatementSync;
  readonly #addFile: StatementSync;
  readonly #addContinued: StatementSync;

  constructor(db: DatabaseSync) {
    this.#checkpoints = new KnownCheckpoints(db);
    this.#last = db.prepare(
      "SELECT max(number) AS last FROM reports WHERE task = ? AND epoch = ? AND attempt = ?",
    );
    this.#add = db.prepare("INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#addFile = db.prepare("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)");
    this.#addContinued = db.prepare("INSERT OR IGNORE INTO continued VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  }

  /**
   * Records reports of an attempt.
   *
   * @param supersededBy what is answered where the task has its outcome, else undefined
   */
  record(
    { task, epoch, attempt }: RowAttempt,
    { reports, keep }: Extract<RowChange, { type: "reports" }>,
    supersededBy: () => StoreVerdict | undefined,
  ): StoreVerdict {
    let last = numberOrNull(this.#last.get(task, epoch, attempt)?.last) ?? 0;
    const known = reports.filter((report) => report.number <= last).length;
    if (known === reports.length) return { type: "recorded", again: true };
    const superseded = supersededBy();
    if (superseded !== undefined) return superseded;
    for (const report of reports) {
      const { number, step, metrics } = report;
      if (number > last + 1 && last < ATTEMPT_REPORTS_MAX) {
        return { type: "gap", last, ...(known > 0 ? { known } : {}) };
      }
      if (number <= last) continue;
      this.#add.run(task, epoch, attempt, number, step, metrics, kindOf(report, keep));
      if (report.checkpoint !== undefined || report.file !== undefined) {
        this.#keep({ task, epoch, attempt }, report, keep);
      }
      last = number;
    }
    return known === 0 ? { type: "recorded" } : { type: "recorded", known };
  }

  /** An attempt goes on from another one's checkpoint. @param fromEpoch the other one's, by its number */
  continues({ task, epoch, attempt }: RowAttempt, from: RowRestore, fromEpoch: number): void {
    this.#addContinued.run(
      task,
      epoch,
      attempt,
      fromEpoch,
      from.attempt,
      from.step,
      from.sha256,
      from.bytes,
    );
  }

  /** A task has its outcome: its checkpoints go, but for the highest where that is to stay. */
  resolve(task: number, keepsHighest: boolean): void {
    this.#checkpoints.resolve(task, keepsHighest ? 1 : 0);
  }

  #keep(of: RowAttempt, { step, checkpoint, file }: RowReport, keep: number | undefined): void {
    if (checkpoint !== undefined && keep !== undefined) {
      this.#checkpoints.add({ ...of, step }, checkpoint, keep);
    }
    if (file === undefined) return;
    this.#addFile.run(of.task, of.epoch, of.attempt, file.name, file.sha256, file.bytes);
  }
}

function kindOf({ checkpoint, file }: RowReport, keep: number | undefined): number {
  const isGivenUp = checkpoint !== undefined && keep === undefined;
  return (checkpoint === undefined ? 0 : REPORT_OF.checkpoint) + (file === undefined ? 0 : REPORT_OF.file) +
    (isGivenUp ? REPORT_OF.lease_given_up : 0);
}
