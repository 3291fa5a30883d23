/**
 * The space of NAS-Bench-201: cells of four nodes with an operation on each of six edges, 15,625 in all.
 *
 * Source: Dong and Yang (2020), "NAS-Bench-201: extending the scope of reproducible neural architecture search",
 * ICLR. Every cell of it was trained once, so that a search can be measured without any training.
 * Not here: the results (whoever has the table reads it).
 *
 * @module
 */
import { choice, parameters } from "./builders.ts";
import type { ParametersSpace } from "./parameter.ts";

/** What may stand on an edge. */
export const NAS_BENCH_201_OPERATIONS = [
  "none",
  "skip_connect",
  "conv_1x1",
  "conv_3x3",
  "avg_pool_3x3",
] as const;

/** The edges, from node to node, in the order in which the published tables have them. */
export const NAS_BENCH_201_EDGES = [
  "edge_0_1",
  "edge_0_2",
  "edge_1_2",
  "edge_0_3",
  "edge_1_3",
  "edge_2_3",
] as const;

/**
 * The cells of NAS-Bench-201, with a choice for each edge.
 *
 * @example
 * ```ts
 * import { nasBench201Space } from "./nas_bench_201.ts";
 * export default nasBench201Space();
 * ```
 */
export function nasBench201Space(): ParametersSpace {
  return parameters(
    Object.fromEntries(NAS_BENCH_201_EDGES.map((edge) => [edge, choice(NAS_BENCH_201_OPERATIONS)])),
  );
}
