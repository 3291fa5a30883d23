/**
 * Pools: the largest or the mean of what a window sees, channel by channel.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";
import { only, type Operator, type Pass, type Tensor } from "./operator.ts";
import { at, type Vector } from "./vector.ts";
import { imageShape, insideOf, type Window } from "./window.ts";

/** The largest pixel under the window; the gradient goes to that pixel alone. */
export class MaxPool implements Operator {
  readonly parameters = [];
  readonly #window: Window;
  /** For each output the index of the input it was taken from. */
  readonly #source: Int32Array;

  constructor(window: Window, batch: number) {
    this.#window = window;
    this.#source = new Int32Array(batch * window.rows * window.columns * window.channels);
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const pixels = only(inputs).values, largest = output.values, source = this.#source;
    largest.fill(-Infinity);
    const { channels } = this.#window;
    visitPixels(this.#window, count, (from, to) => {
      for (let c = 0; c < channels; c++) {
        const pixel = at(pixels, from + c);
        // NaN wins, so that a diverged network is seen as one.
        if (pixel > at(largest, to + c) || Number.isNaN(pixel)) {
          largest[to + c] = pixel;
          source[to + c] = from + c;
        }
      }
    });
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const input = only(inputs);
    if (!input.wantsGradient) return;
    for (let i = 0; i < count * output.size; i++) {
      const source = this.#source[i] ?? -1;
      input.gradient[source] = at(input.gradient, source) + at(output.gradient, i);
    }
  }
}

/** The mean of the pixels under the window; pixels beyond the edge do not count. */
export class AveragePool implements Operator {
  readonly parameters = [];
  readonly #window: Window;

  constructor(window: Window) {
    this.#window = window;
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const pixels = only(inputs).values, means = output.values;
    means.fill(0);
    visitPixels(this.#window, count, (from, to, share) => {
      addScaled(pixels, from, means, to, this.#window.channels, share);
    });
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const input = only(inputs);
    if (!input.wantsGradient) return;
    visitPixels(this.#window, count, (from, to, share) => {
      addScaled(output.gradient, to, input.gradient, from, this.#window.channels, share);
    });
  }
}

/** The window of a pool over a whole image. */
export function globalWindow(input: Shape): Window {
  const { height, width, channels } = imageShape(input);
  const size = Math.max(height, width);
  return { height, width, channels, size, stride: size, rows: 1, columns: 1, top: 0, left: 0 };
}

/** The pool of a kind over a window. */
export function pool(kind: "max" | "average", window: Window, batch: number): Operator {
  return kind === "max" ? new MaxPool(window, batch) : new AveragePool(window);
}

/** Calls for each pixel under each place: where its channels start, where the place's start, and its share of the mean. */
function visitPixels(
  window: Window,
  images: number,
  visit: (from: number, to: number, share: number) => void,
): void {
  const { height, width, channels, size, stride, rows, columns } = window;
  let to = 0;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < rows; row++) {
      const y = row * stride - window.top;
      const [up, down] = insideOf(y, size, height);
      for (let column = 0; column < columns; column++) {
        const x = column * stride - window.left;
        const [left, right] = insideOf(x, size, width);
        const share = 1 / ((down - up) * (right - left));
        for (let dy = up; dy < down; dy++) {
          for (let dx = left; dx < right; dx++) {
            visit(((image * height + y + dy) * width + x + dx) * channels, to, share);
          }
        }
        to += channels;
      }
    }
  }
}

function addScaled(
  from: Vector,
  fromStart: number,
  to: Vector,
  toStart: number,
  length: number,
  scale: number,
): void {
  for (let i = 0; i < length; i++) to[toStart + i] = at(to, toStart + i) + scale * at(from, fromStart + i);
}
