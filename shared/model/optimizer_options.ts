/**
 * What a user may say about the search algorithm, in the `optimizer` part of a spec.
 *
 * @module
 */
import { z } from "zod";

/** The seed of a search whose spec names none. */
export const SEED_DEFAULT = 0;
/** Members of a genetic population. */
export const POPULATION_DEFAULT = 50;
/** Members that compete for each place as a parent; more of them press harder towards the best. */
export const TOURNAMENT_DEFAULT = 3;
/** Probability that a child has two parents. */
export const CROSSOVER_DEFAULT = 0.8;
/** Probability of each value of a child to mutate. */
export const MUTATION_DEFAULT = 0.2;
/** The best members that stay when a generation takes over; in steady state the worst leaves, so the best always stay. */
export const ELITISM_DEFAULT = 5;
/** The largest population: it is held in the master's memory. */
export const POPULATION_MAX = 10_000;

const seed = z.int().default(SEED_DEFAULT).describe("With one slot, the same seed gives the same trials.");
const probability = z.number().min(0).max(1);

const random = z.strictObject({
  kind: z.literal("random").describe("Draws each candidate for itself."),
  seed,
});

const genetic = z.strictObject({
  kind: z.literal("genetic").describe("Breeds candidates from the best so far."),
  seed,
  population: z.int().min(2).max(POPULATION_MAX).default(POPULATION_DEFAULT).describe(
    "Members of the population.",
  ),
  tournament: z.int().min(1).max(POPULATION_MAX).default(TOURNAMENT_DEFAULT).describe(
    "Members that compete for each place as a parent.",
  ),
  crossover: probability.default(CROSSOVER_DEFAULT).describe("Probability that a child has two parents."),
  mutation: probability.default(MUTATION_DEFAULT).describe("Probability of each value of a child to mutate."),
  elitism: z.int().min(0).default(ELITISM_DEFAULT).describe(
    "The best members that stay when a generation takes over.",
  ),
  mode: z.enum(["steady", "generational"]).default("steady").describe(
    "`steady` never waits for a straggler; `generational` waits for the last of each generation.",
  ),
});

/**
 * Checks the `optimizer` part of a spec and fills in the defaults.
 *
 * @example
 * ```ts
 * import { optimizerSchema } from "./optimizer_options.ts";
 * optimizerSchema.parse({ kind: "genetic", population: 20 }); // with seed 0, tournament 3, and so on
 * ```
 */
export const optimizerSchema = z.discriminatedUnion("kind", [random, genetic], {
  error: (issue) => issue.code === "invalid_union" ? "expected one of the kinds random, genetic" : undefined,
});

/** The options of random search. */
export type RandomOptions = Readonly<z.output<typeof random>>;
/** The options of the genetic algorithm. */
export type GeneticOptions = Readonly<z.output<typeof genetic>>;
/** The options of a search algorithm, defaults filled in. */
export type OptimizerOptions = RandomOptions | GeneticOptions;
/** The options of a search algorithm, as a user writes them. */
export type OptimizerInput = z.input<typeof optimizerSchema>;
