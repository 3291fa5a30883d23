import assert from "node:assert/strict";
import { augment } from "../../../examples/digits/augment.ts";
import { seededRandom } from "../../../examples/digits/random.ts";
import { noise } from "./sketch.ts";

const image = noise(1, 64, 10, seededRandom(1, "image")).images.map(Math.abs);

Deno.test("an image that is varied by nothing stays as it is", () => {
  const copy = new Float64Array(64);
  augment(image, copy, 0, () => 0.5);
  copy.forEach((pixel, i) => assert.ok(Math.abs(pixel - (image[i] ?? NaN)) < 1e-12));
});

Deno.test("a varied image is written where it belongs, with no pixel out of range", () => {
  const target = new Float64Array(3 * 64);
  augment(image, target, 64, seededRandom(1, "variation"));
  assert.ok(target.every((pixel, i) => (i >= 64 && i < 128) ? pixel >= 0 && pixel <= 1 : pixel === 0));
  assert.notDeepEqual(target.subarray(64, 128), image);
});
