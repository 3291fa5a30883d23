/**
 * Plainer plans: what a failing seed may not need besides its schedule.
 *
 * Promise: none of them changes the numbers of the schedule.
 *
 * @module
 */
import type { Plan } from "./plan.ts";

/** Ways to make a plan plainer, by name. */
export const PLAIN = {
  "calm-network": (plan: Plan): Plan => ({
    ...plan,
    network: { delayMs: { min: 0.1, max: 1 }, jitterMs: 0, dialFailures: 0 },
  }),
  "calm-disk": (plan: Plan): Plan => ({
    ...plan,
    disk: { latencyMs: { min: 0.2, max: 2 }, refused: 0, unanswered: 0 },
  }),
  "right-clocks": (plan: Plan): Plan => ({
    ...plan,
    drift: 0,
    workers: plan.workers.map((worker) => ({ ...worker, clockOffMs: 0 })),
  }),
  "tame-evaluators": (plan: Plan): Plan => ({
    ...plan,
    evaluator: {
      ...plan.evaluator,
      failed: 0,
      final: 0,
      hangs: 0,
      poisonous: 0,
      wild: 0,
      atDeadline: 0,
      atCancel: 0,
      saves: 0,
    },
  }),
  "no-prefetch": (plan: Plan): Plan => ({ ...plan, prefetchMax: 0 }),
  "one-client": (plan: Plan): Plan => ({ ...plan, clients: 1 }),
  "two-workers": (plan: Plan): Plan => ({ ...plan, workers: plan.workers.slice(0, 2) }),
  "one-worker": (plan: Plan): Plan => ({ ...plan, workers: plan.workers.slice(0, 1) }),
  "few-tasks": (plan: Plan): Plan => ({
    ...plan,
    workload: { ...plan.workload, tasksMax: 1, trialsMax: 1 },
  }),
} as const;
export type PlainName = keyof typeof PLAIN;

/** Whether there is such a way. */
export function isPlain(name: string): name is PlainName {
  return Object.hasOwn(PLAIN, name);
}

/** A plan, made plainer in some ways. */
export function plainer(plan: Plan, names: readonly PlainName[]): Plan {
  return names.reduce((before, name) => PLAIN[name](before), plan);
}
