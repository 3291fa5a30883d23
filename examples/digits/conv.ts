/**
 * Convolutions: every place of the window becomes a row of a matrix, and the layer a matrix product.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";
import { addProduct, addRows, matrix, transposed } from "./matrix.ts";
import { only, type Operator, type Parameter, parameter, type Pass, type Tensor } from "./operator.ts";
import { at, type Vector, zeros } from "./vector.ts";
import { insideOf, slidingWindow, type Window } from "./window.ts";

/** What a convolution is, beside its shapes. */
export interface ConvolutionOptions {
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
}

/** Rows gathered at once: the matrix of a 3 x 3 window over 32 channels then fits into half of a 1 MB cache. */
const ROWS_AT_ONCE = 512;

/** A convolution with a bias. Weights stand as [kernel, kernel, input channels, filters]. */
export class Convolution implements Operator {
  readonly weights: Parameter;
  readonly bias: Parameter;
  readonly parameters: readonly Parameter[];
  readonly #window: Window;
  readonly #filters: number;
  readonly #patch: number;
  readonly #imagesAtOnce: number;
  readonly #patches: Vector;
  readonly #patchGradients: Vector;

  constructor(options: ConvolutionOptions, input: Shape, output: Shape) {
    this.#window = slidingWindow(input, output, options.kernel, options.stride);
    this.#filters = options.filters;
    this.#patch = options.kernel * options.kernel * this.#window.channels;
    const places = this.#window.rows * this.#window.columns;
    this.#imagesAtOnce = Math.max(1, Math.floor(ROWS_AT_ONCE / places));
    this.#patches = zeros(this.#imagesAtOnce * places * this.#patch);
    this.#patchGradients = zeros(this.#patches.length);
    this.weights = parameter(this.#patch * options.filters);
    this.bias = parameter(options.filters);
    this.parameters = [this.weights, this.bias];
  }

  forward(inputs: readonly Tensor[], output: Tensor, pass: Pass): void {
    const input = only(inputs);
    const weights = matrix(this.weights.values, this.#patch, this.#filters);
    for (const part of this.#parts(pass.count)) {
      const pixels = input.values.subarray(part.first * input.size, part.end * input.size);
      const result = output.values.subarray(part.first * output.size, part.end * output.size);
      gather(pixels, this.#patches, this.#window, part.end - part.first);
      for (let i = 0; i < result.length; i += this.#filters) result.set(this.bias.values, i);
      addProduct(
        matrix(this.#patches, part.rows, this.#patch),
        weights,
        matrix(result, part.rows, this.#filters),
      );
    }
  }

  backward(inputs: readonly Tensor[], output: Tensor, pass: Pass): void {
    const input = only(inputs);
    const weights = matrix(this.weights.values, this.#patch, this.#filters);
    const weightGradient = matrix(this.weights.gradient, this.#patch, this.#filters);
    for (const part of this.#parts(pass.count)) {
      const pixels = input.values.subarray(part.first * input.size, part.end * input.size);
      const change = output.gradient.subarray(part.first * output.size, part.end * output.size);
      const changes = matrix(change, part.rows, this.#filters);
      gather(pixels, this.#patches, this.#window, part.end - part.first);
      addProduct(transposed(matrix(this.#patches, part.rows, this.#patch)), changes, weightGradient);
      addRows(change, this.bias.gradient);
      if (!input.wantsGradient) continue;
      this.#patchGradients.fill(0);
      addProduct(changes, transposed(weights), matrix(this.#patchGradients, part.rows, this.#patch));
      const target = input.gradient.subarray(part.first * input.size, part.end * input.size);
      scatter(this.#patchGradients, target, this.#window, part.end - part.first);
    }
  }

  /** The batch in parts that the caches can hold. */
  *#parts(count: number): Iterable<{ first: number; end: number; rows: number }> {
    const places = this.#window.rows * this.#window.columns;
    for (let first = 0; first < count; first += this.#imagesAtOnce) {
      const end = Math.min(count, first + this.#imagesAtOnce);
      yield { first, end, rows: (end - first) * places };
    }
  }
}

/** Copies what the window sees at each place into a row; zeros beyond the edge. */
function gather(pixels: Vector, patches: Vector, window: Window, images: number): void {
  const { height, width, channels, size, stride } = window;
  patches.fill(0);
  let patch = 0;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < window.rows; row++) {
      const y = row * stride - window.top;
      const [up, down] = insideOf(y, size, height);
      for (let column = 0; column < window.columns; column++) {
        const x = column * stride - window.left;
        const [left, right] = insideOf(x, size, width);
        const run = (right - left) * channels;
        for (let dy = up; dy < down; dy++) {
          const from = ((image * height + y + dy) * width + x + left) * channels;
          const to = patch + (dy * size + left) * channels;
          for (let i = 0; i < run; i++) patches[to + i] = at(pixels, from + i);
        }
        patch += size * size * channels;
      }
    }
  }
}

/** The reverse of `gather`: adds each row back to the pixels it was copied from. */
function scatter(patches: Vector, pixels: Vector, window: Window, images: number): void {
  const { height, width, channels, size, stride } = window;
  let patch = 0;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < window.rows; row++) {
      const y = row * stride - window.top;
      const [up, down] = insideOf(y, size, height);
      for (let column = 0; column < window.columns; column++) {
        const x = column * stride - window.left;
        const [left, right] = insideOf(x, size, width);
        const run = (right - left) * channels;
        for (let dy = up; dy < down; dy++) {
          const to = ((image * height + y + dy) * width + x + left) * channels;
          const from = patch + (dy * size + left) * channels;
          for (let i = 0; i < run; i++) pixels[to + i] = at(pixels, to + i) + at(patches, from + i);
        }
        patch += size * size * channels;
      }
    }
  }
}
