import { createOptimizer } from "../../master/search/registry.ts";
import { optimizerSchema } from "../../shared/model/optimizer_options.ts";
import { testOptimizer } from "./optimizer_suite.ts";

const optimizers = {
  "random search": { kind: "random" },
  "the genetic algorithm": { kind: "genetic" },
  "the generational genetic algorithm": { kind: "genetic", mode: "generational" },
  "a genetic algorithm with two members": { kind: "genetic", population: 2, elitism: 5, tournament: 9 },
  "a generational genetic algorithm with two members": {
    kind: "genetic",
    mode: "generational",
    population: 2,
    elitism: 1,
  },
  "regularized evolution": { kind: "regularized_evolution" },
  "regularized evolution with two members": { kind: "regularized_evolution", population: 2, sample: 9 },
  "hill climbing": { kind: "hill_climbing" },
  "hill climbing without patience": { kind: "hill_climbing", starts: 1, patience: 1, mutation: 0.5 },
  "simulated annealing": { kind: "simulated_annealing" },
  "simulated annealing that stays hot": {
    kind: "simulated_annealing",
    starts: 2,
    temperature: 1e6,
    cooling: 1,
    patience: 3,
  },
  "the Parzen estimator": { kind: "tpe" },
  "a Parzen estimator of few": { kind: "tpe", startup: 1, candidates: 1, gamma: 0.9 },
} as const;

for (const [name, options] of Object.entries(optimizers)) {
  testOptimizer(name, (space) => createOptimizer(optimizerSchema.parse(options), space, { objectives: 1 }));
}
