/**
 * The plan of a run: its cluster, its work and its faults.
 *
 * Not here: how it is drawn from the seed (plan_draw.ts), what happens when (schedule.ts).
 *
 * @module
 */

interface Span {
  readonly min: number;
  readonly max: number;
}

/** How the network behaves. */
export interface NetworkPlan {
  readonly delayMs: Span;
  readonly jitterMs: number;
  /** The part of dials that fail. */
  readonly dialFailures: number;
}

/** How the master's disk behaves. */
export interface DiskPlan {
  readonly latencyMs: Span;
  /** Parts of all commits. */
  readonly refused: number;
  readonly unanswered: number;
}

/** How evaluators behave; parts of all executions. */
export interface EvaluatorPlan {
  readonly shortMs: Span;
  readonly longMs: Span;
  readonly long: number;
  readonly failed: number;
  readonly final: number;
  readonly hangs: number;
  readonly poisonous: number;
  /** Reports thousands of times, backwards, with what no frame can carry. */
  readonly wild: number;
  /** Takes exactly as long as the deadline allows. */
  readonly atDeadline: number;
  /** Of those that are told to stop: completes at that very moment. */
  readonly atCancel: number;
  /** Of all tasks: their evaluators save checkpoints, and go on from them. */
  readonly saves: number;
}

/** Faults that come by chance, each so many times a minute on average. */
export interface FaultRates {
  readonly reset: number;
  readonly vanish: number;
  readonly partition: number;
  /** A connection ends for one side while what the other has said is still on its way. */
  readonly holdBack: number;
  /** A socket's idle timeout, which the platform tells twice. */
  readonly idleTimeout: number;
  /** A node that does not read its sockets for a while. */
  readonly slowReader: number;
  readonly masterKill: number;
  readonly masterStop: number;
  readonly masterPause: number;
  readonly workerKill: number;
  readonly workerStop: number;
  readonly workerPause: number;
  readonly clientKill: number;
  readonly clientPause: number;
  readonly actorKill: number;
  readonly diskFull: number;
  readonly diskReadOnly: number;
  readonly diskStall: number;
  /** A wall clock that is set by hours, forwards or backwards. */
  readonly clockJump: number;
  /** A laptop with a worker and a client that sleeps: monotonic clocks stand still. */
  readonly sleep: number;
  /** A second process with a living worker's id. */
  readonly twin: number;
  /** A GPU of a worker that is out of service for a while. */
  readonly gpuOut: number;
}
export type FaultKind = keyof FaultRates;

/** What happens at most once in a run, and in few of them. */
export type Calamity = "none" | "store_deleted" | "store_restored" | "two_masters" | "long_sleep";

/** What the clients ask for. */
export interface WorkloadPlan {
  readonly submissions: number;
  readonly tasksMax: number;
  readonly experiments: number;
  readonly trialsMax: number;
  readonly cancels: number;
  readonly steering: number;
  readonly questions: number;
  /** What tasks need of GPUs: each as often. Without it, none. */
  readonly gpuNeeds?: readonly number[] | undefined;
}

/** A worker's shape. */
export interface WorkerPlan {
  readonly slots: number;
  readonly cpus: number;
  readonly gpus?: number | undefined;
  /** How far its wall clock is off from the start. */
  readonly clockOffMs?: number | undefined;
}

/** Everything that is drawn beforehand. */
export interface Plan {
  readonly workers: readonly WorkerPlan[];
  readonly clients: number;
  /** How long faults and work come. */
  readonly activeMs: number;
  readonly heartbeatMs: number;
  readonly lostAfterMs: number;
  readonly prefetchMax: number;
  /** How far clocks go wrong at most. */
  readonly drift: number;
  readonly network: NetworkPlan;
  readonly disk: DiskPlan;
  readonly evaluator: EvaluatorPlan;
  readonly rates: FaultRates;
  readonly calamity: Calamity;
  readonly workload: WorkloadPlan;
}

/** No fault comes by chance. */
export const NO_RATES: FaultRates = {
  reset: 0,
  vanish: 0,
  partition: 0,
  holdBack: 0,
  idleTimeout: 0,
  slowReader: 0,
  masterKill: 0,
  masterStop: 0,
  masterPause: 0,
  workerKill: 0,
  workerStop: 0,
  workerPause: 0,
  clientKill: 0,
  clientPause: 0,
  actorKill: 0,
  diskFull: 0,
  diskReadOnly: 0,
  diskStall: 0,
  clockJump: 0,
  sleep: 0,
  twin: 0,
  gpuOut: 0,
};

/** Nothing goes wrong by chance, and nothing is asked for: the beginning of a directed run. */
export function quietPlan(plan: Plan, workers: readonly WorkerPlan[], taskMs: number): Plan {
  const span = { min: taskMs, max: taskMs };
  return {
    ...plan,
    workers,
    clients: 1,
    activeMs: 100_000,
    drift: 0,
    network: { delayMs: { min: 0.1, max: 1 }, jitterMs: 0, dialFailures: 0 },
    disk: { latencyMs: { min: 0.2, max: 2 }, refused: 0, unanswered: 0 },
    evaluator: {
      shortMs: span,
      longMs: span,
      long: 1,
      failed: 0,
      final: 0,
      hangs: 0,
      poisonous: 0,
      wild: 0,
      atDeadline: 0,
      atCancel: 0,
      saves: 0,
    },
    rates: NO_RATES,
    calamity: "none",
    workload: {
      submissions: 0,
      tasksMax: 1,
      experiments: 0,
      trialsMax: 1,
      cancels: 0,
      steering: 0,
      questions: 0,
    },
  };
}
