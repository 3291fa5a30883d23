/**
 * The stage of a directed run: a quiet cluster that was given some tasks, and what a user sees of it in the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS } from "../../../shared/model/task.ts";
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
  readonly workers: readonly WorkerPlan[];
  readonly tasks: number;
  readonly taskMs: number;
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
export function play({ workers, tasks, taskMs, adjust, direct }: Play): Played {
  const worlds: World[] = [];
  const report = simulate("directed", {
    adjust: (plan) => {
      const quiet = quietPlan(plan, workers, taskMs);
      return adjust?.(quiet) ?? quiet;
    },
    direct: (world) => {
      worlds.push(world);
      world.loop.timer(SUBMIT_AT_MS, () => submit(world, tasks));
      direct(world);
    },
  });
  assert.deepEqual(report.violations, []);
  const [world] = worlds;
  assert(world !== undefined);
  return { report, world };
}

/** Gives the first client's tasks. */
export function submit(world: World, tasks: number, answered?: (reply: Reply) => void): void {
  const payloads = Array.from({ length: tasks }, (_, index) => encode({ candidate: { index } }));
  const template = {
    evaluator: { kind: "module", path: "/evaluate.ts" },
    resources: NO_RESOURCES,
    priority: 0,
    retry: RETRY_DEFAULTS,
    graceMs: 500,
    reassignAfterMs: 0,
  } as const;
  world.clients[0]?.ask({ kind: "submit", name: "directed", template, payloads }, answered);
}

/** How often tasks were begun, and how many have their result. */
export function counts(world: World): { readonly begun: number; readonly completed: number } {
  const groups = [...world.disk.state.groups.values()];
  return {
    begun: world.executions.byLease.size,
    completed: groups.reduce((sum, group) => sum + group.counts.completed, 0),
  };
}

/** The connection of a node. */
export function connectionOf(world: World, node: string) {
  const connection = world.network.connections.findLast((each) => each.node === node);
  assert(connection !== undefined, `${node} has no connection`);
  return connection;
}
