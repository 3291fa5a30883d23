/**
 * Curves at the end of a run: what is stored of an attempt is what its evaluator reported.
 *
 * Watches: the curve of the attempt that an outcome names has the numbers from 1 on without gap or double, and is a first
 * part of what was reported, in order; all of it where the execution completed. Where an evaluator reported more than a
 * worker keeps, some may be left out.
 *
 * @module
 */
import type { DiskTask } from "../../../master/store/memory_state.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import { ATTEMPT_REPORTS_KEPT_MAX } from "../../../worker/outbox_reports.ts";
import type { Reported } from "../executions.ts";
import type { World } from "../world.ts";

/** Checks the curves of all tasks. */
export function checkCurves(world: World): void {
  for (const group of world.disk.state.groups.values()) {
    for (const task of group.tasks.values()) checkCurve(world, task);
  }
}

function checkCurve(world: World, task: DiskTask): void {
  const lease = task.outcome?.lease;
  // What an older copy of the store lacks of an attempt, its worker may have forgotten.
  if (lease === undefined || !world.storeLives.isPresent(lease.epoch)) return;
  const key = leaseKey(lease);
  const execution = world.executions.byLease.get(key);
  const stored = task.curves.get(key)?.reports ?? [];
  world.findings.expect(
    "curve_whole",
    stored.every((report, index) => report.number === index + 1),
    () => `${key} has the reports ${stored.map((each) => each.number).join(" ")}`,
  );
  const reported = execution?.reported ?? [];
  const isWhole = execution?.end === "completed" && task.outcome?.outcome.state === "completed";
  const told = () => `${key} has ${marks(stored)} of ${marks(reported)}, and ended ${execution?.end}`;
  world.findings.expect("curve_whole", isPart(stored, reported), told);
  world.findings.expect("curve_whole", !isWhole || endsAlike(stored, reported), told);
}

function isPart(stored: readonly Reported[], reported: readonly Reported[]): boolean {
  if (reported.length <= ATTEMPT_REPORTS_KEPT_MAX) {
    return stored.every((each, index) => isSame(each, reported[index]));
  }
  let at = 0;
  for (const each of stored) {
    while (at < reported.length && !isSame(each, reported[at])) at += 1;
    if (at === reported.length) return false;
    at += 1;
  }
  return true;
}

/** The newest is never left out. */
function endsAlike(stored: readonly Reported[], reported: readonly Reported[]): boolean {
  if (reported.length <= ATTEMPT_REPORTS_KEPT_MAX) return stored.length === reported.length;
  const last = stored.at(-1);
  return last !== undefined && isSame(last, reported.at(-1));
}

function isSame(one: Reported, other: Reported | undefined): boolean {
  return other !== undefined && one.step === other.step &&
    JSON.stringify(one.metrics) === JSON.stringify(other.metrics);
}

function marks(reports: readonly Reported[]): string {
  return `${reports.length} reports (${reports.slice(0, 9).map((each) => each.step).join(" ")})`;
}
