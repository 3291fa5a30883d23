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
/** Members of the population of regularized evolution. A budget of hundreds of trials has no time for the paper's 100. */
export const AGING_POPULATION_DEFAULT = 20;
/** Members of which regularized evolution takes the best as a parent: the quarter of the population of the paper. */
export const AGING_SAMPLE_DEFAULT = 5;
/** Candidates drawn at random before a search begins to walk from the best of them. */
export const STARTS_DEFAULT = 10;
/** Neighbours without a better score after which a search that walks begins anew. */
export const WALK_PATIENCE_DEFAULT = 50;
/** The first temperature, in typical distances of a random candidate's score from the median. */
export const TEMPERATURE_DEFAULT = 0.2;
/** The part of a temperature that is left after each neighbour: it halves with each 14 of them. */
export const COOLING_DEFAULT = 0.95;
/** Trials with scores before densities are made of them: the ten of Optuna and of Watanabe's study, for budgets of hundreds. */
export const TPE_STARTUP_DEFAULT = 10;
/** Candidates drawn for a proposal: the paper's authors' 24. More of them press harder to the middle of the best region. */
export const TPE_CANDIDATES_DEFAULT = 24;
/** The part of the trials that counts as good; the paper has 0.15, of which the cap at 25 trials leaves less. */
export const TPE_GAMMA_DEFAULT = 0.1;
/** The most candidates drawn for a proposal, which takes as much longer. */
export const TPE_CANDIDATES_MAX = 1_000;
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

const furtherMutation = probability.default(0).describe(
  "Probability of each value to change, beside the one that changes in any case.",
);
const starts = z.int().min(1).max(POPULATION_MAX).default(STARTS_DEFAULT).describe(
  "Candidates drawn at random, of which the best is where it begins.",
);

const regularizedEvolution = z.strictObject({
  kind: z.literal("regularized_evolution").describe(
    "Breeds candidates by mutation alone, in a population that loses its oldest member.",
  ),
  seed,
  population: z.int().min(2).max(POPULATION_MAX).default(AGING_POPULATION_DEFAULT).describe(
    "Members of the population.",
  ),
  sample: z.int().min(1).max(POPULATION_MAX).default(AGING_SAMPLE_DEFAULT).describe(
    "Members drawn, of which the best becomes the parent.",
  ),
  mutation: furtherMutation,
});

const hillClimbing = z.strictObject({
  kind: z.literal("hill_climbing").describe(
    "Steps to neighbours that are no worse, and begins anew elsewhere.",
  ),
  seed,
  starts,
  patience: z.int().min(1).default(WALK_PATIENCE_DEFAULT).describe(
    "Neighbours without a better score after which it begins anew elsewhere.",
  ),
  mutation: furtherMutation,
});

const simulatedAnnealing = z.strictObject({
  kind: z.literal("simulated_annealing").describe("Steps to worse neighbours too, ever more rarely."),
  seed,
  starts,
  temperature: z.number().min(0).max(1e6).default(TEMPERATURE_DEFAULT).describe(
    "The first temperature, as a multiple of the spread of the first scores.",
  ),
  cooling: z.number().gt(0).max(1).default(COOLING_DEFAULT).describe(
    "The part of the temperature that is left after each neighbour.",
  ),
  patience: z.int().min(1).default(WALK_PATIENCE_DEFAULT).describe(
    "Neighbours without a new best score after which it is heated again.",
  ),
  mutation: furtherMutation,
});

const tpe = z.strictObject({
  kind: z.literal("tpe").describe(
    "Models where the good candidates are: the tree-structured Parzen estimator.",
  ),
  seed,
  startup: z.int().min(1).default(TPE_STARTUP_DEFAULT).describe(
    "Trials with scores before it models; those asked for until then are drawn at random.",
  ),
  candidates: z.int().min(1).max(TPE_CANDIDATES_MAX).default(TPE_CANDIDATES_DEFAULT).describe(
    "Candidates drawn for each proposal, of which the most promising is taken.",
  ),
  gamma: z.number().gt(0).lt(1).default(TPE_GAMMA_DEFAULT).describe(
    "The part of the trials that counts as good, to 25 trials at most.",
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
export const optimizerSchema = z.discriminatedUnion("kind", [
  random,
  genetic,
  regularizedEvolution,
  hillClimbing,
  simulatedAnnealing,
  tpe,
], {
  error: (issue) =>
    issue.code === "invalid_union" ? `expected one of the kinds ${kinds().join(", ")}` : undefined,
});

/** The names of all search algorithms. */
function kinds(): readonly string[] {
  return optimizerSchema.options.map(({ shape }) => shape.kind.value);
}

/** The options of random search. */
export type RandomOptions = Readonly<z.output<typeof random>>;
/** The options of the genetic algorithm. */
export type GeneticOptions = Readonly<z.output<typeof genetic>>;
/** The options of regularized evolution. */
export type RegularizedEvolutionOptions = Readonly<z.output<typeof regularizedEvolution>>;
/** The options of hill climbing. */
export type HillClimbingOptions = Readonly<z.output<typeof hillClimbing>>;
/** The options of simulated annealing. */
export type SimulatedAnnealingOptions = Readonly<z.output<typeof simulatedAnnealing>>;
/** The options of the tree-structured Parzen estimator. */
export type TpeOptions = Readonly<z.output<typeof tpe>>;
/** The options of a search algorithm, defaults filled in. */
export type OptimizerOptions = Readonly<z.output<typeof optimizerSchema>>;
/** The options of a search algorithm, as a user writes them. */
export type OptimizerInput = z.input<typeof optimizerSchema>;
