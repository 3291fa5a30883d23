/**
 * The canonical text of a layer graph: equal exactly where two graphs have the same layers in the same wiring,
 * whatever their nodes are called and in whichever topological order they stand.
 *
 * @module
 */
import type { Layer, LayerGraph, LayerNode } from "./layer_graph.ts";

/**
 * Nodes are numbered in the order in which a walk back from the output, inputs in their order, leaves them; each is
 * written once, as its layer and its inputs' numbers, so shared nodes and equal twins stay apart.
 */
export function canonicalGraph(graph: LayerGraph): string {
  const nodes = new Map<string, LayerNode>();
  for (const node of graph.nodes) nodes.set(node.id, node);
  const numbers = new Map<string, number>();
  let text = "";
  function visit(id: string): number {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id);
    if (node === undefined) throw new RangeError(`the graph has no node ${id}`);
    let inputs = "";
    for (const input of node.inputs) inputs += `,${visit(input)}`;
    text += `${layerText(node.layer)}${inputs};`;
    numbers.set(id, numbers.size);
    return numbers.size - 1;
  }
  const output = graph.nodes.at(-1);
  if (output !== undefined) visit(output.id);
  return text;
}

function layerText(layer: Layer): string {
  switch (layer.op) {
    case "input":
      return `input ${layer.shape.join("x")}`;
    case "conv2d":
      return `conv2d ${layer.filters} ${layer.kernel} ${layer.stride} ${layer.padding}`;
    case "pool2d":
      return `pool2d ${layer.kind} ${layer.size} ${layer.stride}`;
    case "global_pool":
    case "activation":
      return `${layer.op} ${layer.kind}`;
    case "dense":
      return `dense ${layer.units}`;
    case "dropout":
      return `dropout ${layer.rate}`;
    case "flatten":
    case "add":
    case "concat":
    case "softmax":
      return layer.op;
  }
}
