import assert from "node:assert/strict";
import { Convolution } from "../../../examples/digits/conv.ts";
import { tensor } from "../../../examples/digits/operator.ts";
import { fillUniform, seededRandom } from "../../../examples/digits/random.ts";
import { at, type Vector } from "../../../examples/digits/vector.ts";

interface Case {
  readonly side: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: "same" | "valid";
}

/** Above what a convolution gathers at once for the larger images, so that a batch is taken in parts. */
const BATCH = 11;

const CASES: readonly Case[] = [
  { side: 8, channels: 1, filters: 4, kernel: 3, stride: 1, padding: "same" },
  { side: 8, channels: 3, filters: 5, kernel: 5, stride: 1, padding: "same" },
  { side: 7, channels: 2, filters: 3, kernel: 3, stride: 2, padding: "same" },
  { side: 8, channels: 2, filters: 3, kernel: 4, stride: 3, padding: "same" },
  { side: 8, channels: 2, filters: 3, kernel: 3, stride: 2, padding: "valid" },
  { side: 5, channels: 4, filters: 7, kernel: 5, stride: 1, padding: "valid" },
  { side: 3, channels: 2, filters: 2, kernel: 7, stride: 1, padding: "same" },
  { side: 4, channels: 3, filters: 6, kernel: 1, stride: 1, padding: "valid" },
];

for (const options of CASES) {
  const { side, channels, kernel, stride, padding } = options;
  const title = `${kernel} x ${kernel}, stride ${stride}, ${padding}, over ${side} x ${side} x ${channels}`;
  Deno.test(`a convolution of ${title} is the sum by its definition`, () => {
    const random = seededRandom(1, title);
    const places = padding === "same" ? Math.ceil(side / stride) : Math.floor((side - kernel) / stride) + 1;
    const input = tensor([side, side, channels], BATCH),
      output = tensor([places, places, options.filters], BATCH);
    const convolution = new Convolution(options, input.shape, output.shape);
    for (const values of [input.values, convolution.weights.values, convolution.bias.values]) {
      fillUniform(values, 1, random);
    }
    convolution.forward([input], output, { count: BATCH, isTraining: false });
    const expected = byDefinition(
      options,
      places,
      input.values,
      convolution.weights.values,
      convolution.bias.values,
    );
    expected.forEach((value, i) => assert.ok(Math.abs(value - at(output.values, i)) < 1e-12, `output ${i}`));
  });
}

Deno.test("a convolution refuses an output that its window cannot fill", () => {
  const options = { filters: 1, kernel: 3, stride: 1 };
  assert.throws(() => new Convolution(options, [8, 8, 1], [5, 5, 1]), /takes 6 or 8 places on 8, not 5/);
});

function byDefinition(
  options: Case,
  places: number,
  pixels: Vector,
  weights: Vector,
  bias: Vector,
): number[] {
  const { side, channels, filters, kernel, stride, padding } = options;
  const padded = Math.max(0, (places - 1) * stride + kernel - side);
  const before = padding === "same" ? Math.floor(padded / 2) : 0;
  const pixel = (image: number, y: number, x: number, c: number) =>
    y >= 0 && y < side && x >= 0 && x < side ? at(pixels, ((image * side + y) * side + x) * channels + c) : 0;
  const sum = (image: number, row: number, column: number, filter: number) => {
    let total = at(bias, filter);
    for (let dy = 0; dy < kernel; dy++) {
      for (let dx = 0; dx < kernel; dx++) {
        for (let c = 0; c < channels; c++) {
          const weight = at(weights, ((dy * kernel + dx) * channels + c) * filters + filter);
          total += weight * pixel(image, row * stride + dy - before, column * stride + dx - before, c);
        }
      }
    }
    return total;
  };
  return Array.from({ length: BATCH * places * places * filters }, (_, i) => {
    const filter = i % filters, place = Math.floor(i / filters) % (places * places);
    return sum(Math.floor(i / filters / places / places), Math.floor(place / places), place % places, filter);
  });
}
