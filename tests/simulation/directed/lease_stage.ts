/**
 * The stage of directed runs about leases: a script on the common stage, and what a user sees of its tasks in the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { GroupId } from "../../../shared/model/ids.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import type { DiskTask } from "../../../master/store/memory_state.ts";
import type { Plan, WorkerPlan } from "../plan.ts";
import type { ScenarioName } from "../scenarios.ts";
import type { Report } from "../simulation.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { connectionOf, counts, play as perform } from "./stage.ts";

/** What is played. */
export interface LeasePlay {
  /** One slot each, unless told. */
  readonly workers?: readonly WorkerPlan[];
  readonly tasks?: number;
  readonly taskMs: number;
  readonly template?: Partial<TaskTemplate>;
  readonly adjust?: (plan: Plan) => Plan;
  /** What happens at which time. */
  readonly script: readonly (readonly [number, (world: World) => void])[];
  /** What a user must see in the end. */
  readonly expect: (seen: Seen) => void;
}

/** What a user sees of the tasks when all is over. */
export interface Seen {
  readonly world: World;
  readonly report: Report;
  readonly tasks: readonly DiskTask[];
  /** How often an evaluator was started. */
  readonly begun: number;
  /** The first task, of the only group where there is one. */
  readonly task: DiskTask;
}

/** A run of a play. */
export function leaseRun(scenario: ScenarioName, play: LeasePlay): DirectedRun {
  return { scenario, run: () => run(scenario, play) };
}

function run(scenario: ScenarioName, { script, template, expect, ...play }: LeasePlay): Report {
  const { report, world } = perform({
    workers: [ONE_SLOT, ONE_SLOT],
    tasks: 1,
    ...play,
    name: scenario,
    template: { ...AT_ONCE, ...template },
    direct: (world) => {
      for (const [atMs, happens] of script) world.loop.timer(atMs, () => happens(world));
    },
  });
  assert((report.reached[scenario] ?? 0) > 0, `${scenario} did not come about`);
  const tasks = [...world.disk.state.groups.values()].flatMap((group) => [...group.tasks.values()]);
  const [task] = tasks;
  assert(task !== undefined, "nothing was submitted");
  expect({ world, report, tasks, task, begun: counts(world).begun });
  return report;
}

/** The smallest worker. */
export const ONE_SLOT: WorkerPlan = { slots: 1, cpus: 1 };

/** What was lost is given to the next one without a pause. */
export const AT_ONCE: Partial<TaskTemplate> = {
  retry: { ...RETRY_DEFAULTS, backoffMs: 0, backoffMaxMs: 0 },
};

/** The worker that has the first task's first attempt. */
export function holder(world: World): World["workers"][number] {
  const execution = [...world.executions.byLease.values()][0];
  const worker = world.workers.find((each) => each.name === execution?.process.node);
  assert(worker !== undefined, "nothing runs");
  return worker;
}

/** Longer than a word travels, shorter than anybody waits before it dials again. */
const TOLD_MS = 5;

/** A node's connection breaks, both sides are told, and then it can reach nobody for a while. */
export function cutOffNode(world: World, node: string, spanMs: number): void {
  connectionOf(world, node).reset();
  world.loop.timer(TOLD_MS, () => world.network.block(node, spanMs - TOLD_MS, "both"));
}

/** The same, of whoever has the first task. */
export const cutOff = (spanMs: number) => (world: World): void => {
  cutOffNode(world, holder(world).name, spanMs);
};

/** The only group, as a client would name it. */
export function onlyGroup(world: World): GroupId {
  const [group] = world.disk.state.groups.keys();
  assert(group !== undefined, "nothing was submitted");
  return group;
}

/** Asserts that a task was completed, by which of its attempts, and what its other attempts count as. */
export function assertCompleted(task: DiskTask, attempt: number, ends: readonly string[]): void {
  assert.equal(task.outcome?.outcome.state, "completed");
  assert.equal(task.outcome?.lease?.attempt, attempt);
  assert.deepEqual([...task.ended.values()], ends);
}
