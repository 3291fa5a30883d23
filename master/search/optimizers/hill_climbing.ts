/**
 * Hill climbing with restarts: from the best of a few candidates drawn at random it steps to any neighbour that is
 * no worse, and begins anew elsewhere when nothing better was found for a while.
 *
 * Source: Forrest and Mitchell (1993), "Relative building-block fitness and the building-block hypothesis", FOGA 2
 * (random-mutation hill climbing); how far it comes on architectures: White, Nolen and Savani (2021), "Exploring the
 * loss landscape in neural architecture search", UAI 37.
 *
 * Promise: it keeps one trial and a few numbers. It never waits: with many slots it tries many neighbours at once, or
 * begins with more candidates. A trial that was asked before the latest restart is not looked at, so that stragglers
 * do not pull it back. A failure is a neighbour that leads no higher; a cancelled trial is none.
 * With several objectives it looks at the first one only.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { HillClimbingOptions } from "../../../shared/model/optimizer_options.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import { neighbourOf } from "../neighbour.ts";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../optimizer.ts";
import { type ScoredTrial, scoredTrial } from "../scored_trial.ts";

/** Climbs one hill after another. */
export class HillClimbingOptimizer implements Optimizer {
  readonly #options: HillClimbingOptions;
  readonly #space: SearchSpace;
  /** Where this climb stands. */
  #place: ScoredTrial | undefined;
  /** Scores of this climb among which its beginning is chosen. */
  #starts = 0;
  /** Trials asked since the last improvement that led no higher. */
  #misses = 0;
  #lastAsked = 0;
  /** The last trial that was asked before this climb. */
  #lastOfEarlier = 0;
  /** The last trial that was asked before the last improvement: its like says nothing of the present place. */
  #lastBelow = 0;

  constructor(options: HillClimbingOptions, space: SearchSpace) {
    this.#options = options;
    this.#space = space;
  }

  propose(random: Random): Proposal {
    const place = this.#place;
    if (place === undefined || this.#isStarting()) {
      return { candidate: this.#space.sample(random) };
    }
    return {
      candidate: neighbourOf(this.#space, place.candidate, random, this.#options.mutation),
      parents: [place.number],
    };
  }

  asked(trial: AskedTrial): void {
    this.#lastAsked = Math.max(this.#lastAsked, trial.number);
  }

  told(trial: FinishedTrial): void {
    if (trial.number <= this.#lastOfEarlier || trial.state === "cancelled") return;
    const scored = scoredTrial(trial);
    if (this.#isStarting()) {
      if (scored !== undefined) this.#start(scored);
      return;
    }
    const height = this.#place?.score ?? -Infinity;
    if (scored !== undefined && scored.score >= height) this.#place = scored;
    if (scored !== undefined && scored.score > height) this.#lookAround();
    else if (trial.number > this.#lastBelow) this.#misses += 1;
    if (this.#misses >= this.#options.patience) this.#restart();
  }

  #isStarting(): boolean {
    return this.#starts < this.#options.starts;
  }

  #start(scored: ScoredTrial): void {
    this.#starts += 1;
    if (this.#place === undefined || scored.score > this.#place.score) this.#place = scored;
    this.#lookAround();
  }

  #lookAround(): void {
    this.#misses = 0;
    this.#lastBelow = this.#lastAsked;
  }

  #restart(): void {
    this.#place = undefined;
    this.#starts = 0;
    this.#lastOfEarlier = this.#lastAsked;
    this.#lookAround();
  }
}
