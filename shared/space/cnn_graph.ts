/**
 * From a candidate of the CNN space to its layer graph.
 *
 * A block is convolution, skip connection, activation, pooling, dropout. What cannot fit is left out, so that every
 * candidate has a graph: a 2x2 pool over a map smaller than that, a dropout of rate 0. A skip connection goes round
 * the convolution, over a 1x1 convolution where the number of channels changes.
 *
 * @module
 */
import type { Candidate, Value } from "./candidate.ts";
import type { CnnSpace } from "./cnn.ts";
import { CNN_DEFAULTS } from "./cnn.ts";
import { GraphBuilder } from "./graph_builder.ts";
import type { LayerGraph, LayerNode } from "./layer_graph.ts";
import { isCandidate, isList, memberOf } from "./node.ts";

/** Side and stride of the pools between blocks. */
const POOL_SIZE = 2;

/** The network that a valid candidate of the space describes. */
export function cnnGraph(space: CnnSpace, candidate: Candidate): LayerGraph {
  const builder = new GraphBuilder(space.input ?? CNN_DEFAULTS.input);
  let node = builder.input;
  partsOf(candidate, "blocks").forEach((block, index) => {
    node = addBlock(builder, `block${index + 1}`, block, node);
  });
  const head = memberOf(candidate, "head");
  node = head === "average" || head === "max"
    ? builder.add("head", { op: "global_pool", kind: head }, node)
    : builder.add("head", { op: "flatten" }, node);
  partsOf(candidate, "dense").forEach((part, index) => {
    const id = `dense${index + 1}`;
    node = builder.add(id, { op: "dense", units: numberOf(part, "units") }, node);
    node = addActivation(builder, id, part, node);
    node = addDropout(builder, id, part, node);
  });
  node = builder.add("logits", { op: "dense", units: space.classes }, node);
  return builder.build(builder.add("output", { op: "softmax" }, node));
}

function addBlock(builder: GraphBuilder, id: string, block: Candidate, input: LayerNode): LayerNode {
  const filters = numberOf(block, "filters");
  const kernel = numberOf(block, "kernel");
  const convolution = (
    size: number,
  ) => ({ op: "conv2d", filters, kernel: size, stride: 1, padding: "same" } as const);
  let node = builder.add(`${id}_conv`, convolution(kernel), input);
  if (memberOf(block, "skip") === true) {
    const fits = input.shape[2] === filters;
    const shortcut = fits ? input : builder.add(`${id}_shortcut`, convolution(1), input);
    node = builder.add(`${id}_add`, { op: "add" }, node, shortcut);
  }
  node = addActivation(builder, id, block, node);
  const pool = memberOf(block, "pool");
  if (pool === "max" || pool === "average") node = builder.pool(`${id}_pool`, pool, POOL_SIZE, node);
  return addDropout(builder, id, block, node);
}

function addActivation(builder: GraphBuilder, id: string, part: Candidate, input: LayerNode): LayerNode {
  const kind = memberOf(part, "activation");
  switch (kind) {
    case "relu":
    case "elu":
    case "tanh":
    case "sigmoid":
      return builder.add(`${id}_${kind}`, { op: "activation", kind }, input);
    default:
      throw misfit("activation", kind);
  }
}

function addDropout(builder: GraphBuilder, id: string, part: Candidate, input: LayerNode): LayerNode {
  const rate = numberOf(part, "dropout");
  return rate === 0 ? input : builder.add(`${id}_dropout`, { op: "dropout", rate }, input);
}

function partsOf(candidate: Candidate, name: string): readonly Candidate[] {
  const value = memberOf(candidate, name);
  if (!isList(value) || !value.every(isCandidate)) throw misfit(name, value);
  return value;
}

function numberOf(part: Candidate, name: string): number {
  const value = memberOf(part, name);
  if (typeof value !== "number") throw misfit(name, value);
  return value;
}

function misfit(name: string, value: Value | undefined): RangeError {
  return new RangeError(
    `not a candidate of this space: ${name} is ${JSON.stringify(value)}; validate it first`,
  );
}
