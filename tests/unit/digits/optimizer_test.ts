import assert from "node:assert/strict";
import { optimizer } from "../../../examples/digits/optimizer.ts";

Deno.test("the first step of adam is the learning rate, whatever the size of the gradient", () => {
  const parameter = { values: Float64Array.of(1, 1, 1), gradient: Float64Array.of(1e-3, -5, 0) };
  optimizer("adam", [parameter])(0.1);
  [0.9, 1.1, 1].forEach((expected, i) => assertNear(parameter.values[i], expected, 1e-4));
});

Deno.test("sgd gathers momentum along a steady slope", () => {
  const parameter = { values: Float64Array.of(0), gradient: Float64Array.of(2) };
  const update = optimizer("sgd", [parameter]);
  update(0.1);
  assertNear(parameter.values[0], -0.2, 1e-12);
  update(0.1);
  assertNear(parameter.values[0], -0.2 - 0.2 - 0.9 * 0.2, 1e-12);
});

for (const kind of ["adam", "sgd"] as const) {
  Deno.test(`${kind} finds the bottom of a valley`, () => {
    const parameter = { values: Float64Array.of(3, -2), gradient: new Float64Array(2) };
    const update = optimizer(kind, [parameter]);
    for (let step = 0; step < 500; step++) {
      parameter.values.forEach((value, i) => parameter.gradient[i] = 2 * value);
      update(0.05);
    }
    for (const value of parameter.values) assertNear(value, 0, 1e-3);
  });
}

function assertNear(actual: number | undefined, expected: number, tolerance: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= tolerance,
    `${actual} is not near ${expected}`,
  );
}
