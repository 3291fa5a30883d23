import { equal } from "node:assert/strict";
import fc from "fast-check";
import { encode } from "../../../shared/protocol/codec.ts";
import { FRAME_LEVELS_MAX } from "../../../shared/protocol/limits.ts";
import { isOutsized } from "../../../shared/protocol/nesting.ts";

/** One for each way in which msgpack writes a length. */
const LENGTHS = [0, 20, 40, 300, 70_000];

/** Arrays and maps in turn, one within the other. */
function nested(levels: number, innermost: unknown): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [1, value] : { a: "b", c: value };
  return value;
}

/** Written by hand: the encoder itself does not nest deeper than 100 levels. */
function opened(levels: number): Uint8Array {
  const bytes = new Uint8Array(levels + 1).fill(0x91);
  bytes[levels] = 0xc0;
  return bytes;
}

Deno.test("as many levels as may be pass, one more does not", () => {
  equal(isOutsized(opened(FRAME_LEVELS_MAX)), false);
  equal(isOutsized(opened(FRAME_LEVELS_MAX + 1)), true);
  equal(isOutsized(new Uint8Array(4_000_000).fill(0x91)), true);
});

Deno.test("what lies beside each other is not taken for depth", () => {
  const wide = Array.from({ length: 1_000 }, () => [[], {}, [[]], { a: [] }]);
  equal(isOutsized(encode([wide, wide])), false);
  equal(isOutsized(encode(nested(90, wide))), false);
});

Deno.test("whatever a value is made of, it is stepped over to its end", () => {
  // Were one part mistaken for longer or shorter than it is, the deep end would be missed or come too early.
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(...LENGTHS).map((length) => "x".repeat(length)),
    fc.constantFrom(...LENGTHS).map((length) => new Uint8Array(length)),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 40 }),
    fc.dictionary(fc.string(), leaf, { maxKeys: 20 }),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), (values) => {
      const before = values.map((each) => encode(each));
      const bytes = (end: Uint8Array) =>
        new Uint8Array([0xdd, 0, 0, 0, values.length + 1, ...before.flatMap((each) => [...each]), ...end]);
      equal(isOutsized(bytes(opened(FRAME_LEVELS_MAX - 1))), false);
      equal(isOutsized(bytes(opened(FRAME_LEVELS_MAX))), true);
    }),
    { numRuns: 50 },
  );
});

Deno.test("what is cut short or no msgpack is left to the decoder", () => {
  const whole = encode([{ a: [1, "text", new Uint8Array(300)] }, 1.5]);
  // Only its bytes are cut short; what a list announces and is not there is outsized.
  equal(isOutsized(whole.subarray(0, whole.length - 1)), false);
  equal(isOutsized(new Uint8Array([0xc1, 0xc1])), false);
});

Deno.test("what announces more values than there are bytes for is outsized, on all levels together", () => {
  for (const head of [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdc, 0xff, 0xff], [0xdf, 0, 0, 0, 1], [0x92]]) {
    equal(isOutsized(new Uint8Array(head)), true, `${head}`);
  }
  // Each of the two arrays alone would have room for its ten elements.
  const twice = (elements: number) => new Uint8Array([0x9a, 0x9a, ...Array<number>(elements).fill(0xc0)]);
  equal(isOutsized(twice(19)), false);
  equal(isOutsized(twice(18)), true);
});
