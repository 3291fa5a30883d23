/**
 * Spaces: a typed description of all candidates, as written and as compiled.
 *
 * Promise: what a space draws, mutates, crosses and repairs is valid in it; equal candidates have equal hashes
 * whatever the order of their keys, and so have candidates of one architecture that train alike.
 * Not here: spaces in a user's module (whoever reads the spec writes them out first).
 *
 * @example
 * ```ts
 * import { seededRandom } from "../actor/random.ts";
 * import { compileSpace } from "./space.ts";
 *
 * const compiled = compileSpace({
 *   kind: "parameters",
 *   parameters: {
 *     optimizer: { type: "choice", options: ["adam", "sgd"] },
 *     momentum: { type: "real", min: 0, max: 0.99, when: { parameter: "optimizer", equals: "sgd" } },
 *   },
 * });
 * if (!compiled.ok) throw new Error(compiled.error.map((problem) => problem.message).join("; "));
 * const candidate = compiled.value.sample(seededRandom(1));
 * compiled.value.validate(candidate); // []
 * compiled.value.validate({ optimizer: "adam", momentum: 0.9 }); // momentum has a value, though ...
 * ```
 *
 * @module
 */
import { z } from "zod";
import type { Random } from "../actor/random.ts";
import type { Candidate, Value } from "./candidate.ts";
import { canonicalText, hashText } from "./canonical.ts";
import { CNN_ARCHITECTURE_PARAMETERS, cnnParameters, cnnSchema, type CnnSpace } from "./cnn.ts";
import { cnnGraph } from "./cnn_graph.ts";
import { compileParameters } from "./compile.ts";
import { crossover } from "./crossover.ts";
import { canonicalGraph } from "./graph_hash.ts";
import type { LayerGraph } from "./layer_graph.ts";
import { mutateGroup } from "./mutate.ts";
import type { GroupNode } from "./node.ts";
import { type Parameters, parametersSchema, type ParametersSpace } from "./parameter.ts";
import { type Problem, problemsOf, type Result } from "./problem.ts";
import { repairGroup } from "./repair.ts";
import { sampleGroup } from "./sample.ts";
import { countCandidates } from "./size.ts";
import { validateGroup } from "./validate.ts";

export type { Candidate, Value } from "./candidate.ts";
export { CNN_DEFAULTS, type CnnOptions, type CnnSpace, cnnSpace } from "./cnn.ts";
export type { ParametersSpace } from "./parameter.ts";
export { formatPath, formatProblem, type Path, type Problem, problemsOf, type Result } from "./problem.ts";

/** A space as a user writes it. */
export type Space = ParametersSpace | CnnSpace;

/** How deep the data of a space may nest: far beyond any use, and far from the end of the stack. */
export const NESTING_MAX = 64;

const writtenSpace = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("parameters").describe("Written out."),
    parameters: parametersSchema.describe("The parameters of a candidate, by name."),
  }),
  cnnSchema,
], {
  error: (issue) => issue.code === "invalid_union" ? "expected one of the kinds parameters, cnn" : undefined,
}).superRefine((space, context) => {
  for (const { path, message } of problemsIn(space)) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
});

/**
 * Checks a space as written, with what its parameters say about each other. `problemsOf` turns its errors into
 * problems with the paths that a user knows.
 */
export const spaceSchema: z.ZodType<Space> = z.preprocess((json, context) => {
  if (nestsDeeper(json, NESTING_MAX)) context.addIssue(`the space nests deeper than ${NESTING_MAX} levels`);
  return json;
}, writtenSpace);

function nestsDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  return levels === 0 || Object.values(json).some((inner) => nestsDeeper(inner, levels - 1));
}

/** A space, ready for use. Every method but `validate` and `repair` expects valid candidates. */
export interface SearchSpace {
  /** The space as written. */
  readonly space: Space;
  /** Its compiled parameters, for optimizers that model them one by one. */
  readonly root: GroupNode;
  /** Number of candidates; Infinity where a real is free, or where conditions make it too long to count. */
  readonly size: number;
  /** A candidate drawn at random. */
  sample(random: Random): Candidate;
  /** What is wrong with a candidate; nothing where it is a point of the space. */
  validate(candidate: unknown): readonly Problem[];
  /** The closest candidate to one that may be out of range, incomplete or too full; what is missing is drawn. */
  repair(candidate: unknown, random: Random): Candidate;
  /** A copy with each gene changed with probability `rate`; with `atLeastOne`, one gene changes in any case. */
  mutate(candidate: Candidate, random: Random, options: MutateOptions): Candidate;
  /** A child whose values come from either parent. */
  crossover(a: Candidate, b: Candidate, random: Random): Candidate;
  /** The layer graph, where the space has architectures. */
  decode(candidate: Candidate): LayerGraph | undefined;
  /** 32 hexadecimal digits: of the layer graph and the values beside it, else of all values. */
  hash(candidate: Candidate): string;
}

/** How much a mutation changes. */
export interface MutateOptions {
  /** Probability of each gene to change. */
  readonly rate: number;
  readonly atLeastOne?: boolean;
}

/** Checks and compiles a space, given as the data of a YAML or JSON file. */
export function compileSpace(json: unknown): Result<SearchSpace, readonly Problem[]> {
  const parsed = spaceSchema.safeParse(json);
  if (!parsed.success) return { ok: false, error: problemsOf(parsed.error, json) };
  const compiled = compileParameters(parametersOf(parsed.data));
  return compiled.ok ? { ok: true, value: new CompiledSpace(parsed.data, compiled.value) } : compiled;
}

class CompiledSpace implements SearchSpace {
  readonly size: number;

  constructor(readonly space: Space, readonly root: GroupNode) {
    this.size = countCandidates(root);
  }

  sample(random: Random): Candidate {
    return sampleGroup(this.root, random, undefined);
  }

  validate(candidate: unknown): readonly Problem[] {
    return validateGroup(this.root, candidate);
  }

  repair(candidate: unknown, random: Random): Candidate {
    return repairGroup(this.root, candidate, random);
  }

  mutate(candidate: Candidate, random: Random, options: MutateOptions): Candidate {
    return mutateGroup(this.root, candidate, random, options.rate, options.atLeastOne ?? false);
  }

  crossover(a: Candidate, b: Candidate, random: Random): Candidate {
    return crossover(this.root, a, b, random);
  }

  decode(candidate: Candidate): LayerGraph | undefined {
    return this.space.kind === "cnn" ? cnnGraph(this.space, candidate) : undefined;
  }

  hash(candidate: Candidate): string {
    const graph = this.decode(candidate);
    if (graph === undefined) return hashText(canonicalText(candidate));
    const beside: Record<string, Value> = {};
    for (const [name, value] of Object.entries(candidate)) {
      if (!CNN_ARCHITECTURE_PARAMETERS.has(name)) beside[name] = value;
    }
    return hashText(canonicalGraph(graph) + canonicalText(beside));
  }
}

function parametersOf(space: Space): Parameters {
  return space.kind === "cnn" ? cnnParameters(space) : space.parameters;
}

function problemsIn(space: Space): readonly Problem[] {
  const compiled = compileParameters(parametersOf(space), ["parameters"]);
  return compiled.ok ? [] : compiled.error;
}
