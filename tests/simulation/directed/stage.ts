/**
 * The stage of every directed run: a quiet cluster that is given some tasks, and what a user sees of it in the end.
 *
 * Not here: scripts about leases and who holds them (lease_stage.ts, on this stage).
 *
 * @module
 */
import assert from "node:assert/strict";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import type { Reply } from "../../../shared/protocol/client_envelopes.ts";
import { type Plan, quietPlan, type WorkerPlan } from "../plan.ts";
import { type Report, simulate } from "../simulation.ts";
import type { World } from "../world.ts";

/** When the tasks are submitted: everyone is connected by then. */
export const SUBMIT_AT_MS = 1_500;
/** Everything runs by then. */
export const FAULT_AT_MS = 5_000;

/** What is played. */
export interface Play {
  /** Part of the seed, so that plays differ. */
  readonly name?: string;
  readonly workers: readonly WorkerPlan[];
  readonly tasks: number;
  readonly taskMs: number;
  readonly template?: Partial<TaskTemplate>;
  readonly adjust?: (plan: Plan) => Plan;
  /** Called before anything runs: sets up what happens when. */
  readonly direct: (world: World) => void;
}

/** What was played, and the world as it was left. */
export interface Played {
  readonly report: Report;
  readonly world: World;
}

/** Plays it. @throws AssertionError where a promise was broken */
export function play({ name, workers, tasks, taskMs, template, adjust, direct }: Play): Played {
  const worlds: World[] = [];
  const report = simulate(name === undefined ? "directed" : `directed ${name}`, {
    adjust: (plan) => {
      const quiet = quietPlan(plan, workers, taskMs);
      return adjust?.(quiet) ?? quiet;
    },
    direct: (world) => {
      worlds.push(world);
      world.loop.timer(SUBMIT_AT_MS, () => submit(world, tasks, { template }));
      direct(world);
    },
  });
  assert.deepEqual(report.violations, []);
  const [world] = worlds;
  assert(world !== undefined);
  return { report, world };
}

/** What may differ between submissions. */
export interface Submission {
  readonly template?: Partial<TaskTemplate> | undefined;
  readonly answered?: (reply: Reply) => void;
}

/** The first client submits tasks that need nothing but a slot. */
export function submit(world: World, tasks: number, { template, answered }: Submission = {}): void {
  const payloads = Array.from({ length: tasks }, (_, index) => encode({ candidate: { index } }));
  const whole: TaskTemplate = {
    evaluator: { kind: "module", path: "/evaluate.ts" },
    resources: NO_RESOURCES,
    priority: 0,
    retry: RETRY_DEFAULTS,
    graceMs: 500,
    reassignAfterMs: 0,
    ...template,
  };
  world.clients[0]?.ask({ kind: "submit", name: "directed", template: whole, payloads }, answered);
}

/** How often tasks were begun, and how many have their result. */
export function counts(world: World): { readonly begun: number; readonly completed: number } {
  const groups = [...world.disk.state.groups.values()];
  return {
    begun: world.executions.byLease.size,
    completed: groups.reduce((sum, group) => sum + group.counts.completed, 0),
  };
}

/** A node's newest connection. */
export function connectionOf(world: World, node: string): World["network"]["connections"][number] {
  const connection = world.network.connections.findLast((each) => each.node === node);
  assert(connection !== undefined, `${node} has no connection`);
  return connection;
}
