/**
 * The stage of directed runs about leases: a quiet cluster with one submission, a script, and what a user sees in the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { GroupId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import type { DiskTask } from "../../../master/store/memory_state.ts";
import { type Plan, quietPlan, type WorkerPlan } from "../plan.ts";
import type { ScenarioName } from "../scenarios.ts";
import { type Report, simulate } from "../simulation.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";

/** When the tasks are submitted: everyone is connected by then. */
export const SUBMIT_AT_MS = 1_500;
/** Everything runs by then. */
export const BREAK_AT_MS = 5_000;

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
  return { scenario, run: () => perform(scenario, play) };
}

function perform(scenario: ScenarioName, play: LeasePlay): Report {
  const worlds: World[] = [];
  const { workers = [ONE_SLOT, ONE_SLOT], taskMs, adjust = (plan: Plan) => plan } = play;
  const report = simulate(`directed ${scenario}`, {
    adjust: (plan) => adjust(quietPlan(plan, workers, taskMs)),
    direct: (world) => {
      worlds.push(world);
      world.loop.timer(SUBMIT_AT_MS, () => submit(world, play.tasks ?? 1, play.template));
      for (const [atMs, happens] of play.script) world.loop.timer(atMs, () => happens(world));
    },
  });
  assert.deepEqual(report.violations, []);
  assert((report.reached[scenario] ?? 0) > 0, `${scenario} did not come about`);
  const [world] = worlds;
  assert(world !== undefined);
  const tasks = [...world.disk.state.groups.values()].flatMap((group) => [...group.tasks.values()]);
  const [task] = tasks;
  assert(task !== undefined, "nothing was submitted");
  play.expect({ world, report, tasks, task, begun: world.executions.byLease.size });
  return report;
}

/** The smallest worker. */
export const ONE_SLOT: WorkerPlan = { slots: 1, cpus: 1 };

/** A client submits tasks that need nothing but a slot. */
export function submit(world: World, count: number, template: Partial<TaskTemplate> = {}): void {
  const payloads = Array.from({ length: count }, (_, index) => encode({ candidate: { index } }));
  const whole: TaskTemplate = {
    evaluator: { kind: "module", path: "/evaluate.ts" },
    resources: NO_RESOURCES,
    priority: 0,
    retry: { ...RETRY_DEFAULTS, backoffMs: 0, backoffMaxMs: 0 },
    graceMs: 500,
    reassignAfterMs: 0,
    ...template,
  };
  world.clients[0]?.ask({ kind: "submit", name: "directed", template: whole, payloads });
}

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
  connection(world, node).reset();
  world.loop.timer(TOLD_MS, () => world.network.block(node, spanMs - TOLD_MS, "both"));
}

/** The same, of whoever has the first task. */
export const cutOff = (spanMs: number) => (world: World): void => {
  cutOffNode(world, holder(world).name, spanMs);
};

/** A node's newest connection. */
export function connection(world: World, node: string): World["network"]["connections"][number] {
  const found = world.network.connections.findLast((each) => each.node === node);
  assert(found !== undefined, `${node} has no connection`);
  return found;
}

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
