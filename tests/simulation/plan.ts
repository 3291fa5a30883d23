/**
 * The plan of a run: its cluster, its work and its faults, all drawn from the seed.
 *
 * Promise: every seed is another mix (a swarm: A. Groce et al., "Swarm Testing", ISSTA 2012): most kinds of faults are
 * absent from most runs, so that those that are present are not drowned by the others.
 *
 * @module
 */
import { type Random, seededRandom } from "../../shared/actor/random.ts";

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
}

/** Faults that come by chance, each so many times a minute on average. */
export interface FaultRates {
  readonly reset: number;
  readonly vanish: number;
  readonly partition: number;
  readonly masterKill: number;
  readonly masterStop: number;
  readonly masterPause: number;
  readonly workerKill: number;
  readonly workerStop: number;
  readonly workerPause: number;
  readonly clientKill: number;
  readonly actorKill: number;
  readonly diskFull: number;
}
export type FaultKind = keyof FaultRates;

/** What the clients ask for. */
export interface WorkloadPlan {
  readonly submissions: number;
  readonly tasksMax: number;
  readonly experiments: number;
  readonly trialsMax: number;
  readonly cancels: number;
  readonly steering: number;
  readonly questions: number;
}

/** A worker's shape. */
export interface WorkerPlan {
  readonly slots: number;
  readonly cpus: number;
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
  readonly workload: WorkloadPlan;
}

/** The plan of a seed. */
export function drawPlan(seed: string): Plan {
  const random = seededRandom(seed, "plan");
  const maybe = (probability: number, value: () => number) => random.next() < probability ? value() : 0;
  const between = (min: number, max: number) => min + random.next() * (max - min);
  const workers = Array.from({ length: 1 + random.integer(4) }, () => ({
    slots: 1 + random.integer(4),
    cpus: 1 + random.integer(4),
  }));
  return {
    workers,
    clients: 1 + random.integer(2),
    activeMs: between(20_000, 150_000),
    heartbeatMs: 10_000,
    lostAfterMs: 30_000,
    prefetchMax: random.pick([0, 2, 16]),
    drift: maybe(0.3, () => 0.001),
    network: {
      delayMs: { min: 0.1, max: random.pick([1, 5, 60]) },
      jitterMs: random.pick([0, 1, 20]),
      dialFailures: maybe(0.3, () => 0.2),
    },
    disk: {
      latencyMs: { min: 0.2, max: random.pick([2, 20, 400]) },
      refused: maybe(0.3, () => between(0, 0.2)),
      unanswered: maybe(0.3, () => between(0, 0.2)),
    },
    evaluator: drawEvaluator(random, maybe, between),
    rates: drawRates(maybe, between),
    workload: {
      submissions: 1 + random.integer(6),
      tasksMax: random.pick([1, 10, 40]),
      experiments: random.integer(3),
      trialsMax: 4 + random.integer(20),
      cancels: maybe(0.5, () => 1 + random.integer(4)),
      steering: maybe(0.4, () => 1 + random.integer(4)),
      questions: maybe(0.5, () => 1 + random.integer(8)),
    },
  };
}

type Maybe = (probability: number, value: () => number) => number;
type Between = (min: number, max: number) => number;

function drawEvaluator(random: Random, maybe: Maybe, between: Between): EvaluatorPlan {
  return {
    shortMs: { min: 0, max: random.pick([0, 5, 300]) },
    longMs: { min: 500, max: random.pick([3_000, 20_000, 50_000]) },
    long: random.pick([0.05, 0.3, 0.9]),
    failed: maybe(0.5, () => between(0, 0.4)),
    final: maybe(0.3, () => between(0, 0.1)),
    hangs: maybe(0.3, () => between(0, 0.1)),
    poisonous: maybe(0.2, () => between(0, 0.05)),
  };
}

function drawRates(maybe: Maybe, between: Between): FaultRates {
  const rate = (probability: number, most: number) => maybe(probability, () => between(0, most));
  return {
    reset: rate(0.4, 6),
    vanish: rate(0.3, 3),
    partition: rate(0.3, 3),
    masterKill: rate(0.4, 3),
    masterStop: rate(0.2, 2),
    masterPause: rate(0.2, 2),
    workerKill: rate(0.4, 4),
    workerStop: rate(0.2, 2),
    workerPause: rate(0.3, 3),
    clientKill: rate(0.3, 2),
    actorKill: rate(0.2, 3),
    diskFull: rate(0.2, 2),
  };
}
