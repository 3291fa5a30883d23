import assert from "node:assert/strict";
import type { Dataset } from "../../../examples/digits/dataset.ts";
import { Network } from "../../../examples/digits/network.ts";
import { fillUniform, seededRandom } from "../../../examples/digits/random.ts";
import { at } from "../../../examples/digits/vector.ts";
import type { Layer, LayerGraph } from "../../../shared/space/layer_graph.ts";
import { chain, convolution, graphOf, noise } from "./sketch.ts";

const CLASSES = 3;
const BATCH = 3;
const STEP = 1e-5;
const TOLERANCE = 1e-7;

// The convolution before each layer has gradients only if the layer hands them back rightly.
const LAYERS: Readonly<Record<string, readonly Layer[]>> = {
  "a padded convolution": [convolution(2, 3), convolution(3, 3)],
  "a convolution wider than its image": [convolution(2, 3), convolution(2, 5), convolution(2, 7)],
  "a pointwise convolution": [convolution(2, 3), convolution(3, 1)],
  "a convolution without padding": [
    convolution(2, 3),
    { op: "conv2d", filters: 3, kernel: 3, stride: 1, padding: "valid" },
  ],
  "a padded convolution with stride": [
    convolution(2, 3),
    { op: "conv2d", filters: 3, kernel: 3, stride: 2, padding: "same" },
  ],
  "a convolution with stride and without padding": [
    convolution(2, 3),
    { op: "conv2d", filters: 2, kernel: 2, stride: 2, padding: "valid" },
  ],
  "a max pool": [convolution(2, 3), { op: "pool2d", kind: "max", size: 2, stride: 2 }],
  "an average pool": [convolution(2, 3), { op: "pool2d", kind: "average", size: 2, stride: 2 }],
  "a max pool of overlapping windows": [convolution(2, 3), { op: "pool2d", kind: "max", size: 3, stride: 1 }],
  "an average pool of overlapping windows": [convolution(2, 3), {
    op: "pool2d",
    kind: "average",
    size: 3,
    stride: 1,
  }],
  "a global max pool": [convolution(3, 3), { op: "global_pool", kind: "max" }],
  "a global average pool": [convolution(3, 3), { op: "global_pool", kind: "average" }],
  "a dense layer": [convolution(2, 3), { op: "flatten" }, { op: "dense", units: 5 }, {
    op: "dense",
    units: 4,
  }],
  "relu": [convolution(2, 3), { op: "activation", kind: "relu" }],
  "elu": [convolution(2, 3), { op: "activation", kind: "elu" }],
  "tanh": [convolution(2, 3), { op: "activation", kind: "tanh" }],
  "sigmoid": [convolution(2, 3), { op: "activation", kind: "sigmoid" }],
  "dropout": [convolution(2, 3), { op: "dropout", rate: 0.4 }],
};

for (const [name, layers] of Object.entries(LAYERS)) {
  Deno.test(`the gradients of ${name} are those of finite differences`, () => {
    checkGradients(chain([5, 5, 2], layers, CLASSES));
  });
}

Deno.test("the gradients of a sum of branches are those of finite differences", () => {
  checkGradients(graphOf([
    { id: "in", layer: { op: "input", shape: [4, 4, 2] }, inputs: [] },
    { id: "stem", layer: convolution(3, 3), inputs: ["in"] },
    { id: "left", layer: convolution(3, 3), inputs: ["stem"] },
    { id: "bend", layer: { op: "activation", kind: "tanh" }, inputs: ["left"] },
    { id: "right", layer: convolution(3, 1), inputs: ["in"] },
    { id: "sum", layer: { op: "add" }, inputs: ["stem", "bend", "right"] },
    { id: "scores", layer: { op: "dense", units: CLASSES }, inputs: ["sum"] },
    { id: "out", layer: { op: "softmax" }, inputs: ["scores"] },
  ]));
});

Deno.test("the gradients of a concatenation of branches are those of finite differences", () => {
  checkGradients(graphOf([
    { id: "in", layer: { op: "input", shape: [4, 4, 2] }, inputs: [] },
    { id: "one", layer: convolution(2, 3), inputs: ["in"] },
    { id: "two", layer: convolution(3, 1), inputs: ["one"] },
    { id: "both", layer: { op: "concat" }, inputs: ["one", "in", "two", "one"] },
    { id: "pool", layer: { op: "global_pool", kind: "average" }, inputs: ["both"] },
    { id: "scores", layer: { op: "dense", units: CLASSES }, inputs: ["pool"] },
    { id: "out", layer: { op: "softmax" }, inputs: ["scores"] },
  ]));
});

Deno.test("the gradients of a network with branches inside branches are those of finite differences", () => {
  checkGradients(graphOf([
    { id: "in", layer: { op: "input", shape: [6, 6, 1] }, inputs: [] },
    { id: "stem", layer: convolution(3, 3), inputs: ["in"] },
    { id: "bend", layer: { op: "activation", kind: "elu" }, inputs: ["stem"] },
    { id: "a", layer: convolution(3, 5), inputs: ["bend"] },
    { id: "sum", layer: { op: "add" }, inputs: ["a", "bend"] },
    { id: "wide", layer: { op: "concat" }, inputs: ["sum", "bend"] },
    { id: "pool", layer: { op: "pool2d", kind: "average", size: 2, stride: 2 }, inputs: ["wide"] },
    { id: "drop", layer: { op: "dropout", rate: 0.25 }, inputs: ["pool"] },
    { id: "hidden", layer: { op: "dense", units: 5 }, inputs: ["drop"] },
    { id: "bend2", layer: { op: "activation", kind: "sigmoid" }, inputs: ["hidden"] },
    { id: "scores", layer: { op: "dense", units: CLASSES }, inputs: ["bend2"] },
    { id: "out", layer: { op: "softmax" }, inputs: ["scores"] },
  ]));
});

function checkGradients(graph: LayerGraph): void {
  const size = graph.nodes[0]?.shape.reduce((product, side) => product * side, 1) ?? 0;
  const batch = noise(BATCH, size, CLASSES, seededRandom(1, "batch"));
  const { parameters } = lossOf(graph, batch);
  parameters.forEach(({ gradient }, parameter) => {
    for (let i = 0; i < gradient.length; i++) {
      const above = lossOf(graph, batch, { parameter, i, by: STEP }).loss;
      const below = lossOf(graph, batch, { parameter, i, by: -STEP }).loss;
      const difference = (above - below) / (2 * STEP);
      const error = Math.abs(difference - at(gradient, i));
      assert.ok(
        error < TOLERANCE,
        `parameter ${parameter}[${i}]: gradient ${gradient[i]}, difference ${difference}`,
      );
    }
  });
}

/** A network anew each time, since dropout draws another mask with every pass. */
function lossOf(graph: LayerGraph, batch: Dataset, change?: { parameter: number; i: number; by: number }) {
  const network = new Network(graph, { batch: BATCH, seed: 5 });
  // Biases away from zero: where a rectifier has its bend, no difference tells the gradient.
  const random = seededRandom(2, "weights");
  for (const { values } of network.parameters) fillUniform(values, 0.7, random);
  const values = network.parameters[change?.parameter ?? 0]?.values;
  assert.ok(values !== undefined);
  if (change !== undefined) values[change.i] = at(values, change.i) + change.by;
  network.images.set(batch.images);
  network.forward(BATCH, true);
  const loss = network.loss(batch.labels, BATCH);
  if (change === undefined) network.backward(batch.labels, BATCH);
  return { loss, parameters: network.parameters };
}
