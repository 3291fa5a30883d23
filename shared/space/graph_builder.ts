/**
 * Building layer graphs: shapes and parameter counts are worked out, impossible graphs refused.
 *
 * Promise: a built graph has one input, which comes first, and one output, which comes last and which every node
 * leads to.
 *
 * @module
 */
import type { Layer, LayerGraph, LayerNode, Shape } from "./layer_graph.ts";
import { sizeLayer } from "./layer_shape.ts";
import type { Problem, Result } from "./problem.ts";

/** A graph that cannot be: a bug of whoever builds it layer by layer. The message names the node. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/**
 * Builds a graph layer by layer.
 *
 * @example
 * ```ts
 * import { GraphBuilder } from "./graph_builder.ts";
 *
 * const builder = new GraphBuilder([8, 8, 1]);
 * const conv = builder.add("conv", { op: "conv2d", filters: 4, kernel: 3, stride: 1, padding: "same" }, builder.input);
 * const logits = builder.add("logits", { op: "dense", units: 10 }, conv); // a flatten is put in between
 * const graph = builder.build(builder.add("output", { op: "softmax" }, logits));
 * ```
 */
export class GraphBuilder {
  /** The node that every graph begins with. */
  readonly input: LayerNode;
  readonly #nodes: LayerNode[] = [];
  readonly #ids = new Set<string>();

  /** @throws {GraphError} where there can be no input of this shape */
  constructor(shape: Shape, id = "input") {
    this.input = this.#append(id, { op: "input", shape }, []);
  }

  /**
   * Adds a layer over nodes of this builder. A dense layer over a map gets a flatten before it, of the id
   * `<id>_flatten`.
   *
   * @throws {GraphError} where the layer cannot take inputs of these shapes, or the id is taken
   */
  add(id: string, layer: Layer, ...inputs: readonly LayerNode[]): LayerNode {
    const [first] = inputs;
    if (layer.op === "dense" && inputs.length === 1 && first !== undefined && first.shape.length > 1) {
      return this.#append(id, layer, [this.#append(`${id}_flatten`, { op: "flatten" }, [first])]);
    }
    return this.#append(id, layer, inputs);
  }

  /**
   * Pools by `size`, at a stride of the same size. A map smaller than the window is left as it is, so that deep
   * candidates stay possible on small images.
   */
  pool(id: string, kind: "max" | "average", size: number, input: LayerNode): LayerNode {
    const [height = 0, width = 0] = input.shape;
    if (input.shape.length === 3 && (height < size || width < size)) return input;
    return this.add(id, { op: "pool2d", kind, size, stride: size }, input);
  }

  /**
   * The graph that ends in `output`; layers that do not lead there are left out.
   *
   * @throws {GraphError} where the output does not depend on the input
   */
  build(output: LayerNode): LayerGraph {
    const needed = new Set([output.id]);
    const nodes: LayerNode[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!needed.has(node.id)) continue;
      nodes.push(node);
      for (const id of node.inputs) needed.add(id);
    }
    if (!needed.has(this.input.id)) throw new GraphError(`${output.id} is no node of this graph`);
    return { nodes: nodes.reverse() };
  }

  #append(id: string, layer: Layer, inputs: readonly LayerNode[]): LayerNode {
    if (this.#ids.has(id)) throw new GraphError(`${id}: the id is taken`);
    const stranger = inputs.find((input) => !this.#ids.has(input.id));
    if (stranger !== undefined) {
      throw new GraphError(`${id}: its input ${stranger.id} is no node of this graph`);
    }
    const size = sizeLayer(layer, inputs.map((input) => input.shape));
    if (typeof size === "string") throw new GraphError(`${id}: ${size}`);
    const node = {
      id,
      layer,
      inputs: inputs.map((input) => input.id),
      shape: size.shape,
      parameters: size.parameters,
    };
    this.#ids.add(id);
    this.#nodes.push(node);
    return node;
  }
}

/** A layer in its place, shapes still to be worked out. */
export interface LayerPlan {
  readonly id: string;
  readonly layer: Layer;
  readonly inputs: readonly string[];
}

/**
 * Builds a graph from a list in topological order: the input first, the output last. A dense layer over a map gets
 * a flatten before it.
 *
 * @returns the graph, or the first problem, at the index of its layer
 */
export function buildGraph(plans: readonly LayerPlan[]): Result<LayerGraph, Problem> {
  const [first, ...rest] = plans;
  if (first?.layer.op !== "input") return refuse(0, "a graph begins with its input");
  let index = 0;
  try {
    const builder = new GraphBuilder(first.layer.shape, first.id);
    const byId = new Map([[first.id, builder.input]]);
    let output = builder.input;
    for (const plan of rest) {
      index += 1;
      if (plan.layer.op === "input") return refuse(index, `${plan.id}: a graph has one input`);
      const inputs: LayerNode[] = [];
      for (const id of plan.inputs) {
        const input = byId.get(id);
        if (input === undefined) return refuse(index, `${plan.id}: there is no layer ${id} before it`);
        inputs.push(input);
      }
      output = builder.add(plan.id, plan.layer, ...inputs);
      byId.set(plan.id, output);
    }
    return { ok: true, value: builder.build(output) };
  } catch (error) {
    if (error instanceof GraphError) return refuse(index, error.message);
    throw error;
  }
}

function refuse(index: number, message: string): Result<never, Problem> {
  return { ok: false, error: { path: [index], message } };
}
