/**
 * Spaces written in TypeScript. What these return is the plain data that a user could have written in YAML.
 *
 * @example
 * ```ts
 * import { choice, integer, optional, parameters, real, repeat } from "./builders.ts";
 *
 * export default parameters({
 *   learning_rate: real(1e-4, 1e-1, { log: true }),
 *   optimizer: choice(["adam", "sgd"]),
 *   momentum: real(0, 0.99, { when: { parameter: "optimizer", equals: "sgd" } }),
 *   layers: repeat(1, 3, { units: integer(8, 64, { step: 8 }) }),
 *   dropout: optional(real(0.1, 0.5)),
 * });
 * ```
 *
 * @module
 */
import type {
  ChoiceParameter,
  Condition,
  GroupParameter,
  IntegerParameter,
  NestedOption,
  OptionalParameter,
  Parameter,
  Parameters,
  ParametersSpace,
  RealParameter,
  RepeatParameter,
  Scalar,
} from "./parameter.ts";

interface Conditional {
  readonly when?: Condition;
}

/** A space without an architecture. */
export function parameters(named: Parameters): ParametersSpace {
  return { kind: "parameters", parameters: named };
}

/** One of the options. */
export function choice(options: readonly (Scalar | NestedOption)[], more: Conditional = {}): ChoiceParameter {
  return { type: "choice", options, ...more };
}

/** An option of a choice that opens parameters of its own. */
export function option(name: string, of: Parameters): NestedOption {
  return { name, of };
}

/** True or false. */
export function boolean(more: Conditional = {}): ChoiceParameter {
  return choice([false, true], more);
}

/** A whole number from `min` to `max`, both included. */
export function integer(
  min: number,
  max: number,
  more: Conditional & { readonly step?: number; readonly log?: boolean } = {},
): IntegerParameter {
  return { type: "integer", min, max, ...more };
}

/** A number from `min` to `max`. */
export function real(
  min: number,
  max: number,
  more: Conditional & { readonly log?: boolean } = {},
): RealParameter {
  return { type: "real", min, max, ...more };
}

/** A list of `min` to `max` values. */
export function repeat(
  min: number,
  max: number,
  of: Parameter | Parameters,
  more: Conditional = {},
): RepeatParameter {
  return { type: "repeat", min, max, of, ...more };
}

/** A part that may be left out. */
export function optional(of: Parameter | Parameters, more: Conditional = {}): OptionalParameter {
  return { type: "optional", of, ...more };
}

/** Parameters kept together under one name. */
export function group(of: Parameters, more: Conditional = {}): GroupParameter {
  return { type: "group", of, ...more };
}
