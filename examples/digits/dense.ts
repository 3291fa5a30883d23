/**
 * Dense layers: every output sees every input.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";
import { addProduct, addRows, matrix, transposed } from "./matrix.ts";
import {
  only,
  type Operator,
  type Parameter,
  parameter,
  type Pass,
  sizeOf,
  type Tensor,
} from "./operator.ts";

/** A dense layer with a bias. Weights stand as [inputs, units]. */
export class Dense implements Operator {
  readonly weights: Parameter;
  readonly bias: Parameter;
  readonly parameters: readonly Parameter[];
  readonly #features: number;
  readonly #units: number;

  constructor(units: number, input: Shape) {
    if (input.length !== 1) {
      throw new Error(`a dense layer takes [features], not [${input.join(", ")}]: put a flatten before it`);
    }
    this.#features = sizeOf(input);
    this.#units = units;
    this.weights = parameter(this.#features * units);
    this.bias = parameter(units);
    this.parameters = [this.weights, this.bias];
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const input = only(inputs);
    for (let image = 0; image < count; image++) output.values.set(this.bias.values, image * this.#units);
    addProduct(
      matrix(input.values, count, this.#features),
      matrix(this.weights.values, this.#features, this.#units),
      matrix(output.values, count, this.#units),
    );
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const input = only(inputs);
    const change = matrix(output.gradient, count, this.#units);
    const weightGradient = matrix(this.weights.gradient, this.#features, this.#units);
    addProduct(transposed(matrix(input.values, count, this.#features)), change, weightGradient);
    addRows(output.gradient.subarray(0, count * this.#units), this.bias.gradient);
    if (!input.wantsGradient) return;
    const weights = matrix(this.weights.values, this.#features, this.#units);
    addProduct(change, transposed(weights), matrix(input.gradient, count, this.#features));
  }
}
