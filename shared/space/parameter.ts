/**
 * Parameters: what a space is made of, as a user writes them in YAML or JSON.
 *
 * ```yaml
 * learning_rate: { type: real, min: 0.0001, max: 0.1, log: true }
 * batch_size: { type: choice, options: [16, 32, 64] }
 * optimizer: { type: choice, options: [adam, sgd] }
 * momentum: { type: real, min: 0, max: 0.99, when: { parameter: optimizer, equals: sgd } }
 * widths: { type: repeat, min: 1, max: 3, of: { type: integer, min: 8, max: 64, log: true } }
 * blocks:
 *   type: repeat
 *   min: 1
 *   max: 3
 *   of:
 *     filters: { type: choice, options: [8, 16] }
 *     kernel: { type: choice, options: [3, 5] }
 * head:
 *   type: choice
 *   options:
 *     - linear
 *     - { name: mlp, of: { units: { type: integer, min: 8, max: 128, step: 8 } } }
 * warmup: { type: optional, of: { steps: { type: integer, min: 1, max: 100 } } }
 * augment: { type: group, of: { flip: { type: choice, options: [true, false] } } }
 * ```
 *
 * and one of its candidates:
 *
 * ```yaml
 * { learning_rate: 0.01, batch_size: 32, optimizer: adam, widths: [16, 64], blocks: [{ filters: 8, kernel: 3 }],
 *   head: { mlp: { units: 24 } }, warmup: null, augment: { flip: true } }
 * ```
 *
 * A parameter whose condition does not hold is absent from the candidate; an optional part left out is `null`.
 *
 * @module
 */
import { z } from "zod";

/** What a choice may choose without more to say. */
export type Scalar = string | number | boolean;

/** Parameters by name. */
export interface Parameters {
  readonly [name: string]: Parameter;
}

/** An option that opens parameters of its own; chosen, it stands in the candidate as `{ [name]: values }`. */
export interface NestedOption {
  readonly name: string;
  readonly of: Parameters;
}

/**
 * When a parameter takes part: the named choice or integer has the value, or one of the values. The name is looked
 * up beside the parameter first, then in the parts around it. An option with parameters goes by its name.
 */
export interface Condition {
  readonly parameter: string;
  /** Either this or `in`. */
  readonly equals?: Scalar;
  readonly in?: readonly Scalar[];
}

interface Conditional {
  readonly when?: Condition;
}

/** One of the options. */
export interface ChoiceParameter extends Conditional {
  readonly type: "choice";
  readonly options: readonly (Scalar | NestedOption)[];
}

/** A whole number from `min` to `max`, both included, every `step` from `min` on; `log` draws small ones as often as large. */
export interface IntegerParameter extends Conditional {
  readonly type: "integer";
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly log?: boolean;
}

/** A number from `min` to `max`; `log` draws each order of magnitude equally often. */
export interface RealParameter extends Conditional {
  readonly type: "real";
  readonly min: number;
  readonly max: number;
  readonly log?: boolean;
}

/** A list of `min` to `max` values, each drawn for itself. */
export interface RepeatParameter extends Conditional {
  readonly type: "repeat";
  readonly min: number;
  readonly max: number;
  readonly of: Parameter | Parameters;
}

/** A part that may be left out. */
export interface OptionalParameter extends Conditional {
  readonly type: "optional";
  readonly of: Parameter | Parameters;
}

/** Parameters kept together under one name. */
export interface GroupParameter extends Conditional {
  readonly type: "group";
  readonly of: Parameters;
}

/** One thing to choose. */
export type Parameter =
  | ChoiceParameter
  | IntegerParameter
  | RealParameter
  | RepeatParameter
  | OptionalParameter
  | GroupParameter;

/** The longest list that `repeat` may make: candidates are kept in the store and sent to workers. */
export const REPEAT_MAX = 1_000;

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, {
  error: "a name starts with a letter and has only letters, digits, _ and -",
});
const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: "expected a text, a number, true or false",
});

const when: z.ZodType<Condition> = z.strictObject({
  parameter: name.describe("A choice or an integer beside the parameter, or in a part around it."),
  equals: scalar.exactOptional().describe("Its value; a nested option goes by its name."),
  in: z.array(scalar).nonempty().exactOptional().describe("Its values; a nested option goes by its name."),
}).refine((condition) => (condition.equals === undefined) !== (condition.in === undefined), {
  error: "a condition has either equals: a value, or in: [values]",
});
const conditional = {
  when: when.exactOptional().describe(
    "Where this does not hold, the parameter is absent from the candidate.",
  ),
};

/** Checks parameters by name; what they say about each other is checked by `compileParameters`. */
export const parametersSchema: z.ZodType<Parameters> = z.lazy(() => z.record(name, parameterSchema));

const option = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({
    name: name.describe("Chosen, it stands in the candidate as `{ name: values }`."),
    of: parametersSchema.describe("The option's own parameters, by name."),
  }),
], { error: "an option is a text, a number, true, false, or {name, of: parameters}" });
const part = z.union([z.lazy(() => parameterSchema), parametersSchema], {
  error: "expected a parameter with a type, or parameters by name",
});
const count = z.int().min(0).max(REPEAT_MAX);
const smallest = "The smallest, included.";
const largest = "The largest, included.";

/** Checks one parameter. */
export const parameterSchema: z.ZodType<Parameter> = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("choice").describe("One of the options."),
    options: z.array(option).nonempty().describe(
      "Texts, numbers, true, false, or `{ name, of }` for an option with parameters of its own.",
    ),
    ...conditional,
  }),
  z.strictObject({
    type: z.literal("integer").describe("A whole number."),
    min: z.int().describe(smallest),
    max: z.int().describe(largest),
    step: z.int().min(1).exactOptional().describe("Every so many from `min` on; unless told, 1."),
    log: z.boolean().exactOptional().describe("Whether small ones are drawn as often as large ones."),
    ...conditional,
  }),
  z.strictObject({
    type: z.literal("real").describe("A number."),
    min: z.number().describe(smallest),
    max: z.number().describe(largest),
    log: z.boolean().exactOptional().describe("Whether each order of magnitude is drawn equally often."),
    ...conditional,
  }),
  z.strictObject({
    type: z.literal("repeat").describe("A list; each member is drawn for itself."),
    min: count.describe("Members, at least."),
    max: count.describe("Members, at most."),
    of: part.describe("A member: one parameter, or parameters by name."),
    ...conditional,
  }),
  z.strictObject({
    type: z.literal("optional").describe("The part, or `null`."),
    of: part.describe("The part: one parameter, or parameters by name."),
    ...conditional,
  }),
  z.strictObject({
    type: z.literal("group").describe("Values by name."),
    of: parametersSchema.describe("Parameters by name."),
    ...conditional,
  }),
], {
  error: (issue) =>
    issue.code === "invalid_union"
      ? "expected one of choice, integer, real, repeat, optional, group"
      : undefined,
});

/** Whether a part is one parameter, not parameters by name. */
export function isParameter(of: Parameter | Parameters): of is Parameter {
  return typeof of["type"] === "string";
}

/** A space without an architecture: its parameters, written out. */
export interface ParametersSpace {
  readonly kind: "parameters";
  readonly parameters: Parameters;
}
