/**
 * Directed runs of attempts that are to end: cancelled, overdue, pruned.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { AT_ONCE, cutOff, leaseRun, ONE_SLOT, onlyGroup } from "./lease_stage.ts";
import { FAULT_AT_MS, submit } from "./stage.ts";

const SLOTS = 8;

/** Cancels everything, and lets the connection break while evaluators still have their grace. */
const inGraceRun = leaseRun("cancelled_in_grace", {
  workers: [{ slots: SLOTS, cpus: SLOTS }],
  tasks: SLOTS,
  taskMs: 30_000,
  template: { graceMs: 10_000 },
  script: [
    [FAULT_AT_MS, (world) => {
      world.clients[0]?.ask({ kind: "cancel", group: onlyGroup(world), number: null });
    }],
    [FAULT_AT_MS + 1_000, (world) => {
      assert(world.executions.running > 0, "no evaluator uses its grace");
      submit(world, SLOTS, { template: AT_ONCE });
    }],
    [FAULT_AT_MS + 2_000, cutOff(3_000)],
  ],
  expect: ({ tasks, begun }) => {
    const states = tasks.map(({ outcome }) => outcome?.outcome.state);
    assert.deepEqual(states, [...Array(SLOTS).fill("cancelled"), ...Array(SLOTS).fill("completed")]);
    // Those that were submitted later waited for the slots, and none was begun in vain.
    assert.equal(begun, 2 * SLOTS);
  },
});

const acrossBreakRun = leaseRun("deadline_across_break", {
  workers: [ONE_SLOT],
  taskMs: 60_000,
  template: {
    deadlineMs: 6_000,
    graceMs: 500,
    retry: { limit: 0, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 },
  },
  script: [[FAULT_AT_MS, cutOff(8_000)]],
  expect: ({ task, begun }) => {
    const outcome = task.outcome?.outcome;
    assert(outcome?.state === "failed");
    assert.equal(outcome.cause, "deadline");
    // The worker kept the deadline while nobody heard it.
    assert((task.outcome?.elapsedMs ?? 0) < 6_600, `it ran for ${task.outcome?.elapsedMs} ms`);
    assert.deepEqual([...task.ended.values()], ["deadline"]);
    assert.equal(begun, 1);
  },
});

/** As an experiment does that has a pruner. */
function prune(world: World): void {
  const cluster = world.memory.live;
  assert(cluster !== undefined);
  const { context } = cluster.core;
  context.send(context.self, { type: "source_prunes", group: onlyGroup(world), number: 1 });
}

const BACK_AT_MS = FAULT_AT_MS + 7_000;

/** A disk that takes so long once it is told to. */
const disk = { min: 0.2, max: 0.3 };
const setLatency = (ms: number) => (): void => {
  disk.min = ms;
  disk.max = ms * 1.1;
};

const prunedRun = leaseRun("completed_and_pruned", {
  taskMs: 8_000,
  template: { graceMs: 100 },
  adjust: (plan) => ({ ...plan, disk: { ...plan.disk, latencyMs: disk } }),
  script: [
    [0, setLatency(0.2)],
    [FAULT_AT_MS, cutOff(BACK_AT_MS - FAULT_AT_MS)],
    // A commit is under way when both results come: they share the next.
    [BACK_AT_MS - 600, setLatency(2_000)],
    [BACK_AT_MS - 500, (world) => submit(world, 1, { template: AT_ONCE })],
    [BACK_AT_MS - 200, prune],
    [BACK_AT_MS + 5_000, setLatency(0.2)],
  ],
  expect: ({ task, begun, world }) => {
    // The one that was pruned ended first: of what enters one batch the first counts.
    assert.equal(task.outcome?.outcome.state, "pruned");
    assert.equal(task.outcome?.lease?.attempt, 2);
    assert.equal(begun, 3);
    for (const { journal } of world.workers) {
      assert.equal(journal.results.size, 0, "a result was not acknowledged");
    }
  },
});

/** Those of attempts that are to end. */
export const END_RUNS: readonly DirectedRun[] = [inGraceRun, acrossBreakRun, prunedRun];
