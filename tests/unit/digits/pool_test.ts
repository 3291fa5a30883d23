import assert from "node:assert/strict";
import { type Tensor, tensor } from "../../../examples/digits/operator.ts";
import { globalWindow, pool } from "../../../examples/digits/pool.ts";
import { slidingWindow } from "../../../examples/digits/window.ts";

const PASS = { count: 1, isTraining: false };

Deno.test("a max pool keeps the largest pixel of each channel and hands the gradient to it alone", () => {
  const input = image([3, 2, 2], [1, -10, 2, -20, 3, -30, 4, -40, 9, -90, 8, -80]);
  const output = tensor([1, 1, 2], 1);
  const max = pool("max", slidingWindow(input.shape, output.shape, 2, 2), 1);
  max.forward([input], output, PASS);
  assert.deepEqual([...output.values], [4, -10]);
  output.gradient.set([5, 7]);
  max.backward([input], output, PASS);
  assert.deepEqual([...input.gradient], [0, 7, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0]);
});

Deno.test("an average pool counts no pixels beyond the edge", () => {
  const input = image([3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const output = tensor([2, 2, 1], 1);
  pool("average", slidingWindow(input.shape, output.shape, 2, 2), 1).forward([input], output, PASS);
  assert.deepEqual([...output.values], [3, 4.5, 7.5, 9]);
});

Deno.test("a global pool takes in the whole image, square or not", () => {
  const input = image([1, 4, 2], [1, 10, 2, 20, 3, 30, 6, 100]);
  for (const [kind, expected] of [["max", [6, 100]], ["average", [3, 40]]] as const) {
    const output = tensor([2], 1);
    pool(kind, globalWindow(input.shape), 1).forward([input], output, PASS);
    assert.deepEqual([...output.values], expected);
  }
});

Deno.test("a max pool lets NaN through", () => {
  const input = image([2, 2, 1], [1, NaN, 3, 2]), output = tensor([1], 1);
  pool("max", globalWindow(input.shape), 1).forward([input], output, PASS);
  assert.ok(Number.isNaN(output.values[0]));
});

function image(shape: readonly number[], pixels: readonly number[]): Tensor {
  const result = tensor(shape, 1);
  result.values.set(pixels);
  return result;
}
