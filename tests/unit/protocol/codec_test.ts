/**
 * Frames: what goes in comes out, and what does not fit is a value that says where.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, decodeFrame, encode, encodeFrames } from "../../../shared/protocol/codec.ts";
import { fromClient } from "../../../shared/protocol/client_envelopes.ts";
import { FRAME_BYTES_MAX, FRAME_ENVELOPES_MAX } from "../../../shared/protocol/limits.ts";
import { SPEC_NESTING_MAX } from "../../../master/gateway/commands.ts";
import { fromWorker, toWorker } from "../../../shared/protocol/worker_envelopes.ts";

const EPOCH = `${"a".repeat(32)}.1.${"b".repeat(8)}`;

function result(task: string, metrics: Record<string, number> = { score: 0.5 }): unknown {
  return {
    type: "result",
    epoch: EPOCH,
    task,
    attempt: 1,
    end: { state: "completed", metrics },
    elapsedMs: 1,
  };
}

function problemOf(envelopes: unknown) {
  const frame = decodeFrame(encode(envelopes).slice(), fromWorker);
  assert(!frame.ok);
  return frame.problem;
}

Deno.test("envelopes come out of frames as they went in, in as few frames as the limits allow", () => {
  const envelopes = Array.from({ length: 2_500 }, (_, i) => result(`g/${i + 1}`));
  const frames = encodeFrames(envelopes);
  assert.equal(frames.length, 3);
  const back = frames.flatMap((frame) => {
    const decoded = decodeFrame(frame, fromWorker);
    assert(decoded.ok);
    return decoded.envelopes;
  });
  assert.deepEqual(back, envelopes);
});

Deno.test("large envelopes are spread over several frames, and one over the limit is a bug", () => {
  const assign = (task: string) => ({
    type: "assign",
    epoch: EPOCH,
    task,
    attempt: 1,
    template: new Uint8Array(10),
    payload: new Uint8Array(200 * 1024),
  });
  const frames = encodeFrames(Array.from({ length: 50 }, (_, i) => assign(`g/${i + 1}`)));
  assert(frames.length >= 3 && frames.every((frame) => frame.byteLength <= FRAME_BYTES_MAX));
  assert(frames.every((frame) => decodeFrame(frame, toWorker).ok));
  assert.throws(() => encodeFrames([{ payload: new Uint8Array(FRAME_BYTES_MAX) }]), RangeError);
});

Deno.test("a frame that is no list, too long or too large is refused by its name", () => {
  assert.equal(problemOf({ type: "stop" }).code, "malformed");
  assert.equal(problemOf(Array.from({ length: FRAME_ENVELOPES_MAX + 1 }, () => 1)).code, "too_many");
  const large = decodeFrame(new Uint8Array(FRAME_BYTES_MAX + 1), fromWorker);
  assert(!large.ok && large.problem.code === "too_large");
});

Deno.test("what does not fit a schema is named with its place", () => {
  assert.equal(problemOf([result("g/1"), result("../etc/passwd")]).path, "[1].task");
  assert.match(problemOf([result("g/1", { loss: NaN })]).path, /^\[0\]\.end\.metrics/);
  assert.match(problemOf([result("g/1", { loss: Infinity })]).message, /finite/);
  assert.equal(problemOf([{ type: "no such" }]).path, "[0].type");
});

Deno.test("unknown keys are refused, not dropped", () => {
  const problem = problemOf([{ type: "stop", graceMs: 1, reason: "", extra: 1 }]);
  assert.match(problem.message, /extra/);
});

Deno.test("an epoch is held against its grammar even after a good one", () => {
  assert(decodeFrame(encodeFrames([result("g/1")])[0] ?? new Uint8Array(), fromWorker).ok);
  assert.equal(problemOf([{ ...(result("g/1") as object), epoch: "1" }]).path, "[0].epoch");
});

Deno.test("no bytes whatever make the decoder throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeFrame(bytes, fromWorker);
      decodeFrame(bytes, fromClient);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("mutations of a good frame never throw, and what passes is a good envelope", () => {
  const good = encodeFrames([result("g/1"), { type: "stop", graceMs: 5, reason: "bye" }])[0];
  assert(good !== undefined);
  const property = fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (edits) => {
    const bytes = good.slice();
    for (const [at, value] of edits) bytes[at % bytes.length] = value;
    const frame = decodeFrame(bytes, fromWorker);
    if (frame.ok) { for (const envelope of frame.envelopes) assert(fromWorker.safeParse(envelope).success); }
  });
  fc.assert(property, { numRuns: 3_000 });
});

Deno.test("deep nesting and huge announced lengths cost nothing and are refused", () => {
  const deep = new Uint8Array(200_000).fill(0x91);
  assert(!decodeFrame(deep, fromClient).ok);
  // An array, a map and bytes that announce four billion elements.
  for (const head of [0xdd, 0xdf, 0xc6]) {
    assert(!decodeFrame(new Uint8Array([head, 0xff, 0xff, 0xff, 0xff]), fromClient).ok);
  }
});

Deno.test("plain values survive the codec", () => {
  const value = { candidate: { a: [1, 2.5, "x", null, true] }, bytes: new Uint8Array([1, 2, 3]) };
  assert.deepEqual(decode(encode(value).slice()), value);
});

Deno.test("a spec of as many levels as a master reads fits into a frame", () => {
  let spec: unknown = 1;
  for (let level = 0; level < SPEC_NESTING_MAX; level++) spec = [spec];
  const frames = encodeFrames([{ type: "command", id: "a", command: { kind: "run", spec } }]);
  assert.deepEqual(frames.map((bytes) => decodeFrame(bytes, fromClient).ok), [true]);
});
