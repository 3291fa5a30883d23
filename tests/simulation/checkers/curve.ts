/**
 * Curves at the end of a run: what is stored of an attempt is what its evaluator reported.
 *
 * Watches: the curve of the attempt that an outcome names has the numbers from 1 on without gap or double, and is a first
 * part of what was reported, in order; all of it where the execution completed. Where an evaluator reported more than a
 * worker keeps, some may be left out. Over attempts that went on from one another each step is there once.
 *
 * @module
 */
import type { DiskTask } from "../../../master/store/memory_state.ts";
import { MEMORY_QUERIES } from "../../../master/store/memory_queries.ts";
import { QUERY_ROWS_MAX } from "../../../master/store/limits.ts";
import type { Restore } from "../../../shared/model/artifact.ts";
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import { ATTEMPT_REPORTS_KEPT_MAX } from "../../../worker/outbox_reports.ts";
import type { Reported } from "../executions.ts";
import { savingShape } from "../saving.ts";
import type { World } from "../world.ts";

/** Checks the curves of all tasks. */
export function checkCurves(world: World): void {
  for (const group of world.disk.state.groups.values()) {
    for (const task of group.tasks.values()) {
      checkCurve(world, task);
      checkChain(world, task);
    }
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

/** What a user sees: the curve over all attempts that went on from one another, beside what their evaluators measured. */
function checkChain(world: World, { id, outcome }: DiskTask): void {
  const lease = outcome?.lease;
  if (lease === undefined || outcome?.outcome.state !== "completed") return;
  const measured = chainOf(world, lease);
  if (measured === undefined) return;
  const { reports } = MEMORY_QUERIES.curve(
    world.disk.state,
    { task: id, after: 0, limit: QUERY_ROWS_MAX },
    0,
  );
  const told = () => `${id} has ${marks(reports)} of ${marks(measured)}`;
  world.findings.expect(
    "curve_whole",
    reports.length === measured.length && reports.every((each, index) => isSame(each, measured[index])),
    told,
  );
  const shape = savingShape(world.seed, world.plan.evaluator.saves, id);
  if (shape === undefined) return;
  world.findings.expect(
    "curve_whole",
    reports.length === shape.steps && reports.every(({ step }, index) => step === index),
    told,
  );
}

/** @returns undefined where a worker may have left something out, or a store that was lost knew of it */
function chainOf(world: World, last: Lease): readonly Reported[] | undefined {
  let upTo = Infinity;
  let measured: readonly Reported[] = [];
  for (let lease: Lease | undefined = last; lease !== undefined;) {
    const execution = world.executions.byLease.get(leaseKey(lease));
    if (execution === undefined || !world.storeLives.isPresent(lease.epoch)) return undefined;
    if (execution.reported.length > ATTEMPT_REPORTS_KEPT_MAX) return undefined;
    const from: Restore | undefined = world.saved.restored.get(leaseKey(lease));
    const isIts = ({ step, checkpoint }: Reported) =>
      checkpoint === undefined && step > (from?.step ?? -1) && step <= upTo;
    measured = [...execution.reported.filter(isIts), ...measured];
    upTo = Math.min(upTo, from?.step ?? upTo);
    lease = from === undefined ? undefined : { epoch: from.epoch, task: last.task, attempt: from.attempt };
  }
  return measured;
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
