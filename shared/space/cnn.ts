/**
 * The space of small convolutional networks: `{ kind: cnn, classes: 10 }`.
 *
 * A candidate is a list of blocks (convolution, optional skip connection, activation, pooling, dropout), a head
 * (flatten or global pooling, dense layers) and how to train it. The defaults suit 8x8 digits: the average candidate
 * costs about 300,000 multiplications for one image, forward and back.
 *
 * @module
 */
import { z } from "zod";
import { boolean, choice, real, repeat } from "./builders.ts";
import { type Parameters, parametersSchema } from "./parameter.ts";

/** The parameters that the layer graph is made from; the others say how to train it. */
export const CNN_ARCHITECTURE_PARAMETERS: ReadonlySet<string> = new Set(["blocks", "head", "dense"]);

/** How many blocks, and how many dense layers, a network may have: the master builds the graph of every candidate. */
export const LAYERS_MAX = 64;

function listOf<T extends string | number>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(item).nonempty()
    .refine((items) => new Set(items).size === items.length, { error: "an option stands twice" });
}

const shape = z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]);
const counts = listOf(z.int().min(1));
const length = z.int().min(0).max(LAYERS_MAX);
const lengths = z.strictObject({ min: length.describe("At least."), max: length.describe("At most.") })
  .refine(({ min, max }) => min <= max, { error: "min is above max" });

/** Checks `{ kind: cnn, ... }`; what is left out is taken from `CNN_DEFAULTS`. */
export const cnnSchema = z.strictObject({
  kind: z.literal("cnn").describe("Small convolutional networks."),
  classes: z.int().min(2).describe("Classes, which are the outputs."),
  input: shape.exactOptional().describe("Height, width and channels of an image."),
  blocks: lengths.refine(({ min }) => min >= 1, { error: "a cnn has one block or more" }).exactOptional()
    .describe(
      `How many blocks: convolution, skip connection, activation, pooling, dropout. To ${LAYERS_MAX}.`,
    ),
  filters: counts.exactOptional().describe("Of a convolution."),
  kernels: counts.exactOptional().describe("The size of a convolution."),
  activations: listOf(z.enum(["relu", "elu", "tanh", "sigmoid"])).exactOptional()
    .describe("Of blocks and dense layers."),
  pools: listOf(z.enum(["none", "max", "average"])).exactOptional().describe("After a block."),
  skips: z.boolean().exactOptional().describe("Whether blocks may have a skip connection."),
  dropouts: listOf(z.number().min(0).lt(1)).exactOptional().describe("Rates of dropout."),
  heads: listOf(z.enum(["flatten", "average", "max"])).exactOptional().describe("From images to features."),
  dense: lengths.exactOptional().describe(`How many dense layers before the output. To ${LAYERS_MAX}.`),
  units: counts.exactOptional().describe("Of a dense layer."),
  learningRate: z.strictObject({
    min: z.number().positive().describe("At least."),
    max: z.number().positive().describe("At most."),
  }).refine(({ min, max }) => min <= max, { error: "min is above max" }).exactOptional()
    .describe("Drawn by order of magnitude; in the candidate as `learning_rate`."),
  batchSizes: counts.exactOptional().describe("In the candidate as `batch_size`."),
  optimizers: listOf(z.enum(["adam", "sgd"])).exactOptional().describe("In the candidate as `optimizer`."),
  // They change no layer.
  parameters: parametersSchema.refine(
    (more) => !Object.keys(more).some((name) => CNN_ARCHITECTURE_PARAMETERS.has(name)),
    { error: "blocks, head and dense describe the network; choose other names" },
  ).exactOptional().meta({
    title: "parameters",
    description: "Further parameters, which the evaluator reads.",
  }),
});

/** The space as written. */
export type CnnSpace = Readonly<z.output<typeof cnnSchema>>;
/** What `cnnSpace` takes. */
export type CnnOptions = Omit<CnnSpace, "kind">;
type Settings = Required<Omit<CnnSpace, "kind" | "classes" | "parameters">>;

/** What holds where the space does not say otherwise. */
export const CNN_DEFAULTS: Settings = {
  input: [8, 8, 1],
  blocks: { min: 1, max: 3 },
  filters: [4, 8, 16, 24],
  kernels: [3, 5],
  activations: ["relu", "elu", "tanh"],
  pools: ["none", "max", "average"],
  skips: true,
  dropouts: [0, 0.1, 0.25],
  heads: ["flatten", "average"],
  dense: { min: 0, max: 1 },
  units: [16, 32, 64],
  learningRate: { min: 0.0003, max: 0.03 },
  batchSizes: [16, 32, 64],
  optimizers: ["adam", "sgd"],
};

/**
 * The space of convolutional networks for images of one shape.
 *
 * @example
 * ```ts
 * import { cnnSpace } from "./cnn.ts";
 * export default cnnSpace({ classes: 10, input: [28, 28, 1], filters: [8, 16, 32, 64] });
 * ```
 */
export function cnnSpace(options: CnnOptions): CnnSpace {
  return { kind: "cnn", ...options };
}

/** The parameters that a CNN space stands for. */
export function cnnParameters(space: CnnSpace): Parameters {
  const settings = { ...CNN_DEFAULTS, ...space };
  return {
    blocks: repeat(settings.blocks.min, settings.blocks.max, {
      filters: choice(settings.filters),
      kernel: choice(settings.kernels),
      skip: settings.skips ? boolean() : choice([false]),
      activation: choice(settings.activations),
      pool: choice(settings.pools),
      dropout: choice(settings.dropouts),
    }),
    head: choice(settings.heads),
    dense: repeat(settings.dense.min, settings.dense.max, {
      units: choice(settings.units),
      activation: choice(settings.activations),
      dropout: choice(settings.dropouts),
    }),
    learning_rate: real(settings.learningRate.min, settings.learningRate.max, { log: true }),
    batch_size: choice(settings.batchSizes),
    optimizer: choice(settings.optimizers),
    ...space.parameters,
  };
}
