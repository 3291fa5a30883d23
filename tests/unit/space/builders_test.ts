import assert from "node:assert/strict";
import {
  boolean,
  choice,
  group,
  integer,
  option,
  optional,
  parameters,
  real,
  repeat,
} from "../../../shared/space/builders.ts";
import { cnnSpace, compileSpace } from "../../../shared/space/space.ts";

const built = parameters({
  learning_rate: real(1e-4, 1e-1, { log: true }),
  optimizer: choice(["adam", "sgd"]),
  momentum: real(0, 0.99, { when: { parameter: "optimizer", equals: "sgd" } }),
  widths: repeat(1, 3, integer(8, 64, { step: 8 })),
  head: choice(["linear", option("mlp", { units: integer(8, 128) })]),
  warmup: optional({ steps: integer(1, 100, { log: true }) }),
  augment: group({ flip: boolean() }),
});

Deno.test("what the builders make compiles, and is plain data", () => {
  assert.equal(compileSpace(built).ok, true);
  assert.deepEqual(JSON.parse(JSON.stringify(built)), built);
  const cnn = cnnSpace({ classes: 3, parameters: { weight_decay: real(1e-6, 1e-2, { log: true }) } });
  assert.deepEqual(JSON.parse(JSON.stringify(cnn)), cnn);
  assert.equal(compileSpace(cnn).ok, true);
});

Deno.test("the builders make what a user would write", () => {
  assert.deepEqual(built.parameters["momentum"], {
    type: "real",
    min: 0,
    max: 0.99,
    when: { parameter: "optimizer", equals: "sgd" },
  });
  assert.deepEqual(built.parameters["widths"], {
    type: "repeat",
    min: 1,
    max: 3,
    of: { type: "integer", min: 8, max: 64, step: 8 },
  });
});
