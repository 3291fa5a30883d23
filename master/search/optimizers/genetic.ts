/**
 * A genetic algorithm over the space's own mutation and crossover.
 *
 * Steady state (the default): each finished trial joins the population at once and the worst member leaves, so the
 * search never waits for a straggler. Source: Whitley (1989), "The GENITOR algorithm and selection pressure", ICGA 3.
 * Generational: a generation is bred from the one before it, whose best members stay; `propose` says `wait` until the
 * last of a generation is told. Source: Goldberg (1989), "Genetic algorithms in search, optimization and machine
 * learning", chapter 3; elitism: De Jong (1975). Parents: tournament selection, Goldberg and Deb (1991), "A comparative
 * analysis of selection schemes used in genetic algorithms", FOGA 1.
 *
 * Promise: it keeps the population and the numbers of outstanding trials, and nothing that grows with history. A trial
 * that failed or was cancelled is no member, and its place is proposed again.
 * With several objectives it looks at the first one only.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { GeneticOptions } from "../../../shared/model/optimizer_options.ts";
import type { Candidate } from "../../../shared/space/candidate.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../optimizer.ts";

/** A finished trial that may have children. */
interface Individual {
  readonly number: number;
  readonly candidate: Candidate;
  readonly score: number;
}

/**
 * The part of a population that must be there before it breeds: fewer would make the whole search descend from the
 * first that came in; waiting for all would make it random for as long as many trials are outstanding.
 */
const BREEDING_PART = 0.5;

/** Evolves a population of candidates. */
export class GeneticOptimizer implements Optimizer {
  readonly #options: GeneticOptions;
  readonly #space: SearchSpace;
  readonly #outstanding = new Set<number>();
  /** Those that may be parents, best first. */
  #population: readonly Individual[] = [];
  /** The finished part of the generation being evaluated; stays empty in steady state. */
  #generation: readonly Individual[] = [];

  constructor(options: GeneticOptions, space: SearchSpace) {
    this.#options = options;
    this.#space = space;
  }

  propose(random: Random): Proposal | "wait" {
    if (this.#options.mode === "generational" && this.#placesLeft() <= 0) return "wait";
    return this.#mayBreed() ? this.#breed(random) : { candidate: this.#space.sample(random) };
  }

  asked(trial: AskedTrial): void {
    this.#outstanding.add(trial.number);
  }

  told(trial: FinishedTrial): void {
    this.#outstanding.delete(trial.number);
    if (trial.state !== "completed" && trial.state !== "pruned") return;
    const [score] = trial.scores;
    if (score === undefined || Number.isNaN(score)) return;
    const newcomer = { number: trial.number, candidate: trial.candidate, score };
    if (this.#options.mode === "steady") {
      this.#population = joined(this.#population, newcomer, this.#options.population);
      return;
    }
    this.#generation = [...this.#generation, newcomer];
    if (this.#generation.length >= this.#generationSize()) this.#turn();
  }

  /** The generation takes over; the best of the one before stay, so the best score never falls. */
  #turn(): void {
    const elite = this.#population.slice(0, this.#eliteSize());
    this.#population = bestOf([...elite, ...this.#generation], this.#options.population);
    this.#generation = [];
  }

  #mayBreed(): boolean {
    const { mode, population } = this.#options;
    if (mode === "generational") return this.#population.length > 0;
    const isStarted = this.#population.length + this.#outstanding.size >= population;
    return isStarted && this.#population.length >= Math.ceil(population * BREEDING_PART);
  }

  #breed(random: Random): Proposal {
    const mother = this.#select(random);
    const rate = this.#options.mutation;
    if (random.next() < this.#options.crossover) {
      const father = this.#select(random);
      if (father !== mother) {
        const child = this.#space.crossover(mother.candidate, father.candidate, random);
        return {
          candidate: this.#space.mutate(child, random, { rate }),
          parents: [mother.number, father.number],
        };
      }
    }
    // A copy of its one parent would teach nothing, so something changes in any case.
    return {
      candidate: this.#space.mutate(mother.candidate, random, { rate, atLeastOne: true }),
      parents: [mother.number],
    };
  }

  /** The best of a few members drawn with repetition. */
  #select(random: Random): Individual {
    let place = this.#population.length;
    for (let i = 0; i < this.#options.tournament; i++) {
      place = Math.min(place, random.integer(this.#population.length));
    }
    const winner = this.#population[place];
    if (winner === undefined) throw new RangeError("a tournament needs a population");
    return winner;
  }

  #placesLeft(): number {
    return this.#generationSize() - this.#generation.length - this.#outstanding.size;
  }

  /** How many are evaluated for a generation: the elite of the one before is known already. */
  #generationSize(): number {
    return this.#options.population - Math.min(this.#eliteSize(), this.#population.length);
  }

  #eliteSize(): number {
    return Math.min(this.#options.elitism, this.#options.population - 1);
  }
}

/** A population with a newcomer in its place, if it is among the best. */
function joined(
  population: readonly Individual[],
  newcomer: Individual,
  size: number,
): readonly Individual[] {
  const worse = population.findIndex((member) => inOrder(newcomer, member) < 0);
  return population.toSpliced(worse < 0 ? population.length : worse, 0, newcomer).slice(0, size);
}

function bestOf(individuals: readonly Individual[], size: number): readonly Individual[] {
  return individuals.toSorted(inOrder).slice(0, size);
}

/** Best first; of equals the earlier trial first, so that the order in which results came in does not matter. */
function inOrder(a: Individual, b: Individual): number {
  // Two equal infinities have no difference, so they are compared before they are subtracted.
  return a.score === b.score ? a.number - b.number : b.score - a.score;
}
