import assert from "node:assert/strict";
import { nasBench201Space } from "../../../shared/space/nas_bench_201.ts";
import { compileSpace } from "../../../shared/space/space.ts";

Deno.test("NAS-Bench-201 has 15,625 cells: six edges, five operations", () => {
  const space = nasBench201Space();
  assert.deepEqual(JSON.parse(JSON.stringify(space)), space);
  const compiled = compileSpace(space);
  assert.ok(compiled.ok);
  assert.equal(compiled.value.size, 15_625);
  const cell = {
    edge_0_1: "conv_3x3",
    edge_0_2: "none",
    edge_1_2: "skip_connect",
    edge_0_3: "conv_1x1",
    edge_1_3: "avg_pool_3x3",
    edge_2_3: "conv_3x3",
  };
  assert.deepEqual(compiled.value.validate(cell), []);
  assert.equal(compiled.value.validate({ ...cell, edge_2_3: "conv_5x5" }).length, 1);
});
