/**
 * The checkers of the world notice what they are there for.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ActorView } from "../../../shared/actor/system.ts";
import { type Epoch, epochOf, groupId, taskId } from "../../../shared/model/ids.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import type { Result } from "../../../shared/protocol/worker_envelopes.ts";
import { type CheckerName, Findings } from "../findings.ts";
import { StoreLives } from "../store_lives.ts";
import { Buffers } from "./buffers.ts";
import { StaleSessions } from "./stale_sessions.ts";
import { Supervision } from "./supervision.ts";

const EPOCH: Epoch = epochOf("0".repeat(32), 1, "00000000");
const LEASE = { epoch: EPOCH, task: taskId(groupId("s.1"), 1), attempt: 1 };
const MIB = 1024 * 1024;

function newFindings(): { readonly findings: Findings; readonly found: () => readonly CheckerName[] } {
  const findings = new Findings(() => 0);
  return { findings, found: () => findings.violations.map(({ checker }) => checker) };
}

function view(name: string, children: readonly (readonly [string, number])[]): ActorView {
  const one = { path: name, id: 1, mailbox: 0, handled: 0, startedAtMs: 0, remote: [], notes: {} };
  const state = "running" as const;
  return {
    ...one,
    name,
    state,
    children: children.map(([child, id]) => ({ ...one, name: child, id, state, children: [] })),
  };
}

function resultFrame(): Uint8Array {
  const result: Result = {
    type: "result",
    ...LEASE,
    end: { state: "completed", metrics: { score: 1 } },
    elapsedMs: 1,
  };
  return encode([result]);
}

Deno.test("a result that came over an older session only must not count; one that came in time may", () => {
  const { findings, found } = newFindings();
  let late = 0;
  const sessions = new StaleSessions(findings, () => late++);
  const frame = { to: "master", node: "w1", bytes: resultFrame() } as const;
  sessions.delivers({ ...frame, isLate: true });
  sessions.counted(LEASE);
  assert.deepEqual(found(), ["stale_session"]);
  assert.equal(late, 1);
  sessions.delivers({ ...frame, isLate: false });
  sessions.counted(LEASE);
  sessions.delivers({ ...frame, isLate: true });
  sessions.counted(LEASE);
  assert.equal(found().length, 1);
});

Deno.test("whoever depends on another must have begun after it, and not without it", () => {
  const { findings, found } = newFindings();
  const supervision = new Supervision(findings);
  supervision.look("w1", view("worker", [["outbox", 5], ["slots", 6], ["link", 9], ["vitals", 10]]));
  supervision.look("w1", view("worker", [["outbox", 5], ["slots", 6]]));
  assert.deepEqual(found(), []);
  supervision.look("w1", view("worker", [["outbox", 11], ["slots", 6], ["link", 9], ["vitals", 10]]));
  assert.deepEqual(found(), ["supervision"]);
  supervision.look("w1", view("worker", [["outbox", 5], ["link", 9]]));
  assert.deepEqual(found(), ["supervision", "supervision"]);
});

Deno.test("a sixth restart within a minute is too many; in the next minute it is none too many", () => {
  const { findings, found } = newFindings();
  const restarts = new Supervision(findings).begin("master");
  const restart = (atMs: number) => restarts.restarted("master", "cluster", atMs, { restarts: 1 });
  for (let i = 0; i < 5; i++) restart(i * 1_000);
  restart(61_000);
  assert.deepEqual(found(), []);
  // Three and four seconds still count, and 61 s.
  restart(62_500);
  restart(62_600);
  assert.deepEqual(found(), []);
  restart(62_700);
  assert.deepEqual(found(), ["supervision"]);
});

Deno.test("more unread bytes than a session may leave unread are noticed", () => {
  const { findings, found } = newFindings();
  const buffers = new Buffers(findings);
  for (const unread of [1, 32 * MIB]) buffers.queued(unread);
  assert.deepEqual(found(), []);
  buffers.queued(64 * MIB);
  assert.deepEqual(found(), ["buffers_bounded"]);
});

Deno.test("an epoch of a store that was replaced, or renamed, is not of the present store", () => {
  const lives = new StoreLives();
  lives.epochAdded(EPOCH);
  assert(lives.isPresent(EPOCH));
  lives.replaced();
  assert(!lives.isPresent(EPOCH));
  const restored = epochOf("0".repeat(32), 1, "00000001");
  lives.epochAdded(restored);
  assert(lives.isPresent(restored));
  const renamed = epochOf("1".repeat(32), 1, "00000002");
  lives.epochAdded(renamed);
  assert(lives.isPresent(renamed) && !lives.isPresent(restored));
  assert.equal(lives.life, 2);
});
