/**
 * Directed runs of workers that come back with leases that had been given away, or lost.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { EvaluatorPlan } from "../plan.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { assertCompleted, cutOff, holder, leaseRun, ONE_SLOT } from "./lease_stage.ts";
import { connectionOf, FAULT_AT_MS } from "./stage.ts";

const HOUR_MS = 3_600_000;

/** Its machine sleeps while the other begins the task: by its own clock it has hardly run when it comes back. */
function sleepAndBreak(world: World): void {
  const worker = holder(world);
  worker.sleep();
  connectionOf(world, worker.name).reset();
}

/** Evaluators that begin before the break fail, later ones do not. */
function failingAtFirst() {
  const parts: { failed: number } = { failed: 1 };
  const evaluator = (plan: EvaluatorPlan): EvaluatorPlan =>
    Object.defineProperty({ ...plan }, "failed", { get: () => parts.failed });
  return { evaluator, mend: () => void (parts.failed = 0), break: () => void (parts.failed = 1) };
}

const furtherRun = leaseRun("back_running_further", {
  taskMs: 30_000,
  script: [[FAULT_AT_MS, cutOff(8_000)]],
  expect: ({ task, begun }) => {
    // The one that is cancelled is nobody's failure.
    assertCompleted(task, 1, ["duplicate"]);
    assert.equal(begun, 2);
  },
});

const lessFarRun = leaseRun("back_running_less_far", {
  taskMs: 30_000,
  script: [[FAULT_AT_MS, sleepAndBreak], [FAULT_AT_MS + 10_000, (world) => holder(world).goOn()]],
  expect: ({ task, begun }) => {
    assertCompleted(task, 2, ["duplicate"]);
    assert.equal(begun, 2);
  },
});

const finishedRun = leaseRun("back_finished", {
  taskMs: 10_000,
  script: [[FAULT_AT_MS, cutOff(8_000)]],
  expect: ({ task, begun, world }) => {
    assert.equal(task.outcome?.outcome.state, "completed");
    assert.equal(task.outcome?.lease?.attempt, 1);
    assert.equal(begun, 2);
    const ends = [...world.executions.byLease.values()].map(({ end }) => end);
    assert.deepEqual(ends.toSorted(), ["completed", "stopped"]);
  },
});

const failing = failingAtFirst();
const failedRun = leaseRun("back_failed", {
  taskMs: 10_000,
  adjust: (plan) => ({ ...plan, evaluator: failing.evaluator(plan.evaluator) }),
  script: [[0, failing.break], [FAULT_AT_MS - 1, failing.mend], [FAULT_AT_MS, cutOff(8_000)]],
  expect: ({ task, begun }) => {
    // The failure counts, and the other attempt goes on.
    assertCompleted(task, 2, ["evaluator"]);
    assert.equal(begun, 2);
  },
});

const afterLossRun = leaseRun("back_after_loss", {
  workers: [ONE_SLOT],
  taskMs: 60_000,
  script: [[FAULT_AT_MS, cutOff(33_000)]],
  expect: ({ task, begun }) => {
    assertCompleted(task, 1, ["worker_lost"]);
    assert.equal(task.outcome?.attempts, 1);
    assert.equal(begun, 1);
  },
});

const afterAnHourRun = leaseRun("back_after_an_hour", {
  taskMs: HOUR_MS + 900_000,
  adjust: (plan) => ({ ...plan, activeMs: HOUR_MS + 1_200_000 }),
  script: [[FAULT_AT_MS, cutOff(HOUR_MS + 200_000)]],
  expect: ({ task, begun }) => {
    // It had been counted as lost; it ran on all the same, and further than the one that took its place.
    assertCompleted(task, 1, ["worker_lost", "duplicate"]);
    assert.equal(begun, 2);
  },
});

/** Those of returning workers. */
export const RETURN_RUNS: readonly DirectedRun[] = [
  furtherRun,
  lessFarRun,
  finishedRun,
  failedRun,
  afterLossRun,
  afterAnHourRun,
];
