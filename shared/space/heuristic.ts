/**
 * A score of an architecture from its form alone, for trying out a search where nothing is trained.
 *
 * It is a heuristic and not a measurement: it rewards depth, width and connections, each with falling returns, and
 * charges for parameters. It says nothing about the accuracy that the network would reach.
 *
 * @module
 */
import type { LayerGraph } from "./layer_graph.ts";

/** The score of a graph and what it was made of. */
export interface Heuristic {
  /** Between 0 and 1; larger is better. */
  readonly score: number;
  /** Trainable numbers. */
  readonly parameters: number;
  /** Layers with parameters on the longest way from input to output. */
  readonly depth: number;
  /** Mean number of channels or features over the layers with parameters. */
  readonly width: number;
  /** Connections beyond the ones that a chain of the same layers would have. */
  readonly connectivity: number;
}

/** Where each term reaches half of what it can give; middling values for networks on images of 8x8. */
const HALF = { depth: 4, width: 16, connectivity: 2, parameters: 10_000 };
/** What each term can give at most; they add up to 1. */
const WEIGHT = { depth: 0.3, width: 0.25, connectivity: 0.15, parameters: 0.3 };

/** Scores a graph. Only additions, multiplications and divisions are used, so every machine gets the same score. */
export function heuristicScore(graph: LayerGraph): Heuristic {
  const depths = new Map<string, number>();
  let parameters = 0;
  let weighted = 0;
  let channels = 0;
  let connections = 0;
  let depth = 0;
  for (const node of graph.nodes) {
    const below = node.inputs.reduce((deepest, id) => Math.max(deepest, depths.get(id) ?? 0), 0);
    depth = below + (node.parameters > 0 ? 1 : 0);
    depths.set(node.id, depth);
    parameters += node.parameters;
    connections += node.inputs.length;
    if (node.parameters > 0) {
      weighted += 1;
      channels += node.shape.at(-1) ?? 0;
    }
  }
  const width = weighted === 0 ? 0 : channels / weighted;
  const connectivity = Math.max(0, connections - (graph.nodes.length - 1));
  const score = WEIGHT.depth * saturating(depth, HALF.depth) +
    WEIGHT.width * saturating(width, HALF.width) +
    WEIGHT.connectivity * saturating(connectivity, HALF.connectivity) +
    WEIGHT.parameters * (1 - saturating(parameters, HALF.parameters));
  return { score, parameters, depth, width, connectivity };
}

/** From 0 towards 1, a half at `half`. */
function saturating(value: number, half: number): number {
  return value / (value + half);
}
