/**
 * A layer graph as text, for people.
 *
 * @module
 */
import type { Layer, LayerGraph } from "./layer_graph.ts";
import { formatShape } from "./layer_shape.ts";

/**
 * Draws a graph, a line for each layer; `from` names the inputs where they are not simply the layer above.
 * The text depends on the layers and their wiring alone, not on the names of the nodes.
 *
 * @example
 * ```text
 *  #  layer                  output   parameters
 *  1  input                  8x8x1             0
 *  2  conv2d 4, 3x3, same    8x8x4            40
 *  3  conv2d 4, 1x1, same    8x8x4             8  from 1
 *  4  add                    8x8x4             0  from 2, 3
 *  5  relu                   8x8x4             0
 *  6  global average pool    4                 0
 *  7  dense 10               10               50
 *  8  softmax                10                0
 *
 * 8 layers, 98 parameters
 * ```
 */
export function describeArchitecture(graph: LayerGraph): string {
  const numbers = new Map(graph.nodes.map((node, index) => [node.id, index + 1]));
  const rows = graph.nodes.map((node, index) => {
    const inputs = node.inputs.map((id) => numbers.get(id) ?? 0);
    const isNext = inputs.length === 0 || (inputs.length === 1 && inputs[0] === index);
    return [
      String(index + 1),
      describeLayer(node.layer),
      formatShape(node.shape),
      grouped(node.parameters),
      isNext ? "" : `from ${inputs.join(", ")}`,
    ];
  });
  const total = graph.nodes.reduce((sum, node) => sum + node.parameters, 0);
  const table = layOut([["#", "layer", "output", "parameters", ""], ...rows]);
  return `${table}\n\n${grouped(graph.nodes.length)} layers, ${grouped(total)} parameters`;
}

/** A layer in a few words, without its place. */
export function describeLayer(layer: Layer): string {
  switch (layer.op) {
    case "conv2d": {
      const stride = layer.stride === 1 ? "" : `, stride ${layer.stride}`;
      return `conv2d ${layer.filters}, ${layer.kernel}x${layer.kernel}, ${layer.padding}${stride}`;
    }
    case "pool2d": {
      const stride = layer.stride === layer.size ? "" : `, stride ${layer.stride}`;
      return `${layer.kind} pool ${layer.size}x${layer.size}${stride}`;
    }
    case "global_pool":
      return `global ${layer.kind} pool`;
    case "dense":
      return `dense ${layer.units}`;
    case "activation":
      return layer.kind;
    case "dropout":
      return `dropout ${layer.rate}`;
    case "input":
    case "flatten":
    case "add":
    case "concat":
    case "softmax":
      return layer.op;
  }
}

/** Columns of numbers stand to the right, the others to the left. */
const RIGHT_ALIGNED: ReadonlySet<number> = new Set([0, 3]);

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return RIGHT_ALIGNED.has(column) ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  ).join("\n");
}

/** Thousands apart, in the same way on every machine whatever its language. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
