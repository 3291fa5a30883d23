/**
 * What a layer makes of its inputs: output shape and number of parameters, or why it is impossible.
 *
 * @module
 */
import type { Layer, Shape } from "./layer_graph.ts";

/** What follows from a layer and the shapes that it takes. */
export interface LayerSize {
  readonly shape: Shape;
  /** Trainable numbers. */
  readonly parameters: number;
}

/** The size of a layer over inputs of these shapes; a text says why there is none. */
export function sizeLayer(layer: Layer, inputs: readonly Shape[]): LayerSize | string {
  const [first] = inputs;
  if (layer.op === "input") return inputs.length === 0 ? sizeInput(layer.shape) : "an input takes no inputs";
  if (first === undefined) return `${layer.op} needs an input`;
  if (layer.op === "add" || layer.op === "concat") return sizeJoin(layer.op, inputs, first);
  if (inputs.length > 1) return `${layer.op} takes one input, and has ${inputs.length}`;
  switch (layer.op) {
    case "conv2d":
      return sizeConvolution(layer, first);
    case "pool2d":
      return sizePool(layer, first);
    case "global_pool":
      return first.length === 3 ? unweighted(first.slice(2)) : needsMap(layer.op, first);
    case "dense": {
      const [features = 0] = first;
      if (first.length !== 1) {
        return `dense takes [features], and its input is ${formatShape(first)}; flatten it first`;
      }
      return isCount(layer.units)
        ? { shape: [layer.units], parameters: (features + 1) * layer.units }
        : `dense needs 1 unit or more, and has ${layer.units}`;
    }
    case "dropout":
      return layer.rate >= 0 && layer.rate < 1
        ? unweighted(first)
        : `a dropout rate is from 0 to below 1, not ${layer.rate}`;
    case "flatten":
      return unweighted([first.reduce((product, size) => product * size, 1)]);
    case "softmax":
      return first.length === 1
        ? unweighted(first)
        : `softmax takes [features], and its input is ${formatShape(first)}`;
    case "activation":
      return unweighted(first);
  }
}

/** A shape as people write it, such as `8x8x16`. */
export function formatShape(shape: Shape): string {
  return shape.join("x");
}

type Convolution = Extract<Layer, { readonly op: "conv2d" }>;
type Pool = Extract<Layer, { readonly op: "pool2d" }>;

function sizeInput(shape: Shape): LayerSize | string {
  const isPossible = (shape.length === 1 || shape.length === 3) && shape.every(isCount);
  return isPossible
    ? unweighted(shape)
    : `an input is [height, width, channels] or [features], whole numbers from 1, not [${shape.join(", ")}]`;
}

function sizeConvolution(layer: Convolution, input: Shape): LayerSize | string {
  const [height, width, channels] = input;
  const { filters, kernel, stride, padding } = layer;
  if (height === undefined || width === undefined || channels === undefined) return needsMap(layer.op, input);
  if (![filters, kernel, stride].every(isCount)) {
    return `conv2d needs filters, kernel and stride of 1 or more, not ${filters}, ${kernel}, ${stride}`;
  }
  const parameters = (kernel * kernel * channels + 1) * filters;
  if (padding === "same") {
    return { shape: [Math.ceil(height / stride), Math.ceil(width / stride), filters], parameters };
  }
  if (kernel > height || kernel > width) {
    return `a ${kernel}x${kernel} kernel does not fit into ${formatShape(input)} without padding`;
  }
  return { shape: [reduced(height, kernel, stride), reduced(width, kernel, stride), filters], parameters };
}

function sizePool(layer: Pool, input: Shape): LayerSize | string {
  const [height, width, channels] = input;
  const { size, stride } = layer;
  if (height === undefined || width === undefined || channels === undefined) return needsMap(layer.op, input);
  if (!isCount(size) || !isCount(stride)) {
    return `pool2d needs size and stride of 1 or more, not ${size}, ${stride}`;
  }
  if (size > height || size > width) return `a ${size}x${size} pool does not fit into ${formatShape(input)}`;
  return unweighted([reduced(height, size, stride), reduced(width, size, stride), channels]);
}

function sizeJoin(op: "add" | "concat", inputs: readonly Shape[], first: Shape): LayerSize | string {
  if (inputs.length < 2) return `${op} needs two inputs or more`;
  const axis = first.length - 1;
  const fits = (shape: Shape) =>
    shape.length === first.length &&
    shape.every((size, i) => size === first[i] || (op === "concat" && i === axis));
  if (!inputs.every(fits)) {
    const rule = op === "add" ? "equal shapes" : "shapes that differ in the last size only";
    return `${op} needs ${rule}, and its inputs are ${inputs.map(formatShape).join(" and ")}`;
  }
  if (op === "add") return unweighted(first);
  return unweighted([...first.slice(0, axis), inputs.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0)]);
}

function needsMap(op: string, input: Shape): string {
  return `${op} takes [height, width, channels], and its input is ${formatShape(input)}`;
}

function unweighted(shape: Shape): LayerSize {
  return { shape, parameters: 0 };
}

function reduced(size: number, window: number, stride: number): number {
  return Math.floor((size - window) / stride) + 1;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
