/**
 * Directed scenarios: one fault, at a moment that matters, in a cluster that is otherwise well.
 *
 * @module
 */
import assert from "node:assert/strict";
import { NO_RESOURCES } from "../../shared/model/resources.ts";
import { RETRY_DEFAULTS } from "../../shared/model/task.ts";
import { encode } from "../../shared/protocol/codec.ts";
import { quietPlan, type WorkerPlan } from "./plan.ts";
import { simulate } from "./simulation.ts";
import type { World } from "./world.ts";

const TASKS = 100;
const SUBMIT_AT_MS = 1_500;
/** Everything runs by then. */
const FAULT_AT_MS = 5_000;

interface Scenario {
  readonly workers: readonly WorkerPlan[];
  readonly tasks: number;
  readonly taskMs: number;
  readonly fault: (world: World) => void;
}

/** @returns how often tasks were begun, and how many have an outcome */
function play(
  { workers, tasks, taskMs, fault }: Scenario,
): { readonly begun: number; readonly completed: number } {
  const worlds: World[] = [];
  const { violations } = simulate("scenario", {
    adjust: (plan) => quietPlan(plan, workers, taskMs),
    direct: (world) => {
      worlds.push(world);
      world.loop.timer(SUBMIT_AT_MS, () => submit(world, tasks));
      world.loop.timer(FAULT_AT_MS, () => {
        assert.equal(world.executions.running, tasks, "not everything runs when the fault comes");
        fault(world);
      });
    },
  });
  assert.deepEqual(violations, []);
  const [world] = worlds;
  assert(world !== undefined);
  const groups = [...world.disk.state.groups.values()];
  return {
    begun: world.executions.byLease.size,
    completed: groups.reduce((sum, group) => sum + group.counts.completed, 0),
  };
}

function submit(world: World, tasks: number): void {
  const payloads = Array.from({ length: tasks }, (_, index) => encode({ candidate: { index } }));
  const template = {
    evaluator: { kind: "module", path: "/evaluate.ts" },
    resources: NO_RESOURCES,
    priority: 0,
    retry: RETRY_DEFAULTS,
    graceMs: 500,
    reassignAfterMs: 0,
  } as const;
  world.clients[0]?.ask({ kind: "submit", name: "scenario", template, payloads });
}

/** Cuts the first worker off. */
const cutOff = (spanMs: number) => (world: World) => world.network.block("w1", spanMs, "both");

Deno.test("a master that is killed while a hundred tasks run costs none of them a second run", () => {
  const workers = Array.from({ length: 4 }, () => ({ slots: 25, cpus: 4 }));
  const fault = (world: World) => {
    world.master.kill();
    world.master.startSoon();
  };
  assert.deepEqual(play({ workers, tasks: TASKS, taskMs: 20_000, fault }), {
    begun: TASKS,
    completed: TASKS,
  });
});

Deno.test("a partition of 20 s costs nothing where nobody else has an idle slot", () => {
  const workers = [{ slots: 4, cpus: 4 }];
  assert.deepEqual(play({ workers, tasks: 4, taskMs: 30_000, fault: cutOff(20_000) }), {
    begun: 4,
    completed: 4,
  });
});

Deno.test("a partition of 31 s loses no task: those of the lost worker begin again elsewhere", () => {
  const workers = [{ slots: 2, cpus: 4 }, { slots: 4, cpus: 4 }];
  const { begun, completed } = play({ workers, tasks: 4, taskMs: 50_000, fault: cutOff(31_000) });
  assert.equal(completed, 4);
  assert(begun > 4, "nothing was begun again");
  assert(begun <= 8, `${begun} executions of 4 tasks`);
});

Deno.test("a worker that was stopped for 40 s and goes on takes nobody's result away and adds none", () => {
  const workers = [{ slots: 2, cpus: 4 }, { slots: 4, cpus: 4 }];
  const fault = ({ workers: [first], loop }: World) => {
    first?.pause();
    loop.timer(40_000, () => first?.goOn());
  };
  assert.equal(play({ workers, tasks: 4, taskMs: 30_000, fault }).completed, 4);
});

Deno.test("a killed worker's tasks begin at once where a slot is idle", () => {
  const workers = [{ slots: 2, cpus: 4 }, { slots: 4, cpus: 4 }];
  const startedMs: number[] = [];
  const fault = (world: World) => {
    const before = world.executions.byLease.size;
    world.workers[0]?.kill();
    world.loop.timer(10, () => startedMs.push(world.executions.byLease.size - before));
  };
  assert.equal(play({ workers, tasks: 4, taskMs: 30_000, fault }).completed, 4);
  assert((startedMs[0] ?? 0) > 0, "nothing was begun within 10 ms of virtual time");
});
