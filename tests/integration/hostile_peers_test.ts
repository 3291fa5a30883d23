/**
 * Peers that speak nonsense, or too much, while an honest fleet works.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { encode } from "../../shared/protocol/codec.ts";
import { CLOSE, FRAME_BYTES_MAX, FRAME_ENVELOPES_MAX, SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { Peer, registration, upgradeStatus } from "./fleet/peer.ts";
import { slowSearch } from "./fleet/specs.ts";

/** A spare factor of a thousand over what a round trip takes, on cores that others use too. */
const ROUND_TRIP_MS_MAX = 2_000;
/** What the master's memory may grow by, however much is thrown at it. */
const GROWTH_MB_MAX = 250;
const FLOOD = 300;
const TRIALS = 16;

withFleet("hostile peers are refused one by one, and an honest fleet does not feel them", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  fleet.worker("w1", { slots: 2 });
  const search = await client.run(slowSearch("honest", TRIALS, 200));
  const rssMb = residentMb(master.pid);

  const trips: number[] = [];
  for (const act of [nonsense, wrongVersions, strangers, overreach, flood]) {
    await act(fleet);
    trips.push(await roundTripMs(client));
  }
  ok(Math.max(...trips) < ROUND_TRIP_MS_MAX, `round trips took ${trips} ms`);
  const grownMb = residentMb(master.pid) - rssMb;
  ok(grownMb < GROWTH_MB_MAX, `the master grew by ${grownMb} MB`);

  const { trials } = await search.wait();
  deepEqual([trials.completed, trials.failed], [TRIALS, 0]);
  await master.kill();
  assertAllCompleted(fleet.data, TRIALS);
});

/** Frames that are none. */
async function nonsense(fleet: Fleet): Promise<void> {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  // msgpack's code that is never used, so that chance cannot make sense of it.
  noise[0] = 0xc1;
  const deep = new Uint8Array(1_000_000).fill(0x91);
  const heartbeats = Array.from({ length: FRAME_ENVELOPES_MAX + 1 }, () => ({ type: "heartbeat" }));
  const claims = new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]);
  const frames: readonly Frame[] = [
    [noise, CLOSE.malformed.code],
    [deep, CLOSE.malformed.code],
    [claims, CLOSE.malformed.code],
    ['[{"type":"register"}]', CLOSE.malformed.code],
    [encode(heartbeats), CLOSE.too_large.code],
    [new Uint8Array(FRAME_BYTES_MAX + 1), CLOSE.too_large.code],
    [encode([{ type: "no such type" }]), CLOSE.malformed.code],
  ];
  const registrations: readonly Frame[] = [
    [encode([{ ...registration("x"), slots: -1 }]), CLOSE.malformed.code],
    [encode([{ ...registration("x"), slots: 1_000_000 }]), CLOSE.malformed.code],
    [encode([{ ...registration("x"), pool: { cpus: -1, memoryBytes: 1, gpus: 0 } }]), CLOSE.malformed.code],
    [
      encode([{ ...registration("x"), pool: { cpus: 1, memoryBytes: Infinity, gpus: 0 } }]),
      CLOSE.malformed.code,
    ],
    [encode([{ ...registration("x"), more: true }]), CLOSE.malformed.code],
    [encode([registration("__proto__")]), CLOSE.malformed.code],
    [encode([registration("a\u0000b")]), CLOSE.malformed.code],
    [encode([registration("a/../b")]), CLOSE.malformed.code],
    [encode([registration("\u202eknaf")]), CLOSE.malformed.code],
    [encode([registration("x".repeat(81))]), CLOSE.malformed.code],
    [encode([{ ...registration("../x") }]), CLOSE.malformed.code],
  ];
  await refuseEach(fleet, "admin", frames);
  await refuseEach(fleet, "worker", [...frames, ...registrations]);
}

/** What is sent, and the code with which the connection is closed. */
type Frame = readonly [Uint8Array<ArrayBuffer> | string, number];

async function refuseEach(fleet: Fleet, role: "admin" | "worker", frames: readonly Frame[]): Promise<void> {
  for (const [index, [frame, code]] of frames.entries()) {
    const peer = new Peer(fleet.url, fleet.token(role));
    ok(await peer.opened);
    peer.sayRaw(frame);
    equal(await peer.closed, code, `frame ${index} as ${role}: ${JSON.stringify(peer.heard)}`);
    equal(peer.heard.at(-1)?.["type"], "refused");
  }
}

/** Peers of another release. */
async function wrongVersions(fleet: Fleet): Promise<void> {
  const newer = new Peer(fleet.url, fleet.token("worker"));
  ok(await newer.opened);
  newer.say({ ...registration("newer"), version: { major: 2, minor: 0 } });
  equal(await newer.closed, CLOSE.version.code);
  match(String(newer.heard.at(-1)?.["message"]), /version 2 .* version 1/);
  const protocols = `espalier.2, espalier.token.${fleet.token("worker")}`;
  equal(await upgradeStatus(fleet.url, { "sec-websocket-protocol": protocols }), 426);
}

/** Peers without the right to be here. */
async function strangers(fleet: Fleet): Promise<void> {
  for (const token of ["", "x".repeat(43), fleet.token("worker").slice(0, -1)]) {
    equal(await new Peer(fleet.url, token).opened, false);
  }
  const foreign = await upgradeStatus(fleet.url, {
    origin: "https://example.org",
    "sec-websocket-protocol": `${SUBPROTOCOL}, espalier.token.${fleet.token("admin")}`,
  });
  equal(foreign, 403);
  const commander = new Peer(fleet.url, fleet.token("worker"));
  await commander.opened;
  commander.say({ type: "command", id: "c", command: { kind: "workers" } });
  equal(await commander.closed, CLOSE.unauthorized.code);
  const impostor = new Peer(fleet.url, fleet.token("admin"));
  await impostor.opened;
  impostor.say(registration("impostor"));
  equal(await impostor.closed, CLOSE.unauthorized.code);
}

/** Peers that may be here and ask for what they may not. */
async function overreach(fleet: Fleet): Promise<void> {
  const viewer = new Peer(fleet.url, fleet.token("view"));
  await viewer.opened;
  const template = {
    evaluator: { kind: "builtin", name: "noop" },
    resources: { cpus: 0, memoryBytes: 0, gpus: 0 },
    priority: 0,
    retry: { limit: 0, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 },
    graceMs: 0,
    reassignAfterMs: 0,
  };
  const submit = { kind: "submit", name: "x", template, payloads: [new Uint8Array()] };
  viewer.say({ type: "command", id: "v1", command: submit });
  equal(errorCode(await viewer.until(({ id }) => id === "v1")), "forbidden");
  await viewer.close();

  const admin = new Peer(fleet.url, fleet.token("admin"));
  await admin.opened;
  let spec: unknown = {};
  for (let depth = 0; depth < 90; depth++) spec = { space: spec };
  admin.say(...[1, 2, 3].map((n) => ({ type: "command", id: `a${n}`, command: { kind: "run", spec } })));
  for (const n of [1, 2, 3]) equal(errorCode(await admin.until(({ id }) => id === `a${n}`)), "bad_spec");
  await admin.close();
}

/** Registrations and commands without end. */
async function flood(fleet: Fleet): Promise<void> {
  const peers = Array.from({ length: FLOOD }, () => new Peer(fleet.url, fleet.token("worker")));
  const [first] = peers;
  ok(first !== undefined);
  await first.opened;
  await Promise.all(peers.map(async (peer, index) => {
    // Some of them may be told to come later.
    if (!await peer.opened) return;
    // Ten names: the others are rivals of whoever came first.
    peer.say(registration(`flood-${index % 10}`));
    peer.say(...Array(100).fill({ type: "stop", graceMs: 0, reason: "x".repeat(4_096) }));
  }));
  await Promise.all(peers.map((peer) => peer.close()));
}

async function roundTripMs(client: Client): Promise<number> {
  const startedMs = performance.now();
  await client.experiments({ limit: 1 });
  return Math.round(performance.now() - startedMs);
}

function errorCode(reply: Readonly<Record<string, unknown>>): unknown {
  const error = reply["error"];
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

function residentMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}
