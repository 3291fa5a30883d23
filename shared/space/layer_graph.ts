/**
 * The layer graph: what an architecture is, whoever builds or trains it.
 *
 * Promise: plain data; nodes stand in topological order; each node's shape and parameter count follow from its
 * layer and its inputs.
 *
 * @module
 */

/** Output shape of a node, without the batch: [height, width, channels] or [features]. */
export type Shape = readonly number[];

/** One operation on tensors. Strides and sizes are square; `same` pads as TensorFlow does. */
export type Layer =
  | { readonly op: "input"; readonly shape: Shape }
  | {
    readonly op: "conv2d";
    readonly filters: number;
    readonly kernel: number;
    readonly stride: number;
    readonly padding: "same" | "valid";
  }
  | {
    readonly op: "pool2d";
    readonly kind: "max" | "average";
    readonly size: number;
    readonly stride: number;
  }
  | { readonly op: "global_pool"; readonly kind: "max" | "average" }
  | { readonly op: "dense"; readonly units: number }
  | { readonly op: "activation"; readonly kind: "relu" | "elu" | "tanh" | "sigmoid" }
  | { readonly op: "dropout"; readonly rate: number }
  | { readonly op: "flatten" }
  | { readonly op: "add" }
  | { readonly op: "concat" }
  | { readonly op: "softmax" };

/** One layer in its place. */
export interface LayerNode {
  readonly id: string;
  readonly layer: Layer;
  /** Ids of the nodes whose outputs it takes; empty for the input. */
  readonly inputs: readonly string[];
  readonly shape: Shape;
  /** Trainable numbers of this node. */
  readonly parameters: number;
}

/** A directed acyclic graph of layers with one input and one output. */
export interface LayerGraph {
  /** In topological order: the input first, the output last. */
  readonly nodes: readonly LayerNode[];
}
