/**
 * Fuzzed frames over real sockets: each ends its own session with a code, and nobody behind it hears anything.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromClient } from "../../shared/protocol/client_envelopes.ts";
import { decodeFrame } from "../../shared/protocol/codec.ts";
import { CLOSE } from "../../shared/protocol/limits.ts";
import { fromWorker } from "../../shared/protocol/worker_envelopes.ts";
import { anyFrame } from "../property/frames_arbitrary.ts";
import { registerEnvelope } from "../unit/gateway/rig.ts";
import { GatewayRig } from "./gateway_rig.ts";

const FRAMES = fc.sample(anyFrame, { seed: 4, numRuns: 150 });
const CODES: readonly number[] = [
  CLOSE.malformed.code,
  CLOSE.too_large.code,
  CLOSE.version.code,
  CLOSE.unauthorized.code,
];

async function withRig(body: (it: GatewayRig) => Promise<void>): Promise<void> {
  const it = new GatewayRig();
  try {
    await isReady(it);
    await body(it);
  } finally {
    await it.end();
  }
}

async function isReady(it: GatewayRig): Promise<void> {
  for (let status = 0; status !== 200;) {
    const response = await it.get("/ready");
    await response.body?.cancel();
    status = response.status;
  }
}

Deno.test("each spoilt frame of a worker ends its session alone, and the cluster hears none of it", () =>
  withRig(async (it) => {
    const bystander = it.connect(it.tokens.view);
    await bystander.opened;
    const bad = FRAMES.filter((bytes) => !decodeFrame(bytes, fromWorker).ok);
    ok(bad.length > 100);
    for (const bytes of bad) {
      const socket = it.connect(it.tokens.worker);
      await socket.opened;
      socket.say(registerEnvelope());
      socket.sayRaw(bytes);
      const code = await socket.closed;
      ok(CODES.includes(code), `${code} for ${bytes}`);
    }
    await it.until(() => it.cluster.filter(({ type }) => type === "worker_left").length === bad.length);
    equal(it.cluster.filter(({ type }) => type === "worker_joined").length, bad.length);
    deepEqual(it.cluster.filter(({ type }) => type === "worker_said"), []);
    bystander.say({ type: "command", id: "c1", command: { kind: "workers" } });
    ok((await bystander.next((each) => each.type === "reply")).ok);
    bystander.close();
    await bystander.closed;
    ok(!it.log.some((line) => line.includes("crashed")), it.log.join("\n"));
  }));

Deno.test("each spoilt frame of a client ends its session alone, and nobody is asked anything", () =>
  withRig(async (it) => {
    const bad = FRAMES.filter((bytes) => !decodeFrame(bytes, fromClient).ok);
    ok(bad.length > 100);
    const heard = it.cluster.length;
    for (const bytes of bad) {
      const socket = it.connect(it.tokens.admin);
      await socket.opened;
      socket.sayRaw(bytes);
      const code = await socket.closed;
      ok(CODES.includes(code), `${code} for ${bytes}`);
    }
    equal(it.cluster.length, heard);
    deepEqual(it.stops, []);
    ok(!it.log.some((line) => line.includes("crashed")), it.log.join("\n"));
  }));

Deno.test("what comes after a session's end is heard by nobody", () =>
  withRig(async (it) => {
    const socket = it.connect(it.tokens.worker);
    await socket.opened;
    socket.say(registerEnvelope());
    socket.sayRaw("text");
    // The master has ended the session before it reads these; the socket may still take them.
    for (let n = 0; n < 100; n++) socket.say({ type: "stop", graceMs: 0, reason: "late" });
    // With words unread, the connection is reset: its code may be lost.
    await socket.closed;
    await it.until(() => it.cluster.some(({ type }) => type === "worker_left"));
    deepEqual(it.cluster.filter(({ type }) => type === "worker_said"), []);
  }));
