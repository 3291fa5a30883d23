/**
 * Where branches meet: sums, concatenations, and the flatten that only renames a shape.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";
import { type Operator, type Pass, sizeOf, type Tensor } from "./operator.ts";
import { at } from "./vector.ts";

/** The sum of its inputs, all of one size. A flatten is the sum of one input in another shape. */
export class Sum implements Operator {
  readonly parameters = [];

  constructor(inputs: readonly Shape[], output: Shape) {
    for (const shape of inputs) {
      if (sizeOf(shape) === sizeOf(output)) continue;
      throw new Error(`[${shape.join(", ")}] cannot be added into [${output.join(", ")}]`);
    }
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const y = output.values, length = count * output.size;
    y.fill(0, 0, length);
    for (const { values: x } of inputs) {
      for (let i = 0; i < length; i++) y[i] = at(y, i) + at(x, i);
    }
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const dy = output.gradient, length = count * output.size;
    for (const { gradient: dx, wantsGradient } of inputs) {
      if (!wantsGradient) continue;
      for (let i = 0; i < length; i++) dx[i] = at(dx, i) + at(dy, i);
    }
  }
}

/** The channels of its inputs, one input after the other. */
export class Concatenation implements Operator {
  readonly parameters = [];

  constructor(inputs: readonly Shape[], output: Shape) {
    const channels = inputs.reduce((sum, shape) => sum + channelsOf(shape), 0);
    const isSameImage = inputs.every((shape) => shape.slice(0, -1).join() === output.slice(0, -1).join());
    if (isSameImage && channels === channelsOf(output)) return;
    const shapes = inputs.map((shape) => `[${shape.join(", ")}]`).join(" and ");
    throw new Error(`${shapes} cannot be concatenated into [${output.join(", ")}]`);
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const total = channelsOf(output.shape);
    const pixels = count * output.size / total;
    let offset = 0;
    for (const input of inputs) {
      const channels = channelsOf(input.shape), x = input.values, y = output.values;
      for (let pixel = 0; pixel < pixels; pixel++) {
        const from = pixel * channels, to = pixel * total + offset;
        for (let c = 0; c < channels; c++) y[to + c] = at(x, from + c);
      }
      offset += channels;
    }
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const total = channelsOf(output.shape);
    const pixels = count * output.size / total;
    let offset = 0;
    for (const input of inputs) {
      const channels = channelsOf(input.shape), dx = input.gradient, dy = output.gradient;
      for (let pixel = 0; pixel < pixels && input.wantsGradient; pixel++) {
        const to = pixel * channels, from = pixel * total + offset;
        for (let c = 0; c < channels; c++) dx[to + c] = at(dx, to + c) + at(dy, from + c);
      }
      offset += channels;
    }
  }
}

function channelsOf(shape: Shape): number {
  return shape.at(-1) ?? 1;
}
