/**
 * Small graphs and datasets for the tests of the digits example.
 *
 * @module
 */
import type { Dataset } from "../../../examples/digits/dataset.ts";
import { fillUniform, type Random } from "../../../examples/digits/random.ts";
import { zeros } from "../../../examples/digits/vector.ts";
import { buildGraph, type LayerPlan } from "../../../shared/space/graph_builder.ts";
import type { Layer, LayerGraph, Shape } from "../../../shared/space/layer_graph.ts";

/** A graph from layers with their names and inputs. */
export function graphOf(plans: readonly LayerPlan[]): LayerGraph {
  const built = buildGraph(plans);
  if (!built.ok) throw new Error(built.error.message);
  return built.value;
}

/** A graph of layers that follow one another, from the input to a dense layer and a softmax. */
export function chain(input: Shape, layers: readonly Layer[], classes: number): LayerGraph {
  const all: readonly Layer[] = [
    { op: "input", shape: input },
    ...layers,
    { op: "dense", units: classes },
    { op: "softmax" },
  ];
  return graphOf(
    all.map((layer, i) => ({ id: `layer${i}`, layer, inputs: i === 0 ? [] : [`layer${i - 1}`] })),
  );
}

/** A convolution with zero padding. */
export function convolution(filters: number, kernel: number): Layer {
  return { op: "conv2d", filters, kernel, stride: 1, padding: "same" };
}

/** Twelve filters, a pool and a dense layer: what a person would try first on 8 x 8 digits. */
export const REFERENCE: LayerGraph = chain([8, 8, 1], [
  convolution(12, 3),
  { op: "activation", kind: "relu" },
  { op: "pool2d", kind: "max", size: 2, stride: 2 },
  convolution(24, 3),
  { op: "activation", kind: "relu" },
  { op: "dropout", rate: 0.1 },
], 10);

/** Images of random pixels in (-1, 1), with random labels. */
export function noise(count: number, size: number, classes: number, random: Random): Dataset {
  const images = zeros(count * size);
  fillUniform(images, 1, random);
  const labels = new Uint8Array(count).map(() => Math.floor(random() * classes));
  return { count, images, labels };
}
