import assert from "node:assert/strict";
import { Encoder } from "@msgpack/msgpack";
import { seededRandom } from "../../../shared/actor/random.ts";
import { encode, encodeFrames } from "../../../shared/protocol/codec.ts";
import { CLOSE, type CloseName, FRAME_BYTES_MAX } from "../../../shared/protocol/limits.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import { session, type SessionOptions } from "../../../master/gateway/session.ts";
import type { CommandsMessage, FeedMessage } from "../../../master/gateway/messages.ts";
import { EPOCH, FakePort, heartbeatEnvelope, registerEnvelope, World } from "./rig.ts";

const HEARTBEAT_MS = 10_000;

function rig(options: Partial<SessionOptions> = {}) {
  const world = new World();
  const cluster = world.listener<ClusterMessage>("cluster");
  const commands = world.listener<CommandsMessage>("commands");
  const feed = world.listener<FeedMessage>("feed");
  const port = new FakePort();
  const ref = world.spawn(
    "session",
    session({
      id: "session:1",
      role: "worker",
      port,
      cluster: cluster.ref,
      commands: commands.ref,
      feed: feed.ref,
      heartbeatMs: HEARTBEAT_MS,
      ...options,
    }),
  );
  return {
    world,
    cluster,
    port,
    ref,
    /** Sends one frame and lets it be handled. */
    frame: (...envelopes: readonly unknown[]) => {
      for (const bytes of encodeFrames(envelopes)) world.post(ref, { type: "frame", bytes });
      world.settle();
    },
    bytes: (bytes: Uint8Array) => {
      world.post(ref, { type: "frame", bytes });
      world.settle();
    },
    heard: () => cluster.messages.map((message) => message.type),
    /** The session has ended with this close and, where given, a word that says why. */
    assertRefused: (name: CloseName, said?: RegExp, path?: RegExp) => {
      assert.deepEqual(port.closes, [{ code: CLOSE[name].code, reason: CLOSE[name].name }]);
      assert.equal(world.system.isAlive(ref), false);
      const last = port.toWorker().at(-1);
      if (said !== undefined) {
        assert.ok(last?.type === "refused");
        assert.match(`${last.message} ${last.advice}`, said);
        if (path !== undefined) assert.match(last.path, path);
      }
      assert.ok(!world.log.some((line) => line.includes("crashed")), world.log.join("\n"));
      world.end();
    },
  };
}

Deno.test("the cluster hears that a worker joined, what it says frame by frame, and once that it left", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.frame(heartbeatEnvelope(1), heartbeatEnvelope(2));
  it.world.post(it.ref, { type: "closed", code: 1006, reason: "" });
  it.world.post(it.ref, { type: "closed", code: 1006, reason: "" });
  it.world.settle();
  assert.deepEqual(it.heard(), ["worker_joined", "worker_said", "worker_left"]);
  const said = it.cluster.messages[1];
  assert.ok(said?.type === "worker_said");
  assert.equal(said.envelopes.length, 2);
  it.world.end();
});

Deno.test("what follows register in the same frame reaches the cluster after it", () => {
  const it = rig();
  it.frame(registerEnvelope(), heartbeatEnvelope(1));
  assert.deepEqual(it.heard(), ["worker_joined", "worker_said"]);
  it.world.end();
});

Deno.test("what the cluster says in one turn goes out in one frame", () => {
  const it = rig();
  it.frame(registerEnvelope());
  for (let sequence = 0; sequence < 100; sequence++) {
    it.world.post(it.ref, { type: "send", envelopes: [{ type: "heartbeat", sequence, commit: 0 }] });
  }
  it.world.settle();
  assert.equal(it.port.frames.length, 1);
  assert.equal(it.port.toWorker().length, 100);
  it.world.end();
});

Deno.test("random bytes end their own session and nothing else", () => {
  const random = seededRandom("random bytes");
  for (let round = 0; round < 200; round++) {
    const it = rig();
    if (round % 2 === 0) it.frame(registerEnvelope());
    const bytes = Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256));
    // An empty array is a frame without envelopes.
    if (bytes[0] === 0x90) continue;
    it.bytes(bytes);
    assert.ok(!it.world.log.some((line) => line.includes("crashed")), it.world.log.join("\n"));
    assert.equal(it.port.closes.length, 1, `bytes ${bytes}`);
    it.world.end();
  }
});

Deno.test("a worker of another major version is refused with both versions named", () => {
  const it = rig();
  it.frame(registerEnvelope({ version: { major: 2, minor: 3 } }));
  it.assertRefused("version", /version 2 of the protocol, this master version 1\.0/);
});

Deno.test("another major version is told even where its words have changed", () => {
  const it = rig();
  it.frame({ type: "register", version: { major: 7 }, somethingNew: [1, 2, 3] });
  it.assertRefused("version", /version 7/);
});

Deno.test("a newer minor version is welcome", () => {
  const it = rig();
  it.frame(registerEnvelope({ version: { major: 1, minor: 99 } }));
  assert.deepEqual(it.heard(), ["worker_joined"]);
  it.world.end();
});

Deno.test("a frame over the limit is refused without being decoded", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.bytes(new Uint8Array(FRAME_BYTES_MAX + 1));
  it.assertRefused("too_large", /at most 4194304/);
});

Deno.test("1,025 envelopes in a frame are refused", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.bytes(encode(Array.from({ length: 1_025 }, (_, index) => heartbeatEnvelope(index))));
  it.assertRefused("too_large", /at most 1024/);
});

Deno.test("deep nesting is refused", () => {
  for (const depth of [50, 90, 5_000, 500_000]) {
    const it = rig();
    // One-element arrays in one another, and at their heart a null.
    it.bytes(new Uint8Array(depth + 1).fill(0x91, 0, depth).fill(0xc0, depth));
    it.assertRefused("malformed");
  }
});

Deno.test("prototype keys are refused and change no prototype", () => {
  for (const key of ["__proto__", "constructor", "prototype"]) {
    const it = rig();
    const bytes = new Encoder().encode([Object.defineProperty(registerEnvelope(), key, {
      value: { polluted: true },
      enumerable: true,
    })]);
    it.bytes(bytes);
    assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
    it.assertRefused("malformed");
  }
});

Deno.test("a text frame is refused", () => {
  const it = rig();
  it.world.post(it.ref, { type: "text_frame" });
  it.world.settle();
  it.assertRefused("malformed", /binary/);
});

Deno.test("a peer that never registers is closed after five seconds, and may come again", () => {
  const it = rig();
  it.world.loop.runFor(4_999);
  assert.equal(it.port.closes.length, 0);
  it.bytes(encode([]));
  it.world.loop.runFor(1);
  it.assertRefused("silent", /within 5000 ms/);
});

Deno.test("results before register are refused and reach nobody", () => {
  const it = rig();
  it.frame({
    type: "result",
    epoch: EPOCH,
    task: "quick-1/1",
    attempt: 1,
    end: { state: "cancelled" },
    elapsedMs: 0,
  });
  assert.deepEqual(it.heard(), []);
  it.assertRefused("not_registered", /must be register, and this is result/);
});

Deno.test("a second register is refused", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.frame(registerEnvelope());
  assert.deepEqual(it.heard(), ["worker_joined", "worker_left"]);
  it.assertRefused("malformed", /has registered/);
});

Deno.test("ids with path parts or control characters are refused with the place named", () => {
  for (const worker of ["../etc", "a/b", "a\u0000b", "a\nb", "", ".hidden", "x".repeat(81), "ü"]) {
    const it = rig();
    it.frame(registerEnvelope({ worker }));
    it.assertRefused("malformed", /letters, digits/, /^\[0\]\.worker$/);
  }
  for (const task of ["quick-1", "../x/1", "quick-1/0", "quick-1/01", "quick-1/1/2", "quick-1/-1"]) {
    const it = rig();
    it.frame(
      registerEnvelope({ leases: [{ epoch: EPOCH, task, attempt: 1, state: "running", elapsedMs: 0 }] }),
    );
    it.assertRefused("malformed", /group/, /^\[0\]\.leases\[0\]\.task$/);
  }
});

Deno.test("numbers that are none, and fields that nobody knows, are refused", () => {
  for (const changes of [{ slots: NaN }, { slots: 1.5 }, { slots: -1 }, { slots: "1" }, { extra: 1 }]) {
    const it = rig();
    it.frame(registerEnvelope(changes));
    it.assertRefused("malformed");
  }
});

Deno.test("a worker's token may not command", () => {
  const it = rig();
  it.frame({ type: "command", id: "c1", command: { kind: "workers" } });
  it.assertRefused("unauthorized", /may not command/);
});

Deno.test("a silent worker is left after two and a half heartbeats, one that speaks is not", () => {
  const it = rig();
  it.frame(registerEnvelope());
  for (let beat = 1; beat <= 10; beat++) {
    it.world.loop.runFor(HEARTBEAT_MS);
    it.frame(heartbeatEnvelope(beat));
  }
  assert.equal(it.port.closes.length, 0);
  it.world.loop.runFor(24_999);
  assert.equal(it.port.closes.length, 0);
  it.world.loop.runFor(1);
  assert.equal(it.heard().at(-1), "worker_left");
  it.assertRefused("silent");
});

Deno.test("a worker that does not read is closed as too slow", () => {
  const it = rig({ unreadBytesMax: 1_000 });
  it.frame(registerEnvelope());
  it.port.unread = 1_001;
  it.world.post(it.ref, { type: "send", envelopes: [{ type: "heartbeat", sequence: 1, commit: 0 }] });
  it.world.settle();
  assert.equal(it.heard().at(-1), "worker_left");
  it.assertRefused("too_slow");
});

Deno.test("the cluster's reason is said before the close, and closing twice is harmless", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.world.post(it.ref, { type: "send", envelopes: [{ type: "heartbeat", sequence: 1, commit: 0 }] });
  it.world.post(it.ref, { type: "close", name: "rival", message: "another process has this name" });
  it.world.post(it.ref, { type: "close", name: "stopped", message: "" });
  it.world.settle();
  assert.deepEqual(it.port.toWorker().map((envelope) => envelope.type), ["heartbeat", "refused"]);
  assert.deepEqual(it.heard(), ["worker_joined", "worker_left"]);
  it.assertRefused("rival", /another process has this name/);
});

Deno.test("frames after a close are dropped", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.world.post(it.ref, { type: "close", name: "replaced", message: "" });
  for (const bytes of encodeFrames([heartbeatEnvelope(1)])) it.world.post(it.ref, { type: "frame", bytes });
  it.world.settle();
  assert.deepEqual(it.heard(), ["worker_joined", "worker_left"]);
  it.assertRefused("replaced");
});

Deno.test("a killed session leaves no open socket", () => {
  const it = rig();
  it.frame(registerEnvelope());
  it.world.system.kill(it.ref);
  it.world.settle();
  it.assertRefused("restarting");
});
