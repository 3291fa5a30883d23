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
} as const;

for (const [name, options] of Object.entries(optimizers)) {
  testOptimizer(name, (space) => createOptimizer(optimizerSchema.parse(options), space, { objectives: 1 }));
}
