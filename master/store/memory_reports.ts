/**
 * Reports over maps: what they measure, and the checkpoints and files that they tell of.
 *
 * Promise: the verdicts and what stays are those of sqlite/reported.ts.
 *
 * @module
 */
import { leaseKey } from "../../shared/model/task.ts";
import { ATTEMPT_REPORTS_MAX } from "./limits.ts";
import type { DiskOutcome, DiskTask } from "./memory_state.ts";
import type { NewReport, StoreChange, StoredCheckpoint, StoreVerdict } from "./store.ts";

type Reports = Extract<StoreChange, { type: "reports" }>;

/** Applies a change `reports`. @param task of its lease; undefined where this store granted no such lease */
export function recordReports(change: Reports, task: DiskTask | undefined): StoreVerdict {
  if (task === undefined) return { type: "unknown" };
  const { lease, reports } = change;
  const key = leaseKey(lease);
  const curve = task.curves.get(key) ?? { lease, reports: [] };
  const lastNumber = () => curve.reports.at(-1)?.number ?? 0;
  const before = lastNumber();
  const known = reports.filter(({ number }) => number <= before).length;
  if (known === reports.length) return { type: "recorded", again: true };
  if (task.outcome !== undefined) return superseded(task.outcome);
  for (const report of reports) {
    const last = lastNumber();
    if (report.number > last + 1 && last < ATTEMPT_REPORTS_MAX) {
      return { type: "gap", last, ...(known > 0 ? { known } : {}) };
    }
    if (report.number <= last) continue;
    curve.reports.push(report);
    task.curves.set(key, curve);
    keepFor(task, change, report);
  }
  return known === 0 ? { type: "recorded" } : { type: "recorded", known };
}

/** What became of a task that has its outcome. */
export function superseded(recorded: DiskOutcome): StoreVerdict {
  return { type: "superseded", by: recorded.lease?.attempt ?? null, state: recorded.outcome.state };
}

/** Those of a task in the order of their steps, the highest first; of equal steps the newest. @param checkpoints as recorded */
export function highestFirst(checkpoints: readonly StoredCheckpoint[]): readonly StoredCheckpoint[] {
  return checkpoints.toReversed().sort((one, other) => other.step - one.step);
}

/** The highest of them, in the order in which they were recorded. */
export function highestOf(
  checkpoints: readonly StoredCheckpoint[],
  keep: number,
): readonly StoredCheckpoint[] {
  const kept = new Set(highestFirst(checkpoints).slice(0, keep));
  return checkpoints.filter((checkpoint) => kept.has(checkpoint));
}

function keepFor(task: DiskTask, { lease, keep }: Reports, { step, checkpoint, file }: NewReport): void {
  if (checkpoint !== undefined && keep !== undefined) {
    const { sha256, bytes } = checkpoint;
    const added = { epoch: lease.epoch, attempt: lease.attempt, step, sha256, bytes };
    task.checkpoints = highestOf([...task.checkpoints, added], keep);
  }
  if (file === undefined) return;
  const key = leaseKey(lease);
  const files = task.files.get(key) ?? { lease, byName: new Map() };
  files.byName.set(file.name, file);
  task.files.set(key, files);
}
