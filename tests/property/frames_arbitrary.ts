/**
 * Frames as a hostile peer would make them: good ones spoilt, lengths that lie, values where others belong.
 *
 * @module
 */
import fc from "fast-check";
import { encode } from "../../shared/protocol/codec.ts";
import { ENVELOPES } from "../unit/gateway/envelope_samples.ts";

const samples = Object.values(ENVELOPES).map(({ envelope }) => envelope);

/** A good frame: a few envelopes of any direction. */
export const anyGoodFrame: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.array(fc.constantFrom(...samples), {
  minLength: 1,
  maxLength: 6,
}).map((envelopes) => encode(envelopes).slice());

type Edit = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const place = fc.nat(65_535);

const flip: fc.Arbitrary<Edit> = fc.tuple(place, fc.nat(7)).map(([at, bit]) => (bytes) => {
  const copy = bytes.slice();
  if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << bit);
  return copy;
});
const overwrite: fc.Arbitrary<Edit> = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 5 })).map((
  [at, patch],
) =>
(bytes) =>
  joined(
    bytes.subarray(0, at % (bytes.length + 1)),
    patch,
    bytes.subarray(at % (bytes.length + 1) + patch.length),
  )
);
const truncate: fc.Arbitrary<Edit> = place.map((at) => (bytes) => bytes.slice(0, at % (bytes.length + 1)));
const splice: fc.Arbitrary<Edit> = fc.tuple(place, place, anyGoodFrame).map(([at, from, other]) => (bytes) =>
  joined(bytes.subarray(0, at % (bytes.length + 1)), other.subarray(from % (other.length + 1)))
);
const repeat: fc.Arbitrary<Edit> = fc.tuple(place, place).map(([from, to]) => (bytes) => {
  const [a = 0, b = 0] = [from % (bytes.length + 1), to % (bytes.length + 1)].toSorted((x, y) => x - y);
  return joined(bytes.subarray(0, b), bytes.subarray(a));
});

/** Heads of every kind of value that says a length, the length far beyond what follows. */
const lyingHead: fc.Arbitrary<Uint8Array> = fc.constantFrom(
  ...[0xc4, 0xc7, 0xd9].map((code) => [code, 0xff]),
  ...[0xc5, 0xc8, 0xda, 0xdc, 0xde].map((code) => [code, 0xff, 0xff]),
  ...[0xc6, 0xc9, 0xdb, 0xdd, 0xdf].flatMap((code) => [
    [code, 0xff, 0xff, 0xff, 0xff],
    [code, 0x00, 0x01, 0x86, 0xa0],
    [code, 0x00, 0x40, 0x00, 0x00],
  ]),
  ...[0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xc1].map((code) => [code]),
).map((head) => Uint8Array.from(head));
const lie: fc.Arbitrary<Edit> = fc.tuple(place, lyingHead).map(([at, head]) => (bytes) =>
  joined(bytes.subarray(0, at % (bytes.length + 1)), head, bytes.subarray(at % (bytes.length + 1)))
);

/** A good frame, spoilt once or more often. */
export const anySpoiltFrame: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.tuple(
  anyGoodFrame,
  fc.array(fc.oneof(flip, overwrite, truncate, splice, repeat, lie), { minLength: 1, maxLength: 4 }),
).map(([frame, edits]) => edits.reduce((bytes, edit) => edit(bytes), frame));

/** One head within the other, each announcing far more than there is. */
export const anyLyingNest: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.tuple(
  fc.array(lyingHead, { minLength: 1, maxLength: 4 }),
  fc.integer({ min: 1, max: 3_000 }),
).map(([heads, times]) =>
  joined(...Array.from({ length: times }, (_, index) => heads[index % heads.length] ?? new Uint8Array()))
);

/** Anything at all. */
export const anyFrame: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.oneof(
  { weight: 6, arbitrary: anySpoiltFrame },
  { weight: 1, arbitrary: anyGoodFrame },
  { weight: 1, arbitrary: anyLyingNest },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => bytes.slice()) },
);

/** Values that belong nowhere, or nearly so. */
export const HOSTILE_VALUES: readonly unknown[] = [
  ...[NaN, Infinity, -Infinity, -0, -1, 1.5, 2 ** 53, -(2 ** 53), 1e308, 5e-324],
  ...["", "\ud800", "a\u0000b", "../../etc/passwd", "a/b", "__proto__", "constructor", "x".repeat(5_000)],
  ...["\u202egnp.exe", "ａ", "a\nb", "\u001b[2J", "null", "1"],
  ...[null, true, false, [], {}, [[]], [null], { length: 1 }, new Uint8Array(), new Uint8Array(300_000)],
  ...[new Date(0), { type: "register" }, Array(200).fill(1)],
];

/** Where a value stands, and how to put another in its place. */
export interface Place {
  readonly path: string;
  readonly with: (value: unknown) => unknown;
}

/** Every place within a value, from the inside of its first level on. */
export function placesIn(value: unknown, path = ""): readonly Place[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) {
    return value.flatMap((inner: unknown, index) =>
      placesOf(inner, `${path}[${index}]`, (other) => value.with(index, other))
    );
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    placesOf(inner, `${path}.${key}`, (other) => ({ ...value, [key]: other }))
  );
}

function placesOf(inner: unknown, path: string, put: (other: unknown) => unknown): Place[] {
  const deeper = placesIn(inner, path).map((each) => ({
    path: each.path,
    with: (value: unknown) => put(each.with(value)),
  }));
  return [{ path, with: put }, ...deeper];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
