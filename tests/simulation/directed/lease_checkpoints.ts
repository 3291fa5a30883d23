/**
 * Directed runs of attempts that save checkpoints, and of those that go on from them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Plan } from "../plan.ts";
import { savingShape } from "../saving.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { assertCompleted, cutOff, holder, leaseRun, type Seen } from "./lease_stage.ts";
import { connectionOf, FAULT_AT_MS } from "./stage.ts";

const TASK_MS = 60_000;
/** Checkpoints have been saved by then, and more are to come. */
const LATE_MS = 40_000;

/** Every evaluator saves. */
const saving = (plan: Plan): Plan => ({ ...plan, evaluator: { ...plan.evaluator, saves: 1 } });

/** Kills whoever has the task: nobody else knows how far it was. */
function killHolder(world: World): void {
  holder(world).kill();
}

/** The worker that has nothing at first. */
function other(world: World): World["workers"][number] {
  const worker = world.workers.find((each) => each !== holder(world));
  assert(worker !== undefined);
  return worker;
}

/** The steps that each attempt of the task measured, in the order in which they were begun. */
function measuredSteps({ world }: Seen): readonly (readonly number[])[] {
  return [...world.executions.byLease.values()].map(({ reported }) =>
    reported.filter(({ checkpoint }) => checkpoint === undefined).map(({ step }) => step)
  );
}

/** Asserts that the second attempt began behind a step that the first one had measured, and went on to the end. */
function assertContinued(seen: Seen): void {
  const steps = savingShape(seen.world.seed, 1, seen.task.id)?.steps ?? 0;
  const [first = [], second = []] = measuredSteps(seen);
  assert((second[0] ?? 0) > 0, "it began at the beginning");
  assert(first.includes((second[0] ?? 0) - 1), "nobody had measured the step before");
  assert.equal(second.at(-1), steps - 1);
}

const elsewhereRun = leaseRun("continued_elsewhere", {
  taskMs: TASK_MS,
  adjust: saving,
  script: [[LATE_MS, killHolder]],
  expect: (seen) => {
    assertCompleted(seen.task, 2, [...seen.task.ended.values()]);
    assertContinued(seen);
    assert.deepEqual(seen.task.checkpoints, [], "its checkpoints are needed no more");
  },
});

const restartRun = leaseRun("continued_after_master_restart", {
  taskMs: TASK_MS,
  adjust: saving,
  template: { checkpoints: { keep: 1, keepEnded: true } },
  script: [[LATE_MS, (world) => {
    killHolder(world);
    world.master.kill();
    world.master.startSoon();
  }]],
  expect: (seen) => {
    assertCompleted(seen.task, 1, ["worker_lost"]);
    assertContinued(seen);
    assert.equal(seen.task.checkpoints.length, 1, "the highest stays, as its task was told");
  },
});

const bothRun = leaseRun("both_saved", {
  taskMs: TASK_MS,
  adjust: saving,
  script: [
    [LATE_MS / 2, (world) => {
      holder(world).pause();
      connectionOf(world, holder(world).name).reset();
    }],
    [LATE_MS * 1.5, (world) => holder(world).goOn()],
  ],
  expect: (seen) => {
    // The one that slept ran for longer, and has not come so far.
    assertCompleted(seen.task, 2, ["worker_lost"]);
    assertContinued(seen);
  },
});

const furtherRun = leaseRun("returned_with_further_checkpoint", {
  taskMs: TASK_MS,
  adjust: saving,
  script: [
    [FAULT_AT_MS, cutOff(25_000)],
    // The other one loses some time.
    [FAULT_AT_MS + 1_000, (world) => other(world).pause()],
    [FAULT_AT_MS + 11_000, (world) => other(world).goOn()],
  ],
  expect: (seen) => {
    assertCompleted(seen.task, 1, ["duplicate"]);
    assert.equal(seen.begun, 2);
  },
});

/** Those of checkpoints. */
export const CHECKPOINT_RUNS: readonly DirectedRun[] = [elsewhereRun, restartRun, bothRun, furtherRun];
