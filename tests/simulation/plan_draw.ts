/**
 * Draws the plan of a run from its seed.
 *
 * Promise: every seed is another mix (a swarm: A. Groce et al., "Swarm Testing", ISSTA 2012): most kinds of faults are
 * absent from most runs, so that those that are present are not drowned by the others.
 *
 * @module
 */
import { type Random, seededRandom } from "../../shared/actor/random.ts";
import type { Calamity, EvaluatorPlan, FaultRates, Plan, WorkerPlan, WorkloadPlan } from "./plan.ts";

/** One run in so many has a large cluster: most are small, for speed. */
const LARGE_ONE_IN = 60;
const HOUR_MS = 3_600_000;
/** So many of the runs have workers with GPUs, and tasks that need some. */
const GPUS_PART = 0.3;
/** A worker's clock that is off is so by at most this. */
const CLOCK_OFF_MS_MAX = 30 * HOUR_MS;
/** What happens once, by the part of the runs that have it. */
const CALAMITIES: readonly (readonly [Calamity, number])[] = [
  ["store_deleted", 0.02],
  ["store_restored", 0.03],
  ["two_masters", 0.025],
  ["long_sleep", 0.012],
];

/** The plan of a seed. */
export function drawPlan(seed: string): Plan {
  const random = seededRandom(seed, "plan");
  const draw = new Draw(random);
  const isLarge = random.integer(LARGE_ONE_IN) === 0;
  return withGpus(seed, {
    workers: drawWorkers(draw, isLarge),
    clients: isLarge ? 2 + random.integer(3) : 1 + random.integer(2),
    activeMs: draw.between(20_000, 150_000),
    heartbeatMs: 10_000,
    lostAfterMs: 30_000,
    prefetchMax: random.pick([0, 2, 16]),
    drift: draw.maybe(0.3, () => 0.001),
    network: {
      delayMs: { min: 0.1, max: random.pick([1, 5, 60]) },
      jitterMs: random.pick([0, 1, 20]),
      dialFailures: draw.maybe(0.3, () => 0.2),
    },
    disk: {
      latencyMs: { min: 0.2, max: random.pick([2, 20, 400]) },
      refused: draw.maybe(0.3, () => draw.between(0, 0.2)),
      unanswered: draw.maybe(0.3, () => draw.between(0, 0.2)),
    },
    evaluator: { ...drawEvaluator(draw), saves: drawSaves(seed) },
    rates: drawRates(draw),
    calamity: drawCalamity(random),
    workload: drawWorkload(draw, isLarge),
  });
}

/** GPUs are drawn beside all else: the runs without them are as they would be if there were none. */
function withGpus(seed: string, plan: Plan): Plan {
  const random = seededRandom(seed, "gpus");
  if (random.next() >= GPUS_PART) return plan;
  const most = 1 + random.integer(3);
  const workers = plan.workers.map((shape, index) => ({
    ...shape,
    // What needs the most fits the first.
    gpus: index === 0 ? most : 1 + random.integer(most),
  }));
  const gpuNeeds = [0, 0.25, 0.5, 1, ...(most > 1 ? [most] : [])];
  const gpuOut = random.next() < 0.5 ? random.next() * 4 : 0;
  return {
    ...plan,
    workers,
    rates: { ...plan.rates, gpuOut },
    workload: { ...plan.workload, gpuNeeds },
  };
}

class Draw {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  maybe(probability: number, value: () => number): number {
    return this.random.next() < probability ? value() : 0;
  }

  between(min: number, max: number): number {
    return min + this.random.next() * (max - min);
  }
}

function drawWorkers(draw: Draw, isLarge: boolean): readonly WorkerPlan[] {
  const { random } = draw;
  const off = draw.maybe(0.15, () => 0.5);
  return Array.from({ length: isLarge ? 5 + random.integer(8) : 1 + random.integer(4) }, () => ({
    slots: 1 + random.integer(4),
    cpus: 1 + random.integer(4),
    clockOffMs: draw.maybe(off, () => draw.between(-CLOCK_OFF_MS_MAX, CLOCK_OFF_MS_MAX)),
  }));
}

/** From a stream of its own. */
function drawSaves(seed: string): number {
  const draw = new Draw(seededRandom(seed, "plan of checkpoints"));
  return draw.maybe(0.4, () => draw.between(0.2, 1));
}

function drawEvaluator(draw: Draw): Omit<EvaluatorPlan, "saves"> {
  const { random } = draw;
  return {
    shortMs: { min: 0, max: random.pick([0, 5, 300]) },
    longMs: { min: 500, max: random.pick([3_000, 20_000, 50_000]) },
    long: random.pick([0.05, 0.3, 0.9]),
    failed: draw.maybe(0.5, () => draw.between(0, 0.4)),
    final: draw.maybe(0.3, () => draw.between(0, 0.1)),
    hangs: draw.maybe(0.3, () => draw.between(0, 0.1)),
    poisonous: draw.maybe(0.2, () => draw.between(0, 0.05)),
    wild: draw.maybe(0.08, () => draw.between(0, 0.1)),
    atDeadline: draw.maybe(0.15, () => draw.between(0, 0.1)),
    atCancel: draw.maybe(0.3, () => draw.between(0, 1)),
  };
}

function drawRates(draw: Draw): FaultRates {
  const rate = (probability: number, most: number) => draw.maybe(probability, () => draw.between(0, most));
  return {
    reset: rate(0.4, 6),
    vanish: rate(0.3, 3),
    partition: rate(0.3, 3),
    holdBack: rate(0.2, 3),
    idleTimeout: rate(0.15, 3),
    slowReader: rate(0.15, 2),
    masterKill: rate(0.4, 3),
    masterStop: rate(0.2, 2),
    masterPause: rate(0.2, 2),
    workerKill: rate(0.4, 4),
    workerStop: rate(0.2, 2),
    workerPause: rate(0.3, 3),
    clientKill: rate(0.3, 2),
    clientPause: rate(0.15, 2),
    actorKill: rate(0.2, 3),
    diskFull: rate(0.2, 2),
    diskReadOnly: rate(0.1, 2),
    diskStall: rate(0.15, 2),
    clockJump: rate(0.15, 2),
    sleep: rate(0.12, 2),
    twin: rate(0.1, 1.5),
    gpuOut: 0,
  };
}

function drawCalamity(random: Random): Calamity {
  let left = random.next();
  for (const [calamity, part] of CALAMITIES) {
    if (left < part) return calamity;
    left -= part;
  }
  return "none";
}

function drawWorkload(draw: Draw, isLarge: boolean): WorkloadPlan {
  const { random } = draw;
  return {
    submissions: 1 + random.integer(6),
    tasksMax: isLarge ? 200 : random.pick([1, 10, 40]),
    experiments: random.integer(3),
    trialsMax: 4 + random.integer(20),
    cancels: draw.maybe(0.5, () => 1 + random.integer(4)),
    steering: draw.maybe(0.4, () => 1 + random.integer(4)),
    questions: draw.maybe(0.5, () => 1 + random.integer(8)),
  };
}
