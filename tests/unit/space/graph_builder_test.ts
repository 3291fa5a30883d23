import assert from "node:assert/strict";
import { buildGraph, GraphBuilder, GraphError, type LayerPlan } from "../../../shared/space/graph_builder.ts";
import type { Layer, Shape } from "../../../shared/space/layer_graph.ts";

const conv = (filters: number, kernel: number, padding: "same" | "valid" = "same", stride = 1): Layer => ({
  op: "conv2d",
  filters,
  kernel,
  stride,
  padding,
});
const input = (shape: Shape): LayerPlan => ({ id: "in", layer: { op: "input", shape }, inputs: [] });

function over(shape: Shape, layer: Layer): { readonly shape: Shape; readonly parameters: number } {
  const builder = new GraphBuilder(shape);
  return builder.add("layer", layer, builder.input);
}

Deno.test("shapes and parameter counts follow from the layers", () => {
  const size = (shape: Shape, layer: Layer) => {
    const node = over(shape, layer);
    return [node.shape, node.parameters];
  };
  assert.deepEqual(size([8, 8, 3], conv(16, 3)), [[8, 8, 16], (9 * 3 + 1) * 16]);
  assert.deepEqual(size([8, 7, 3], conv(4, 3, "same", 2)), [[4, 4, 4], (9 * 3 + 1) * 4]);
  assert.deepEqual(size([8, 8, 1], conv(2, 5, "valid")), [[4, 4, 2], 26 * 2]);
  assert.deepEqual(size([8, 8, 1], conv(2, 3, "valid", 2)), [[3, 3, 2], 10 * 2]);
  assert.deepEqual(size([7, 8, 2], { op: "pool2d", kind: "max", size: 2, stride: 2 }), [[3, 4, 2], 0]);
  assert.deepEqual(size([4, 4, 6], { op: "global_pool", kind: "average" }), [[6], 0]);
  assert.deepEqual(size([4, 4, 6], { op: "flatten" }), [[96], 0]);
  assert.deepEqual(size([5], { op: "dense", units: 3 }), [[3], 18]);
  assert.deepEqual(size([5], { op: "softmax" }), [[5], 0]);
});

Deno.test("a dense layer over a map gets a flatten before it", () => {
  const builder = new GraphBuilder([2, 2, 3]);
  const graph = builder.build(builder.add("out", { op: "dense", units: 4 }, builder.input));
  assert.deepEqual(graph.nodes.map((node) => [node.id, node.layer.op, node.inputs]), [
    ["input", "input", []],
    ["out_flatten", "flatten", ["input"]],
    ["out", "dense", ["out_flatten"]],
  ]);
});

Deno.test("a pool over a map smaller than its window is left out by pool, and refused by add", () => {
  const builder = new GraphBuilder([1, 4, 3]);
  assert.equal(builder.pool("pool", "max", 2, builder.input), builder.input);
  assert.throws(() => over([1, 4, 3], { op: "pool2d", kind: "max", size: 2, stride: 2 }), {
    name: "GraphError",
    message: "layer: a 2x2 pool does not fit into 1x4x3",
  });
});

Deno.test("an impossible layer is refused with its name and the shapes", () => {
  const refusals: readonly (readonly [Shape, Layer, string])[] = [
    [[8], conv(4, 3), "layer: conv2d takes [height, width, channels], and its input is 8"],
    [[2, 2, 1], conv(4, 3, "valid"), "layer: a 3x3 kernel does not fit into 2x2x1 without padding"],
    [[2, 2, 1], conv(0, 3), "layer: conv2d needs filters, kernel and stride of 1 or more, not 0, 3, 1"],
    [[2, 2, 1], { op: "softmax" }, "layer: softmax takes [features], and its input is 2x2x1"],
    [[4], { op: "dropout", rate: 1 }, "layer: a dropout rate is from 0 to below 1, not 1"],
    [[4], { op: "add" }, "layer: add needs two inputs or more"],
  ];
  for (const [shape, layer, message] of refusals) {
    assert.throws(() => over(shape, layer), { name: "GraphError", message });
  }
  assert.throws(() => new GraphBuilder([8, 8]), GraphError);
});

Deno.test("add needs equal shapes, concat shapes that differ in their last size only", () => {
  const builder = new GraphBuilder([4, 4, 2]);
  const wide = builder.add("wide", conv(6, 1), builder.input);
  const small = builder.add("small", conv(2, 1, "same", 2), builder.input);
  assert.deepEqual(builder.add("both", { op: "concat" }, builder.input, wide).shape, [4, 4, 8]);
  assert.throws(() => builder.add("sum", { op: "add" }, builder.input, wide), {
    message: "sum: add needs equal shapes, and its inputs are 4x4x2 and 4x4x6",
  });
  assert.throws(() => builder.add("join", { op: "concat" }, builder.input, small), GraphError);
});

Deno.test("layers that do not lead to the output are left out", () => {
  const builder = new GraphBuilder([4, 4, 2]);
  builder.add("dead_end", conv(6, 3), builder.input);
  const graph = builder.build(builder.add("out", { op: "flatten" }, builder.input));
  assert.deepEqual(graph.nodes.map((node) => node.id), ["input", "out"]);
});

Deno.test("a node of another builder and an id used twice are refused", () => {
  const builder = new GraphBuilder([4]);
  const other = new GraphBuilder([4], "other").input;
  assert.throws(() => builder.add("out", { op: "softmax" }, other), GraphError);
  builder.add("out", { op: "softmax" }, builder.input);
  assert.throws(() => builder.add("out", { op: "softmax" }, builder.input), {
    message: "out: the id is taken",
  });
});

Deno.test("a list of layers becomes a graph, or the first problem at its index", () => {
  const graph = buildGraph([input([2, 2, 1]), { id: "d", layer: { op: "dense", units: 3 }, inputs: ["in"] }]);
  assert.equal(graph.ok && graph.value.nodes.length, 3);
  const refusals: readonly (readonly [readonly LayerPlan[], string])[] = [
    [[], "a graph begins with its input"],
    [
      [input([2]), { id: "s", layer: { op: "softmax" }, inputs: ["later"] }],
      "s: there is no layer later before it",
    ],
    [[input([2]), input([2])], "in: a graph has one input"],
    [[input([2]), { id: "s", layer: { op: "softmax" }, inputs: [] }], "s: softmax needs an input"],
  ];
  for (const [plans, message] of refusals) {
    const result = buildGraph(plans);
    assert.deepEqual(result, { ok: false, error: { path: [Math.max(0, plans.length - 1)], message } });
  }
});
