/**
 * Queries over the durable state of a `MemoryStore` for what attempts reported and kept: curves, files, checkpoints.
 *
 * @module
 */
import type { ArtifactFile } from "../../shared/model/artifact.ts";
import type { Epoch } from "../../shared/model/ids.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import { type ContinuedFrom, pageOf, rangesUpTo, type StepRange } from "./curve_parts.ts";
import { rowLimit } from "./limits.ts";
import { findTask } from "./memory_apply.ts";
import { highestFirst, highestOf } from "./memory_reports.ts";
import type { DiskState, DiskTask } from "./memory_state.ts";
import {
  type ContinuedAttempt,
  isMeasurement,
  type OpenCheckpoint,
  type Queries,
  type StoredReport,
} from "./store.ts";

type Ask<K extends keyof Queries> = Queries[K]["ask"];
type Answer<K extends keyof Queries> = Queries[K]["answer"];

/** Answers `curve`. */
export function curveOf(state: DiskState, ask: Ask<"curve">): Answer<"curve"> {
  const task = findTask(state, ask.task);
  if (task === undefined) return { known: false, lease: null, parts: [], reports: [] };
  const lease = task.outcome === undefined ? newest(state, reporters(task)) : task.outcome.lease;
  if (lease === undefined) return { known: true, lease: null, parts: [], reports: [] };
  const ranges = rangesUpTo<Epoch>(lease, (attempt) => continuedFrom(task, attempt));
  const reports = pageOf(ranges, ask.after, rowLimit(ask.limit), {
    count: (range) => measuredIn(task, range).length,
    read: (range, offset, limit) => measuredIn(task, range).slice(offset, offset + limit),
  });
  const parts = ranges.map(({ epoch, attempt, above }) => ({ epoch, attempt, above }));
  return { known: true, lease, parts, reports };
}

/** Answers `files`. */
export function filesOf(state: DiskState, ask: Ask<"files">): Answer<"files"> {
  const task = findTask(state, ask.task);
  if (task === undefined) return { known: false, lease: null, files: [], checkpoints: [] };
  const keepers = [...task.files.values()].map(({ lease }) => lease);
  const lease = ask.attempt === null
    ? task.outcome?.lease ?? newest(state, keepers)
    : newest(state, keepers.filter(({ attempt }) => attempt === ask.attempt));
  const byName = lease === undefined ? undefined : task.files.get(leaseKey(lease))?.byName;
  const files = [...byName?.values() ?? []].filter(({ name }) => compareBytes(name, ask.after) > 0)
    .sort((one, other) => compareBytes(one.name, other.name)).slice(0, rowLimit(ask.limit))
    .map(({ name, sha256, bytes }): ArtifactFile => ({ name, sha256, bytes }));
  return { known: true, lease: lease ?? null, files, checkpoints: highestFirst(task.checkpoints) };
}

/** Answers `artifacts_used`. */
export function artifactsUsed(state: DiskState, ask: Ask<"artifacts_used">): Answer<"artifacts_used"> {
  const used = new Set<string>();
  for (const { code, tasks } of state.groups.values()) {
    if (code !== undefined) used.add(code);
    for (const task of tasks.values()) {
      for (const { sha256 } of task.checkpoints) used.add(sha256);
      for (const { byName } of task.files.values()) {
        for (const { sha256 } of byName.values()) used.add(sha256);
      }
      for (const [key, { from }] of task.continued) if (task.open.has(key)) used.add(from.sha256);
    }
  }
  return { used: ask.hashes.filter((hash) => used.has(hash)) };
}

/** The highest checkpoint of each open task. */
export function openCheckpoints(state: DiskState): readonly OpenCheckpoint[] {
  return [...state.openTasks.values()].flatMap((task) =>
    highestOf(task.checkpoints, 1).map((checkpoint) => ({ task: task.id, ...checkpoint }))
  );
}

/** Which attempts of open tasks go on from a checkpoint. */
export function continuedAttempts(state: DiskState): readonly ContinuedAttempt[] {
  return [...state.openTasks.values()].flatMap((task) =>
    [...task.continued.values()].filter(({ lease }) => state.epochs.includes(lease.epoch))
      .map(({ lease, from }) => ({ lease, step: from.step }))
  );
}

function reporters(task: DiskTask): readonly Lease[] {
  return [...task.curves.values(), ...task.continued.values()].map(({ lease }) => lease);
}

function newest(state: DiskState, leases: readonly Lease[]): Lease | undefined {
  const epochs = [...state.formerEpochs, ...state.epochs];
  const place = ({ epoch }: Lease) => epochs.indexOf(epoch);
  return leases.toSorted((a, b) => place(a) - place(b) || a.attempt - b.attempt).at(-1);
}

function continuedFrom(
  { id, continued }: DiskTask,
  { epoch, attempt }: { readonly epoch: Epoch; readonly attempt: number },
): ContinuedFrom<Epoch> | undefined {
  return continued.get(leaseKey({ epoch, task: id, attempt }))?.from;
}

function measuredIn(task: DiskTask, range: StepRange<Epoch>): readonly StoredReport[] {
  const { epoch, attempt, above, upTo } = range;
  const reports = task.curves.get(leaseKey({ epoch, task: task.id, attempt }))?.reports ?? [];
  return reports.filter((report) =>
    isMeasurement(report) && report.step > (above ?? -1) && report.step <= upTo
  );
}

/** In the order of their bytes as UTF-8, which is that of their code points. */
function compareBytes(one: string, other: string): number {
  const [left, right] = [[...one], [...other]];
  for (let place = 0; place < Math.min(left.length, right.length); place++) {
    const difference = (left[place]?.codePointAt(0) ?? 0) - (right[place]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
