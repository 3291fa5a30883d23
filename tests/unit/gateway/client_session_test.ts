import assert from "node:assert/strict";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { CommandsMessage, FeedMessage } from "../../../master/gateway/messages.ts";
import type { ClientRole } from "../../../master/gateway/roles.ts";
import { session } from "../../../master/gateway/session.ts";
import { commandId } from "../../../shared/model/ids.ts";
import type { ToClient } from "../../../shared/protocol/client_envelopes.ts";
import { encode, encodeFrames } from "../../../shared/protocol/codec.ts";
import { CLOSE, type CloseName } from "../../../shared/protocol/limits.ts";
import { FakePort, registerEnvelope, World } from "./rig.ts";

function rig(role: ClientRole = "view", unreadBytesMax = 1_000_000) {
  const world = new World();
  const cluster = world.listener<ClusterMessage>("cluster");
  const commands = world.listener<CommandsMessage>("commands");
  const feed = world.listener<FeedMessage>("feed");
  const port = new FakePort();
  const options = { id: "session:1", role, port, heartbeatMs: 10_000, unreadBytesMax };
  const ref = world.spawn(
    "session",
    session({ ...options, cluster: cluster.ref, commands: commands.ref, feed: feed.ref }),
  );
  const bytes = (frame: Uint8Array) => {
    world.post(ref, { type: "frame", bytes: frame });
    world.settle();
  };
  return {
    world,
    commands,
    feed,
    port,
    ref,
    bytes,
    frame: (...envelopes: readonly unknown[]) => encodeFrames(envelopes).forEach(bytes),
    assertRefused: (name: CloseName, said?: RegExp) => {
      assert.deepEqual(port.closes, [{ code: CLOSE[name].code, reason: CLOSE[name].name }]);
      const last = port.toClient().at(-1);
      if (said !== undefined) {
        assert.ok(last?.type === "refused");
        assert.match(`${last.message} ${last.advice}`, said);
      }
      assert.equal(world.system.isAlive(ref), false);
      world.end();
    },
  };
}

const snapshot: ToClient = { type: "snapshot", subscription: "s", epoch: "", commit: 0, entries: [] };

Deno.test("commands and subscriptions are handed on in order, with the client's role", () => {
  const it = rig("submit");
  it.frame(
    { type: "command", id: "c1", command: { kind: "workers" } },
    { type: "subscribe", id: "s1", kind: "live", after: null, seen: null },
    { type: "unsubscribe", id: "s1" },
  );
  const command = it.commands.messages[0];
  assert.ok(command?.type === "command");
  assert.equal(command.role, "submit");
  assert.deepEqual(it.feed.messages.map((message) => message.type), ["subscribe", "unsubscribe"]);
  it.world.end();
});

Deno.test("a client need not speak", () => {
  const it = rig();
  it.world.loop.runFor(3_600_000);
  assert.equal(it.port.closes.length, 0);
  it.world.end();
});

Deno.test("a subscription's next share is asked for when the last one has left", () => {
  const it = rig();
  it.port.unread = 300_000;
  it.world.post(it.ref, { type: "deliver", subscription: 7, envelopes: [snapshot] });
  it.world.settle();
  assert.equal(it.port.frames.length, 1);
  it.world.loop.runFor(10_000);
  assert.equal(it.feed.messages.length, 0, "it is slow: nothing more is asked for");
  it.port.unread = 0;
  it.world.loop.runFor(100);
  assert.deepEqual(it.feed.messages, [{ type: "taken", subscription: 7 }]);
  it.world.loop.runFor(10_000);
  assert.equal(it.feed.messages.length, 1);
  it.world.end();
});

Deno.test("a client that asks and does not read is closed as too slow", () => {
  const it = rig("view", 1_000);
  it.port.unread = 1_001;
  it.world.post(it.ref, { type: "send", envelopes: [snapshot] });
  it.world.settle();
  it.assertRefused("too_slow");
});

Deno.test("a client that does not read is owed one frame beyond its limit, however much it asks in one turn", () => {
  const it = rig("view", 1_000);
  it.port.isUnread = true;
  const answer: ToClient = { ...snapshot, subscription: "x".repeat(80) };
  for (let n = 0; n < 10_000; n++) it.world.post(it.ref, { type: "send", envelopes: [answer] });
  it.world.settle();
  assert.ok(it.port.unread < 20_000, `it is owed ${it.port.unread} bytes`);
  it.assertRefused("too_slow");
});

Deno.test("a reply that fits into no frame becomes an error that says so, and the others go out", () => {
  const it = rig();
  const reply = { type: "reply", epoch: "", commit: 3, ok: true } as const;
  it.world.post(it.ref, {
    type: "send",
    envelopes: [
      { ...reply, id: commandId("c1"), value: 1 },
      { ...reply, id: commandId("c2"), value: "x".repeat(5_000_000) },
      { ...reply, id: commandId("c3"), value: 3 },
    ],
  });
  it.world.settle();
  const [first, second, third] = it.port.toClient();
  assert.ok(first?.type === "reply" && first.ok);
  assert.ok(second?.type === "reply" && !second.ok);
  assert.equal(second.id, "c2");
  assert.match(second.error.advice, /fewer rows/);
  assert.ok(third?.type === "reply" && third.ok);
  assert.equal(it.port.closes.length, 0);
  it.world.end();
});

Deno.test("a client's token may not register a worker", () => {
  const it = rig("admin");
  it.frame(registerEnvelope());
  it.assertRefused("unauthorized", /role admin may not register.*role worker/);
});

Deno.test("unknown commands, ids with path parts and too many tasks are refused", () => {
  const broken = [
    { type: "command", id: "c1", command: { kind: "format_disk" } },
    { type: "command", id: "../c1", command: { kind: "workers" } },
    { type: "command", id: "c1", command: { kind: "pause", group: "a/b" } },
    { type: "subscribe", id: "s\u0007", kind: "live", after: null, seen: null },
    { type: "subscribe", id: "s", kind: "log", after: -1, seen: null },
    { type: "teapot" },
    null,
    [],
  ];
  for (const envelope of broken) {
    const it = rig("admin");
    it.frame(envelope);
    assert.equal(it.commands.messages.length + it.feed.messages.length, 0);
    it.assertRefused("malformed");
  }
});

Deno.test("an envelope that fits does not save the frame that it came in", () => {
  const it = rig("admin");
  it.frame({ type: "command", id: "c1", command: { kind: "workers" } }, { type: "teapot" });
  assert.equal(it.commands.messages.length, 0);
  it.assertRefused("malformed");
});

Deno.test("text, bytes that are no msgpack, and a client's own refusal end the session", () => {
  const text = rig();
  text.world.post(text.ref, { type: "text_frame" });
  text.world.settle();
  text.assertRefused("malformed", /binary/);
  const noise = rig();
  noise.bytes(new TextEncoder().encode('{"type":"command"}'));
  noise.assertRefused("malformed", /no msgpack/);
  const refusal = rig();
  refusal.bytes(encode([{ type: "refused", code: "x", message: "no", path: "", advice: "" }]));
  refusal.assertRefused("bye");
});
