import assert from "node:assert/strict";
import { describeArchitecture } from "../../../shared/space/describe_architecture.ts";
import { GraphBuilder } from "../../../shared/space/graph_builder.ts";
import type { LayerGraph } from "../../../shared/space/layer_graph.ts";

function residual(prefix: string): LayerGraph {
  const builder = new GraphBuilder([8, 8, 1], `${prefix}in`);
  const conv = (id: string, kernel: number) =>
    builder.add(
      `${prefix}${id}`,
      { op: "conv2d", filters: 40, kernel, stride: 1, padding: "same" },
      builder.input,
    );
  let node = builder.add(`${prefix}add`, { op: "add" }, conv("conv", 3), conv("shortcut", 1));
  node = builder.add(`${prefix}relu`, { op: "activation", kind: "relu" }, node);
  node = builder.pool(`${prefix}pool`, "max", 2, node);
  node = builder.add(`${prefix}logits`, { op: "dense", units: 10 }, node);
  return builder.build(builder.add(`${prefix}out`, { op: "softmax" }, node));
}

Deno.test("an architecture is drawn with its layers, shapes, parameters and the wiring that is no chain", () => {
  assert.equal(
    describeArchitecture(residual("")),
    [
      "#  layer                 output  parameters",
      "1  input                 8x8x1            0",
      "2  conv2d 40, 3x3, same  8x8x40         400",
      "3  conv2d 40, 1x1, same  8x8x40          80  from 1",
      "4  add                   8x8x40           0  from 2, 3",
      "5  relu                  8x8x40           0",
      "6  max pool 2x2          4x4x40           0",
      "7  flatten               640              0",
      "8  dense 10              10           6,410",
      "9  softmax               10               0",
      "",
      "9 layers, 6,890 parameters",
    ].join("\n"),
  );
});

Deno.test("the drawing does not depend on what the nodes are called", () => {
  assert.equal(describeArchitecture(residual("a")), describeArchitecture(residual("b")));
});
