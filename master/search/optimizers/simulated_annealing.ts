/**
 * Simulated annealing: a walk that also steps to worse neighbours, ever more rarely as it cools.
 *
 * Source: Kirkpatrick, Gelatt and Vecchi (1983), "Optimization by simulated annealing", Science 220. A neighbour that
 * is worse by d is stepped to with probability exp(-d / T). T begins at a multiple of the spread of scores, after
 * White (1984), "Concepts of scale in simulated annealing", ICCD, so that the unit of the objective does not matter,
 * and falls by a factor with each neighbour that ends. When nothing better was found for a while it is heated again.
 *
 * Promise: it keeps one trial, the scores of the first few, and a few numbers. It never waits: with many slots,
 * neighbours of earlier places compete with the present one. What is left to chance when a trial ends depends on the
 * seed and on that trial's number alone. A failure is never stepped to, but cools; a cancelled trial changes nothing.
 * With several objectives it looks at the first one only.
 *
 * @module
 */
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import type { SimulatedAnnealingOptions } from "../../../shared/model/optimizer_options.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import { neighbourOf } from "../neighbour.ts";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../optimizer.ts";
import { type ScoredTrial, scoredTrial } from "../scored_trial.ts";

/** Walks, and cools. */
export class SimulatedAnnealingOptimizer implements Optimizer {
  readonly #options: SimulatedAnnealingOptions;
  readonly #space: SearchSpace;
  #place: ScoredTrial | undefined;
  #bestScore = -Infinity;
  /** The first scores; their spread is the scale of temperatures. */
  readonly #startScores: number[] = [];
  #firstTemperature = 0;
  /** Neighbours that have ended since it was last heated. */
  #cooled = 0;
  /** Those of them since the best score of all. */
  #misses = 0;

  constructor(options: SimulatedAnnealingOptions, space: SearchSpace) {
    this.#options = options;
    this.#space = space;
  }

  propose(random: Random): Proposal {
    const place = this.#place;
    if (place === undefined || this.#isStarting()) return { candidate: this.#space.sample(random) };
    return {
      candidate: neighbourOf(this.#space, place.candidate, random, this.#options.mutation),
      parents: [place.number],
    };
  }

  asked(_trial: AskedTrial): void {}

  told(trial: FinishedTrial): void {
    if (trial.state === "cancelled") return;
    const scored = scoredTrial(trial);
    if (this.#isStarting()) {
      if (scored !== undefined) this.#start(scored);
      return;
    }
    if (scored !== undefined && this.#accepts(scored)) this.#place = scored;
    this.#cooled += 1;
    this.#misses += 1;
    if (scored !== undefined && scored.score > this.#bestScore) {
      this.#bestScore = scored.score;
      this.#misses = 0;
    }
    if (this.#misses >= this.#options.patience) this.#heat();
  }

  #isStarting(): boolean {
    return this.#startScores.length < this.#options.starts;
  }

  /** The walk begins at the best of the first trials. */
  #start(scored: ScoredTrial): void {
    this.#startScores.push(scored.score);
    if (this.#place === undefined || scored.score > this.#place.score) this.#place = scored;
    this.#bestScore = this.#place.score;
    if (!this.#isStarting()) this.#firstTemperature = this.#options.temperature * spread(this.#startScores);
  }

  #accepts({ score, number }: ScoredTrial): boolean {
    const from = this.#place?.score ?? -Infinity;
    if (score >= from) return true;
    const temperature = this.#firstTemperature * this.#options.cooling ** this.#cooled;
    const chance = Math.exp((score - from) / temperature);
    return seededRandom(this.#options.seed, "annealing", number).next() < chance;
  }

  #heat(): void {
    this.#cooled = 0;
    this.#misses = 0;
  }
}

/** The median distance from the median: a few scores that are far off, as of networks that never learn, do not count. */
function spread(scores: readonly number[]): number {
  const middle = median(scores);
  const distances = scores.map((score) => Math.abs(score - middle)).filter(Number.isFinite);
  return distances.length === 0 ? 0 : median(distances);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
