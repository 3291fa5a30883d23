import assert from "node:assert/strict";
import { GraphBuilder } from "../../../shared/space/graph_builder.ts";
import { type Heuristic, heuristicScore } from "../../../shared/space/heuristic.ts";

function score(filters: readonly number[], skips = false): Heuristic {
  const builder = new GraphBuilder([8, 8, 4]);
  let node = builder.input;
  filters.forEach((count, index) => {
    const conv = { op: "conv2d", filters: count, kernel: 3, stride: 1, padding: "same" } as const;
    const next = builder.add(`conv${index}`, conv, node);
    node = skips ? builder.add(`add${index}`, { op: "add" }, next, node) : next;
  });
  node = builder.add("pool", { op: "global_pool", kind: "average" }, node);
  return heuristicScore(builder.build(builder.add("logits", { op: "dense", units: 10 }, node)));
}

Deno.test("the heuristic measures a graph's parameters, depth, width and connectivity", () => {
  const { score: value, ...measured } = score([4, 4], true);
  assert.deepEqual(measured, { parameters: 2 * 37 * 4 + 50, depth: 3, width: 6, connectivity: 2 });
  assert.ok(value > 0 && value < 1);
});

Deno.test("depth and skip connections raise the score, many parameters lower it", () => {
  assert.ok(score([4, 4, 4]).score > score([4]).score);
  assert.ok(score([4, 4], true).score > score([4, 4]).score);
  assert.ok(score([512, 512]).score < score([16, 16]).score);
});
