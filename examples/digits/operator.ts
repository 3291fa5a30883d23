/**
 * Operators: what each kind of layer does to a batch, forwards and backwards.
 *
 * Promise: `backward` adds to gradients and never overwrites them, since several nodes may read one tensor and each
 * of them has its say. Whoever starts a backward pass clears the gradients first.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";
import { type Vector, zeros } from "./vector.ts";

/** The outputs of one node for a batch, image after image, and how the loss changes with each. */
export interface Tensor {
  readonly shape: Shape;
  /** Numbers of one image. */
  readonly size: number;
  readonly values: Vector;
  readonly gradient: Vector;
  /** False for the images themselves: nobody asks how the loss changes with a pixel. */
  readonly wantsGradient: boolean;
}

/** Trainable numbers and how the loss changes with each. */
export interface Parameter {
  readonly values: Vector;
  readonly gradient: Vector;
}

/** What holds for one pass over a batch. */
export interface Pass {
  /** Images in this batch; tensors may have room for more. */
  readonly count: number;
  /** Whether dropout is on. */
  readonly isTraining: boolean;
}

/** One layer, built for its place in a network. */
export interface Operator {
  readonly parameters: readonly Parameter[];
  /** Computes the output's values from the inputs' values. */
  forward(inputs: readonly Tensor[], output: Tensor, pass: Pass): void;
  /** Adds to the gradients of inputs and parameters, after `forward` on the same batch. */
  backward(inputs: readonly Tensor[], output: Tensor, pass: Pass): void;
}

/** An empty tensor with room for a batch. */
export function tensor(shape: Shape, batch: number, wantsGradient = true): Tensor {
  const size = sizeOf(shape);
  const gradient = zeros(wantsGradient ? size * batch : 0);
  return { shape, size, values: zeros(size * batch), gradient, wantsGradient };
}

/** Numbers that a shape holds. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** A parameter of zeros. */
export function parameter(length: number): Parameter {
  return { values: zeros(length), gradient: zeros(length) };
}

/** The only input of a layer that takes one. */
export function only(inputs: readonly Tensor[]): Tensor {
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    throw new Error(`this layer takes one input, not ${inputs.length}`);
  }
  return input;
}
