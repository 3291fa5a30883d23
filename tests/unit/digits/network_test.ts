import assert from "node:assert/strict";
import { Network } from "../../../examples/digits/network.ts";
import { seededRandom } from "../../../examples/digits/random.ts";
import type { LayerGraph } from "../../../shared/space/layer_graph.ts";
import { chain, convolution, noise, REFERENCE } from "./sketch.ts";

const { images } = noise(4, 64, 10, seededRandom(3, "images"));

Deno.test("the same seed gives the same weights, another seed others", () => {
  const weights = (seed: number) =>
    new Network(REFERENCE, { batch: 1, seed }).parameters.map(({ values }) => values);
  assert.deepEqual(weights(1), weights(1));
  assert.notDeepEqual(weights(1), weights(2));
});

Deno.test("a network has as many parameters as its graph says", () => {
  const counted = REFERENCE.nodes.reduce((sum, node) => sum + node.parameters, 0);
  assert.equal(new Network(REFERENCE, { batch: 1, seed: 1 }).size, counted);
});

Deno.test("dropout leaves numbers out while training and is off in evaluation", () => {
  const graph = chain([8, 8, 1], [{ op: "dropout", rate: 0.5 }], 10);
  const network = new Network(graph, { batch: 4, seed: 1 });
  const without = new Network(chain([8, 8, 1], [], 10), { batch: 4, seed: 1 });
  without.parameters.forEach(({ values }, i) => values.set(network.parameters[i]?.values ?? []));
  network.images.set(images);
  without.images.set(images);
  const evaluated = network.forward(4, false).slice();
  assert.deepEqual(evaluated, without.forward(4, false));
  const trained = network.forward(4, true).slice();
  assert.notDeepEqual(trained, evaluated);
  assert.notDeepEqual(network.forward(4, true), trained, "each pass draws anew");
  assert.deepEqual(network.forward(4, false), evaluated);
});

Deno.test("the probabilities of an image add up to one, whatever the scores", () => {
  const network = new Network(REFERENCE, { batch: 4, seed: 1 });
  network.images.set(images.map((pixel) => pixel * 1e4));
  const probabilities = network.forward(4, false);
  for (let image = 0; image < 4; image++) {
    const sum = probabilities.subarray(image * 10, image * 10 + 10).reduce(
      (total, value) => total + value,
      0,
    );
    assert.ok(Math.abs(sum - 1) < 1e-12);
  }
});

Deno.test("what a batch holds beyond its count changes nothing", () => {
  const whole = new Network(REFERENCE, { batch: 4, seed: 1 }),
    part = new Network(REFERENCE, { batch: 4, seed: 1 });
  whole.images.set(images);
  const expected = whole.forward(4, false).slice(0, 20);
  part.images.set(images.subarray(0, 128));
  part.images.fill(1e6, 128);
  assert.deepEqual(part.forward(2, false).slice(0, 20), expected);
});

Deno.test("a graph that cannot be built is refused, and the layer named", () => {
  const network = (graph: LayerGraph) => new Network(graph, { batch: 1, seed: 1 });
  assert.throws(() => network({ nodes: REFERENCE.nodes.slice(0, -1) }), /ends with a softmax/);
  const misshapen = chain([8, 8, 1], [convolution(2, 3)], 10).nodes.map((node) =>
    node.id === "layer1" ? { ...node, shape: [7, 7, 2] } : node
  );
  assert.throws(() => network({ nodes: misshapen }), /layer layer1 cannot be built: a window of 3/);
  const [input, , ...rest] = REFERENCE.nodes;
  assert.ok(input !== undefined);
  assert.throws(() => network({ nodes: [input, ...rest] }), /layer layer2 reads layer1/);
});
