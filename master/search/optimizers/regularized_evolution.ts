/**
 * Regularized evolution: a population that loses its oldest member, not its worst, so that nobody lives on by one
 * lucky evaluation. A child is a mutated copy of the best of a few members drawn.
 *
 * Source: Real, Aggarwal, Huang and Le (2019), "Regularized evolution for image classifier architecture search",
 * AAAI 33, algorithm 1, which with one slot this is. With many slots it differs in two things. Breeding begins when
 * half of the population has ended and the rest is under way: waiting for all of it would draw as many more candidates
 * at random as there are slots. And more members are drawn for each parent: a child then waits longer to be a parent,
 * so that of as many trials there are fewer generations, which must each come further.
 *
 * Promise: it keeps the population and the numbers of outstanding trials, and nothing that grows with history. Age is
 * the order in which trials end. One that failed or was cancelled is no member, and makes nobody older.
 * With several objectives it looks at the first one only.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { RegularizedEvolutionOptions } from "../../../shared/model/optimizer_options.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../optimizer.ts";
import { type ScoredTrial, scoredTrial } from "../scored_trial.ts";

/** The part of the population that must have ended before it breeds: of fewer, all would descend from the first few. */
const BREEDING_PART = 0.5;

/** At most this part of the population is drawn on account of many slots: else only the very best would have children. */
const DRAWN_PART_MAX = 0.5;

/** Evolves a population in which the oldest member dies. */
export class RegularizedEvolutionOptimizer implements Optimizer {
  readonly #options: RegularizedEvolutionOptions;
  readonly #space: SearchSpace;
  readonly #outstanding = new Set<number>();
  /** Oldest first. */
  readonly #population: ScoredTrial[] = [];

  constructor(options: RegularizedEvolutionOptions, space: SearchSpace) {
    this.#options = options;
    this.#space = space;
  }

  propose(random: Random): Proposal {
    if (!this.#mayBreed()) return { candidate: this.#space.sample(random) };
    const parent = this.#select(random);
    return {
      candidate: this.#space.mutate(parent.candidate, random, {
        rate: this.#options.mutation,
        atLeastOne: true,
      }),
      parents: [parent.number],
    };
  }

  asked(trial: AskedTrial): void {
    this.#outstanding.add(trial.number);
  }

  told(trial: FinishedTrial): void {
    this.#outstanding.delete(trial.number);
    const newcomer = scoredTrial(trial);
    if (newcomer === undefined) return;
    this.#population.push(newcomer);
    if (this.#population.length > this.#options.population) this.#population.shift();
  }

  #mayBreed(): boolean {
    const { population } = this.#options;
    const isStarted = this.#population.length + this.#outstanding.size >= population;
    return isStarted && this.#population.length >= Math.ceil(population * BREEDING_PART);
  }

  /** The best of a few members drawn with repetition. */
  #select(random: Random): ScoredTrial {
    let best = random.pick(this.#population);
    for (let drawn = 1; drawn < this.#drawn(); drawn++) {
      const member = random.pick(this.#population);
      if (member.score > best.score) best = member;
    }
    return best;
  }

  /** How many members compete: in proportion to how much longer a generation takes for those under way. */
  #drawn(): number {
    const { population, sample } = this.#options;
    const stretched = Math.round(sample * (1 + this.#outstanding.size / population));
    return Math.max(sample, Math.min(stretched, Math.ceil(population * DRAWN_PART_MAX)));
  }
}
