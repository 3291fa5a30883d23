/**
 * Layers: which operator stands for which layer of a graph.
 *
 * @module
 */
import type { Layer, Shape } from "../../shared/space/layer_graph.ts";
import { Activation } from "./activation.ts";
import { Convolution } from "./conv.ts";
import { Dense } from "./dense.ts";
import { Dropout } from "./dropout.ts";
import { Concatenation, Sum } from "./merge.ts";
import { type Operator, sizeOf } from "./operator.ts";
import { globalWindow, pool } from "./pool.ts";
import { fillUniform, type Random } from "./random.ts";
import { slidingWindow } from "./window.ts";

/** Where a layer stands: all that its operator depends on. */
export interface Place {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** Images in the largest batch. */
  readonly batch: number;
  /** Whether a rectifier follows, which halves the signal that the weights must make up for. */
  readonly isRectified: boolean;
  readonly random: Random;
}

/**
 * The operator of a layer, with its initial weights.
 *
 * @throws Error where the layer does not fit its place; the text says why
 */
export function buildOperator(layer: Layer, place: Place): Operator {
  const input = place.inputs[0];
  if (input === undefined) throw new Error("it has no input");
  switch (layer.op) {
    case "conv2d": {
      const convolution = new Convolution(layer, input, place.output);
      const area = layer.kernel * layer.kernel, channels = input.at(-1) ?? 1;
      fillUniform(
        convolution.weights.values,
        bound(area * channels, area * layer.filters, place),
        place.random,
      );
      return convolution;
    }
    case "dense": {
      const dense = new Dense(layer.units, input);
      fillUniform(dense.weights.values, bound(sizeOf(input), layer.units, place), place.random);
      return dense;
    }
    case "pool2d":
      return pool(layer.kind, slidingWindow(input, place.output, layer.size, layer.stride), place.batch);
    case "global_pool":
      return pool(layer.kind, globalWindow(input), place.batch);
    case "activation":
      return new Activation(layer.kind);
    case "dropout":
      return new Dropout(layer.rate, place.batch * sizeOf(place.output), place.random);
    case "flatten":
    case "add":
      return new Sum(place.inputs, place.output);
    case "concat":
      return new Concatenation(place.inputs, place.output);
    case "input":
    case "softmax":
      throw new Error(`${layer.op} stands in the middle`);
  }
}

/** The bound of uniform initial weights: He and others (2015) before a rectifier, else Glorot and Bengio (2010). */
function bound(fanIn: number, fanOut: number, { isRectified }: Place): number {
  return isRectified ? Math.sqrt(6 / fanIn) : Math.sqrt(6 / (fanIn + fanOut));
}
