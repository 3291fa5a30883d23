import assert from "node:assert/strict";
import { seededRandom } from "../../../shared/actor/random.ts";
import type { Candidate, Value } from "../../../shared/space/candidate.ts";
import type { LayerGraph } from "../../../shared/space/layer_graph.ts";
import {
  type CnnOptions,
  cnnSpace,
  compileSpace,
  formatProblem,
  type SearchSpace,
} from "../../../shared/space/space.ts";

function cnn(options: Partial<CnnOptions> = {}): SearchSpace {
  const result = compileSpace(cnnSpace({ classes: 10, ...options }));
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
}

const plain = { filters: 8, kernel: 3, skip: false, activation: "relu", pool: "none", dropout: 0 };
const training = { learning_rate: 0.01, batch_size: 32, optimizer: "adam" };

function candidate(blocks: readonly Candidate[], more: Candidate = {}): Candidate {
  return { blocks, head: "flatten", dense: [], ...training, ...more };
}

function graphOf(space: SearchSpace, point: Candidate): LayerGraph {
  assert.deepEqual(space.validate(point).map(formatProblem), []);
  const graph = space.decode(point);
  if (graph === undefined) throw new Error("a cnn has an architecture");
  return graph;
}

function ops(graph: LayerGraph): readonly string[] {
  return graph.nodes.map((node) => `${node.layer.op} ${node.shape.join("x")}`);
}

Deno.test("a block is convolution, activation, pooling and dropout, and the head ends in a softmax", () => {
  const graph = graphOf(cnn(), candidate([{ ...plain, pool: "max", dropout: 0.1 }]));
  assert.deepEqual(ops(graph), [
    "input 8x8x1",
    "conv2d 8x8x8",
    "activation 8x8x8",
    "pool2d 4x4x8",
    "dropout 4x4x8",
    "flatten 128",
    "dense 10",
    "softmax 10",
  ]);
});

Deno.test("a skip connection goes over a 1x1 convolution exactly where the channels change", () => {
  const graph = graphOf(cnn(), candidate([{ ...plain, skip: true }, { ...plain, skip: true }]));
  const adds = graph.nodes.filter((node) => node.layer.op === "add");
  assert.deepEqual(adds.map((node) => node.inputs), [
    ["block1_conv", "block1_shortcut"],
    ["block2_conv", "block1_relu"],
  ]);
});

Deno.test("a global pool and dense layers make another head", () => {
  const dense = [{ units: 16, activation: "tanh", dropout: 0.25 }];
  const graph = graphOf(cnn(), candidate([plain], { head: "average", dense }));
  assert.deepEqual(ops(graph).slice(3), [
    "global_pool 8",
    "dense 16",
    "activation 16",
    "dropout 16",
    "dense 10",
    "softmax 10",
  ]);
});

Deno.test("a pool that no longer fits is left out, and then changes nothing in the hash", () => {
  const space = cnn({ input: [2, 2, 1] });
  const pooled = { ...plain, pool: "max" };
  const twice = candidate([pooled, pooled]);
  assert.equal(graphOf(space, twice).nodes.filter((node) => node.layer.op === "pool2d").length, 1);
  assert.equal(space.hash(twice), space.hash(candidate([pooled, plain])));
  assert.notEqual(space.hash(twice), space.hash(candidate([plain, plain])));
});

Deno.test("the hash depends on the graph and on the values beside it", () => {
  const space = cnn({ parameters: { decay: { type: "choice", options: [0, 1] } } });
  const point = (more: Candidate) => candidate([plain], { decay: 0, ...more });
  const different: readonly Record<string, Value>[] = [
    {},
    { learning_rate: 0.02 },
    { batch_size: 16 },
    { optimizer: "sgd" },
    { decay: 1 },
    { head: "average" },
    { blocks: [{ ...plain, kernel: 5 }] },
    { blocks: [{ ...plain, skip: true }] },
    { blocks: [plain, plain] },
  ];
  assert.equal(new Set(different.map((more) => space.hash(point(more)))).size, different.length);
});

Deno.test("the hash of an architecture stays what it was when it was stored", () => {
  // A changed hash would let a restarted search propose again what it has tried.
  const space = cnn();
  assert.equal(
    space.hash(candidate([{ ...plain, skip: true, pool: "max", dropout: 0.1 }])),
    "c4ad664ee429b31b86898c198bf98e49",
  );
});

Deno.test("every candidate of the default space decodes to a small graph", () => {
  const space = cnn();
  const random = seededRandom(1);
  for (let i = 0; i < 1_000; i++) {
    const graph = graphOf(space, space.sample(random));
    const parameters = graph.nodes.reduce((sum, node) => sum + node.parameters, 0);
    assert.ok(parameters < 150_000, String(parameters));
    assert.deepEqual(graph.nodes.at(-1)?.shape, [10]);
  }
});

Deno.test("the options bound the candidates", () => {
  const space = cnn({
    classes: 2,
    input: [28, 28, 3],
    blocks: { min: 2, max: 2 },
    filters: [5],
    skips: false,
    heads: ["max"],
  });
  const random = seededRandom(1);
  for (let i = 0; i < 50; i++) {
    const graph = graphOf(space, space.sample(random));
    const convolutions = graph.nodes.filter((node) => node.layer.op === "conv2d");
    assert.deepEqual(convolutions.map((node) => node.shape.at(-1)), [5, 5]);
    assert.deepEqual(graph.nodes[0]?.shape, [28, 28, 3]);
    assert.deepEqual(graph.nodes.at(-1)?.shape, [2]);
  }
});

Deno.test("further parameters may look at the training ones, and may not replace the network's", () => {
  const momentum = {
    type: "real",
    min: 0,
    max: 0.9,
    when: { parameter: "optimizer", equals: "sgd" },
  } as const;
  const space = cnn({ parameters: { momentum } });
  assert.deepEqual(space.validate(candidate([plain], { optimizer: "sgd", momentum: 0.5 })), []);
  assert.equal(space.validate(candidate([plain], { momentum: 0.5 })).length, 1);
  const taken = compileSpace(cnnSpace({ classes: 10, parameters: { blocks: momentum } }));
  assert.equal(taken.ok, false);
});
