import assert from "node:assert/strict";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import { type Logs, NO_LOGS } from "../../../master/logs/logs.ts";
import type { RegistrarMessage } from "../../../master/experiments/messages.ts";
import { commands } from "../../../master/gateway/commands.ts";
import type { FeedMessage } from "../../../master/gateway/messages.ts";
import { type Role, ROLES } from "../../../master/gateway/roles.ts";
import { session } from "../../../master/gateway/session.ts";
import type { StoreMessage } from "../../../master/store/messages.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import { CLOSE } from "../../../shared/protocol/limits.ts";
import { COMMANDS, ENVELOPES, KINDS, TYPES } from "./envelope_samples.ts";
import { EPOCH, FakePort, World } from "./rig.ts";

/** A session of a role over the real router of commands; everybody behind them only listens. */
function rig(role: Role) {
  const world = new World();
  const cluster = world.listener<ClusterMessage>("cluster");
  const registrar = world.listener<RegistrarMessage>("registrar");
  const store = world.listener<StoreMessage>("store");
  const feed = world.listener<FeedMessage>("feed");
  const stops: number[] = [];
  const router = world.spawn(
    "commands",
    commands({
      cluster: cluster.ref,
      registrar: registrar.ref,
      store: store.ref,
      feed: feed.ref,
      stopMaster: (graceMs) => stops.push(graceMs),
    }),
  );
  world.post(router, { type: "known", epoch: EPOCH, commit: 1, trouble: "" });
  world.settle();
  const port = new FakePort();
  const printed: unknown[] = [];
  const logs: Logs = { ...NO_LOGS, take: (brought) => printed.push(brought) };
  const options = { id: "session:1", role, port, heartbeatMs: 10_000, logs };
  const ref = world.spawn(
    "session",
    session({ ...options, cluster: cluster.ref, commands: router, feed: feed.ref }),
  );
  const before = feed.messages.length;
  return {
    world,
    port,
    say: (...envelopes: readonly unknown[]) => {
      world.post(ref, { type: "frame", bytes: encode(envelopes) });
      world.settle();
    },
    /** What reached anybody behind the session and the router. */
    reached: () =>
      cluster.messages.length + registrar.messages.length + store.messages.length + stops.length +
      printed.length + feed.messages.length - before,
    isOpen: () => port.closes.length === 0,
  };
}

Deno.test("every envelope and every command of the protocol has an entry that says who may say it", () => {
  assert.deepEqual(new Set(Object.keys(ENVELOPES)), TYPES);
  assert.deepEqual(new Set(Object.keys(COMMANDS)), KINDS);
});

for (const role of ROLES) {
  const speaker = role === "worker" ? "worker" : "client";
  for (const [type, { by, envelope }] of Object.entries(ENVELOPES)) {
    const may = by.includes(speaker);
    Deno.test(`${role} ${may ? "may" : "may not"} say ${type}`, () => {
      const it = rig(role);
      const first = role === "worker" && type !== "register" ? [ENVELOPES["register"]?.envelope] : [];
      if (first.length > 0) it.say(...first);
      const before = it.reached();
      it.say(envelope);
      if (!may) {
        // A worker's session that ends is told to the cluster, and nothing else is.
        assert.equal(it.reached() - before, first.length, "it reached somebody");
        const [close] = it.port.closes;
        assert.ok(close !== undefined && close.code >= CLOSE.malformed.code, JSON.stringify(close));
        assert.equal(it.port.toClient().filter((each) => each.type === "refused").length, 1);
      } else if (type !== "refused") {
        assert.ok(it.isOpen() && it.reached() > before, "it reached nobody");
      }
      it.world.end();
    });
  }
}

for (const role of ["admin", "submit", "view"] as const) {
  for (const [kind, { may, body }] of Object.entries(COMMANDS)) {
    Deno.test(`${role} ${may.includes(role) ? "may" : "may not"} command ${kind}`, () => {
      const it = rig(role);
      it.say({ type: "command", id: "c1", command: body });
      assert.ok(it.isOpen(), "a command that is not allowed ends no session");
      if (may.includes(role)) {
        assert.ok(it.reached() > 0, "it reached nobody");
      } else {
        assert.equal(it.reached(), 0, "it reached somebody");
        const [reply] = it.port.toClient();
        assert.ok(reply?.type === "reply" && !reply.ok);
        assert.equal(reply.error.code, "forbidden");
      }
      it.world.end();
    });
  }
}
