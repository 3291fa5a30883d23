/**
 * The judgement: what is stored, what was acknowledged and told, and what was evaluated must fit together.
 *
 * @module
 */
import { storeFile, type StoreReport, verifyStore } from "../../master/verify/verify.ts";
import { type Ledger, readLedger } from "../../tests/integration/fleet/ledger.ts";
import type { TorturedCluster } from "./cluster.ts";
import { type Evaluation, explainReruns, readEvaluations, type Reruns } from "./evaluations.ts";
import type { FaultLog } from "./fault_log.ts";
import type { Acknowledged, Load, Nature } from "./load.ts";

/** What a run came to. */
export interface Judgement {
  readonly violations: readonly string[];
  readonly report: StoreReport | undefined;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly evaluations: readonly Evaluation[];
  readonly reruns: Reruns;
}

/** What may become of a task. */
const ALLOWED: Readonly<Record<Nature, ReadonlySet<string>>> = {
  sturdy: new Set(["completed"]),
  trial: new Set(["completed"]),
  cancelled: new Set(["completed", "cancelled"]),
  fragile: new Set(["completed", "failed by crash", "failed by worker_lost"]),
  wrong: new Set(["failed by evaluator"]),
};

/** Judges a run that is over; all processes have ended. */
export function judge(cluster: TorturedCluster, load: Load, log: FaultLog): Judgement {
  const violations = [...load.problems];
  const report = verified(cluster.fleet.data, violations);
  const ledger = readLedger(cluster.fleet.data);
  const evaluations = readEvaluations(cluster);
  const reruns = explainReruns(evaluations, log.faults);
  violations.push(...reruns.unexplained);
  checkLeases(evaluations, violations);
  checkLedger(ledger, load, violations);
  checkMeasured(ledger, evaluations, violations);
  const outcomes = new Map<string, number>();
  for (const { state } of ledger.outcomes) outcomes.set(state, (outcomes.get(state) ?? 0) + 1);
  return { violations, report, outcomes, evaluations, reruns };
}

function verified(folder: string, violations: string[]): StoreReport | undefined {
  const result = verifyStore(storeFile(folder) ?? folder);
  if (!result.ok) {
    violations.push(`verify: ${result.message}`);
    return undefined;
  }
  for (const { name, first } of result.report.checks) {
    for (const { message, evidence } of first) {
      violations.push(`verify, ${name}: ${message} ${JSON.stringify(evidence)}`);
    }
  }
  for (const { what, why } of result.report.notChecked) {
    violations.push(`verify did not check ${what}: ${why}`);
  }
  return result.report;
}

/** Two executions never share a lease. */
function checkLeases(evaluations: readonly Evaluation[], violations: string[]): void {
  const seen = new Map<string, Evaluation>();
  for (const evaluation of evaluations) {
    const other = seen.get(evaluation.lease);
    if (other !== undefined) {
      violations.push(
        `the lease ${evaluation.lease} was executed at ${other.place} and at ${evaluation.place}`,
      );
    }
    seen.set(evaluation.lease, evaluation);
  }
}

/** All that was acknowledged is there, ended as it may, and was told once. */
function checkLedger(ledger: Ledger, load: Load, violations: string[]): void {
  const byGroup = Map.groupBy(ledger.outcomes, ({ task }) => task.slice(0, task.lastIndexOf("/")));
  for (const acknowledged of load.acknowledged) {
    const outcomes = byGroup.get(acknowledged.group) ?? [];
    byGroup.delete(acknowledged.group);
    checkCount(acknowledged, outcomes.length, violations);
    for (const { task, state, cause } of outcomes) {
      const end = cause === null ? state : `${state} by ${cause}`;
      if (!ALLOWED[acknowledged.nature].has(end)) {
        violations.push(`${task} (${acknowledged.nature}) is ${end}`);
      }
      const told = load.told.get(task) ?? [];
      if (told.length !== 1 || told[0] !== state) {
        violations.push(`${task} is ${state}, and was told ${told.join(", ") || "never"}`);
      }
    }
  }
  if (byGroup.size > load.refused) {
    violations.push(
      `${byGroup.size} groups are stored that nobody was told of: ${[...byGroup.keys()].join(", ")}`,
    );
  }
  if (ledger.outcomes.length !== ledger.tasks) {
    violations.push(`${ledger.tasks} tasks are stored, ${ledger.outcomes.length} have an outcome`);
  }
}

function checkCount({ group, tasks, nature }: Acknowledged, outcomes: number, violations: string[]): void {
  const isThere = tasks === undefined ? outcomes > 0 : outcomes === tasks;
  if (!isThere) {
    violations.push(
      `${group} (${nature}) was acknowledged with ${tasks ?? "its"} tasks, and ${outcomes} have an outcome`,
    );
  }
}

/** What is recorded as completed was evaluated to its end. */
function checkMeasured(ledger: Ledger, evaluations: readonly Evaluation[], violations: string[]): void {
  const completed = new Set(evaluations.filter(({ state }) => state === "completed").map(({ task }) => task));
  for (const { task, state } of ledger.outcomes) {
    if (state === "completed" && !completed.has(task)) {
      violations.push(`${task} is completed, and nobody evaluated it to its end`);
    }
  }
}
