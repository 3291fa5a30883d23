/**
 * Whose output a worker's session may bring.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SessionLeases } from "../../../master/gateway/session_leases.ts";
import { groupId, taskId } from "../../../shared/model/ids.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import type { Assign, Result, Welcome } from "../../../shared/protocol/worker_envelopes.ts";
import { EPOCH } from "../gateway/rig.ts";
import { NOOP, STEERED } from "../worker/rig.ts";

const PRINTS = encode(STEERED);
const leaseOf = (number: number) => ({ epoch: EPOCH, task: taskId(groupId("g"), number), attempt: 1 });

function assign(number: number, template: Uint8Array = PRINTS): Assign {
  return { type: "assign", ...leaseOf(number), template, payload: new Uint8Array() };
}

function result(number: number): Result {
  return { type: "result", ...leaseOf(number), end: { state: "cancelled" }, elapsedMs: 1 };
}

Deno.test("a lease is the worker's from its assignment until long after its result, and no other is", () => {
  const leases = new SessionLeases();
  leases.told([assign(1), assign(2)]);
  assert.deepEqual([1, 2, 3].map((number) => leases.has(leaseOf(number))), [true, true, false]);
  assert.equal(leases.has({ ...leaseOf(1), attempt: 2 }), false);
  leases.ended(result(1));
  assert.equal(leases.has(leaseOf(1)), true, "its output may come behind its result");
  for (let number = 10; number < 3_000; number++) {
    leases.told([assign(number)]);
    leases.ended(result(number));
  }
  assert.equal(leases.has(leaseOf(1)), false, "what ended long ago is forgotten");
  assert.equal(leases.has(leaseOf(2)), true, "what runs is not");
});

Deno.test("of what a worker says it has, that counts which its master lets it keep", () => {
  const leases = new SessionLeases();
  const held = [1, 2].map((number) => ({ ...leaseOf(number), state: "running", elapsedMs: 1 } as const));
  leases.registered(held);
  assert.equal(leases.has(leaseOf(1)), false);
  const welcome: Welcome = { type: "welcome", epoch: EPOCH, commit: 0, heartbeatMs: 1, keep: [true, false] };
  leases.told([welcome]);
  assert.deepEqual([leases.has(leaseOf(1)), leases.has(leaseOf(2))], [true, false]);
});

Deno.test("built-in evaluators print nothing, and are not remembered", () => {
  const leases = new SessionLeases();
  leases.told([assign(1, encode(NOOP)), assign(2, new Uint8Array([1, 2, 3]))]);
  assert.deepEqual([leases.has(leaseOf(1)), leases.has(leaseOf(2))], [false, true]);
});
