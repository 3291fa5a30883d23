/**
 * Frames from hostile peers: whatever the bytes, decoding is a value, its cost is in proportion, and nothing that did not
 * pass reaches an actor.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Encoder } from "@msgpack/msgpack";
import fc from "fast-check";
import type { z } from "zod";
import type { ClusterMessage } from "../../master/cluster/messages.ts";
import type { CommandsMessage, FeedMessage } from "../../master/gateway/messages.ts";
import { session } from "../../master/gateway/session.ts";
import { fromClient, toClient } from "../../shared/protocol/client_envelopes.ts";
import { decodeFrame, encode } from "../../shared/protocol/codec.ts";
import { CLOSE } from "../../shared/protocol/limits.ts";
import { fromWorker, toWorker } from "../../shared/protocol/worker_envelopes.ts";
import { COMMANDS, ENVELOPES } from "../unit/gateway/envelope_samples.ts";
import { FakePort, registerEnvelope, World } from "../unit/gateway/rig.ts";
import { anyFrame, anyGoodFrame, anyLyingNest, HOSTILE_VALUES, placesIn } from "./frames_arbitrary.ts";

const SCHEMAS: Readonly<Record<string, z.ZodType>> = { fromWorker, toWorker, fromClient, toClient };
const CODES: ReadonlySet<string> = new Set(["too_large", "malformed", "too_many", "schema"]);
/** The same frames at each run; on a machine that is busy with other things, fewer of them. */
const RUNS = { seed: 20_261_123, numRuns: 1_500, interruptAfterTimeLimit: 10_000 } as const;
/** What a decoder that makes room as it is told would take a hundred times over. */
const GROWTH_BYTES_MAX = 200_000_000;

function assertDecodes(bytes: Uint8Array): void {
  for (const schema of Object.values(SCHEMAS)) {
    const frame = decodeFrame(bytes, schema);
    if (frame.ok) {
      // What passed can be passed on.
      encode(frame.envelopes);
      JSON.stringify(frame.envelopes);
      for (const envelope of frame.envelopes) assert.ok(schema.safeParse(envelope).success);
    } else {
      const { code, message, path, advice } = frame.problem;
      assert.ok(CODES.has(code) && message !== "" && advice !== "");
      assert.ok(message.length <= 500 && path.length <= 500);
      if (code === "schema") assert.match(path, /^\[\d+\]/);
    }
  }
}

Deno.test("no bytes whatever make a decoder throw, and every refusal says its code and place", () => {
  fc.assert(fc.property(anyFrame, assertDecodes), RUNS);
});

Deno.test("lengths that lie cost neither memory nor time, alone or within each other", () => {
  const before = Deno.memoryUsage().rss;
  fc.assert(fc.property(anyLyingNest, assertDecodes), { ...RUNS, numRuns: 200 });
  const nest = Uint8Array.from({ length: 15_000 }, (_, index) => [0xdd, 0, 1, 0x86, 0xa0][index % 5] ?? 0);
  for (let round = 0; round < 5; round++) assert.ok(!decodeFrame(nest, fromWorker).ok);
  const grown = Deno.memoryUsage().rss - before;
  assert.ok(grown < GROWTH_BYTES_MAX, `${grown} bytes for a frame of 15,000`);
});

Deno.test("a hundred thousand mistakes in one frame cost no more than the first", () => {
  const before = Deno.memoryUsage().rss;
  for (const element of [null, {}, { epoch: 1 }]) {
    const leases = Array(100_000).fill(element);
    const frame = decodeFrame(encode([{ ...registerEnvelope(), leases }]).slice(), fromWorker);
    assert.ok(!frame.ok);
    assert.match(frame.problem.path, /^\[0\]\.leases\[0\]/);
  }
  const grown = Deno.memoryUsage().rss - before;
  assert.ok(grown < GROWTH_BYTES_MAX, `${grown} bytes`);
});

Deno.test("a wrong value in any field of any envelope is refused at that field, or is as good as the right one", () => {
  for (const [type, { envelope }] of Object.entries(ENVELOPES)) {
    const schemas = Object.values(SCHEMAS).filter((schema) => schema.safeParse(envelope).success);
    assert.ok(schemas.length > 0, type);
    for (const place of placesIn(envelope)) {
      for (const value of HOSTILE_VALUES) {
        const bytes = new Encoder().encode([place.with(value)]);
        for (const schema of schemas) assertRefusedAt(bytes, schema, `[0]${place.path}`);
      }
    }
  }
});

Deno.test("a wrong value in any field of any command is refused at that field, or is as good as the right one", () => {
  for (const { body } of Object.values(COMMANDS)) {
    const command = { type: "command", id: "c1", command: body };
    for (const place of placesIn(command)) {
      for (const value of HOSTILE_VALUES) {
        assertRefusedAt(new Encoder().encode([place.with(value)]), fromClient, `[0]${place.path}`);
      }
    }
  }
});

/** The place that is named lies on the way to the wrong value: at it, above it or within it. */
function assertRefusedAt(bytes: Uint8Array, schema: z.ZodType, path: string): void {
  const frame = decodeFrame(bytes, schema);
  if (frame.ok) return void encode(frame.envelopes);
  const named = frame.problem.path;
  // Bytes that the decoder itself does not take have no place.
  if (frame.problem.code !== "schema") return;
  assert.ok(path.startsWith(named) || named.startsWith(path), `${named} was named for ${path}`);
}

Deno.test("keys of prototypes change none, and keys that come twice are no way around a check", () => {
  const text = (words: string) => [0xa0 + words.length, ...new TextEncoder().encode(words)];
  const map = (...entries: readonly (readonly number[])[]) => [0x80 + entries.length / 2, ...entries.flat()];
  const stop = [text("type"), text("stop"), text("graceMs"), [1], text("reason"), text("r")];
  const polluted = map(text("polluted"), [0xc3]);
  for (const key of ["__proto__", "constructor", "prototype", "toString", "valueOf"]) {
    const keyBytes = key.length < 32 ? text(key) : [];
    const frame = decodeFrame(Uint8Array.from([0x91, ...map(...stop, keyBytes, polluted)]), fromWorker);
    assert.ok(!frame.ok, key);
    const metrics = map(keyBytes, [0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
    decodeFrame(
      Uint8Array.from([0x91, ...map(text("type"), text("report"), text("metrics"), metrics)]),
      fromWorker,
    );
    assert.equal(Reflect.get({}, "polluted"), undefined);
  }
  const twice = decodeFrame(Uint8Array.from([0x91, ...map(...stop, text("graceMs"), text("x"))]), fromWorker);
  assert.ok(!twice.ok);
  assert.equal(twice.problem.path, "[0].graceMs");
});

for (const role of ["worker", "admin", "view"] as const) {
  Deno.test(`whatever a ${role} sends, only what passed reaches an actor, and its session ends with a code`, () => {
    fc.assert(fc.property(anyFrame, (bytes) => assertSessionStands(role, bytes)), { ...RUNS, numRuns: 300 });
  });
}

function assertSessionStands(role: "worker" | "admin" | "view", bytes: Uint8Array): void {
  const world = new World();
  const cluster = world.listener<ClusterMessage>("cluster");
  const commands = world.listener<CommandsMessage>("commands");
  const feed = world.listener<FeedMessage>("feed");
  const port = new FakePort();
  const refs = { cluster: cluster.ref, commands: commands.ref, feed: feed.ref };
  const ref = world.spawn("session", session({ id: "s", role, port, heartbeatMs: 10_000, ...refs }));
  if (role === "worker") {
    world.post(ref, { type: "frame", bytes: encode([registerEnvelope()]).slice() });
    world.settle();
  }
  const before = cluster.messages.length;
  world.post(ref, { type: "frame", bytes });
  world.settle();
  const schema: z.ZodType = role === "worker" ? fromWorker : fromClient;
  const isGood = decodeFrame(bytes, schema).ok;
  if (!isGood) {
    const reached = cluster.messages.slice(before).filter(({ type }) => type !== "worker_left").length +
      commands.messages.length + feed.messages.length;
    assert.equal(reached, 0);
    assert.equal(port.closes.length, 1);
    const { code } = port.closes[0] ?? { code: 0 };
    assert.ok(code >= CLOSE.malformed.code, `${code}`);
  }
  assert.ok(!world.log.some((line) => line.includes("crashed")), world.log.join("\n"));
  world.end();
}

Deno.test("a good frame passes in its own direction: the fuzz begins with what is right", () => {
  fc.assert(
    fc.property(anyGoodFrame, (bytes) => {
      const frame = decodeFrame(bytes, fromWorker);
      const all = Object.values(SCHEMAS).map((schema) => decodeFrame(bytes, schema).ok);
      assert.ok(frame.ok || frame.problem.code === "schema", JSON.stringify(all));
    }),
    { numRuns: 100 },
  );
});
