/**
 * Random search: every candidate drawn by itself. The baseline, and hard to beat where few parameters matter.
 *
 * Source: Bergstra and Bengio (2012), "Random search for hyper-parameter optimization", JMLR 13.
 *
 * Promise: it has no state, so history, failures and outstanding trials change nothing.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import type { Optimizer, Proposal } from "../optimizer.ts";

/** Draws every candidate from the whole space. */
export class RandomOptimizer implements Optimizer {
  readonly #space: SearchSpace;

  constructor(space: SearchSpace) {
    this.#space = space;
  }

  propose(random: Random): Proposal {
    return { candidate: this.#space.sample(random) };
  }

  asked(): void {}

  told(): void {}
}
