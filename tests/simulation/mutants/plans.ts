/**
 * Plans for mutants: more of the faults without which one of them does nothing.
 *
 * @module
 */
import type {
  Calamity,
  DiskPlan,
  EvaluatorPlan,
  FaultRates,
  NetworkPlan,
  Plan,
  WorkloadPlan,
} from "../plan.ts";

/** Changes what a seed has drawn. */
export type Adjust = (plan: Plan) => Plan;

/** One after the other. */
export function all(...adjusts: readonly Adjust[]): Adjust {
  return (plan) => adjusts.reduce((changed, adjust) => adjust(changed), plan);
}

/** Faults, each so many times a minute. */
export function rates(of: Partial<FaultRates>): Adjust {
  return (plan) => ({ ...plan, rates: { ...plan.rates, ...of } });
}

export function disk(of: Partial<DiskPlan>): Adjust {
  return (plan) => ({ ...plan, disk: { ...plan.disk, ...of } });
}

export function network(of: Partial<NetworkPlan>): Adjust {
  return (plan) => ({ ...plan, network: { ...plan.network, ...of } });
}

export function evaluator(of: Partial<EvaluatorPlan>): Adjust {
  return (plan) => ({ ...plan, evaluator: { ...plan.evaluator, ...of } });
}

export function workload(of: Partial<WorkloadPlan>): Adjust {
  return (plan) => ({ ...plan, workload: { ...plan.workload, ...of } });
}

/** What happens once. */
export function calamity(of: Calamity): Adjust {
  return (plan) => ({ ...plan, calamity: of });
}

/** So many workers of the same shape, without GPUs; and nothing that needs one. */
export function workers(count: number, slots: number): Adjust {
  return (plan) => ({
    ...plan,
    workers: Array.from({ length: count }, () => ({ slots, cpus: slots })),
    workload: { ...plan.workload, gpuNeeds: [] },
  });
}

/** No attempt waits on a worker for a slot. */
export function noPrefetch(plan: Plan): Plan {
  return { ...plan, prefetchMax: 0 };
}

/** Most attempts run for so long that faults meet them. */
export const longAttempts: Adjust = evaluator({ long: 0.9, longMs: { min: 5_000, max: 50_000 } });

/** Work that keeps the slots busy. */
export const muchWork: Adjust = workload({ submissions: 5, tasksMax: 20 });

/** Two experiments with long searches. */
export const muchSearch: Adjust = workload({ experiments: 2, trialsMax: 40 });
