/**
 * The search algorithms by name. A new one is a file in `optimizers/`, its options in `shared/model`, a line here,
 * and a run of the conformance suite.
 *
 * @module
 */
import type { OptimizerOptions } from "../../shared/model/optimizer_options.ts";
import type { SearchSpace } from "../../shared/space/space.ts";
import type { Optimizer } from "./optimizer.ts";
import { GeneticOptimizer } from "./optimizers/genetic.ts";
import { HillClimbingOptimizer } from "./optimizers/hill_climbing.ts";
import { RandomOptimizer } from "./optimizers/random.ts";
import { RegularizedEvolutionOptimizer } from "./optimizers/regularized_evolution.ts";
import { SimulatedAnnealingOptimizer } from "./optimizers/simulated_annealing.ts";
import { TpeOptimizer } from "./optimizers/tpe.ts";

/** What an optimizer may know of its experiment beside the space. */
export interface OptimizerContext {
  /** How many scores a finished trial has. */
  readonly objectives: number;
}

/** An optimizer with no history. The seed in its options is for whoever makes the random streams of `propose`. */
export function createOptimizer(
  options: OptimizerOptions,
  space: SearchSpace,
  _context: OptimizerContext,
): Optimizer {
  switch (options.kind) {
    case "random":
      return new RandomOptimizer(space);
    case "genetic":
      return new GeneticOptimizer(options, space);
    case "regularized_evolution":
      return new RegularizedEvolutionOptimizer(options, space);
    case "hill_climbing":
      return new HillClimbingOptimizer(options, space);
    case "simulated_annealing":
      return new SimulatedAnnealingOptimizer(options, space);
    case "tpe":
      return new TpeOptimizer(options, space);
  }
}
