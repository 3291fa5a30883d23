import assert from "node:assert/strict";
import fc from "fast-check";
import { fromClient } from "../../../shared/protocol/client_envelopes.ts";
import { decodeFrame, encode } from "../../../shared/protocol/codec.ts";
import { SPEC_BYTES_MAX } from "../../../shared/protocol/limits.ts";
import { isAtMost } from "../../../shared/protocol/size.ts";

Deno.test("no value is taken for larger than its encoding", () => {
  const anyValue = fc.anything({
    values: [fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
  });
  fc.assert(fc.property(anyValue, (value) => assert.ok(isAtMost(value, encode(value).byteLength))), {
    seed: 4,
  });
});

Deno.test("texts, bytes, lists and keys all count", () => {
  const large = [
    "x".repeat(1_000),
    new Uint8Array(1_000),
    Array(1_000).fill(0),
    { ["x".repeat(1_000)]: 0 },
    [[["x".repeat(1_000)]]],
  ];
  for (const value of large) {
    assert.ok(!isAtMost(value, 900));
    assert.ok(isAtMost(value, 1_010));
  }
});

Deno.test("a spec over its limit is refused at its place, before anybody looks into it", () => {
  const run = (spec: unknown) =>
    decodeFrame(encode([{ type: "command", id: "c", command: { kind: "run", spec } }]).slice(), fromClient);
  assert.ok(run({ name: "x".repeat(SPEC_BYTES_MAX - 100) }).ok);
  const refused = run({ name: "x".repeat(SPEC_BYTES_MAX) });
  assert.ok(!refused.ok);
  assert.equal(refused.problem.path, "[0].command.spec");
  assert.match(refused.problem.message, /keep data out of it/);
});
