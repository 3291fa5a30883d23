import assert from "node:assert/strict";
import { workerId } from "../../../shared/model/ids.ts";
import { Fleet } from "./fleet.ts";

Deno.test("a worker that is silent for 15 s becomes doubtful, and its task goes to another", () => {
  const fleet = new Fleet();
  const silent = fleet.join("w1");
  fleet.submit(1);
  const other = fleet.join("w2");
  silent.mute = true;
  fleet.pass(14_500);
  assert.equal(other.leases.length, 0);
  fleet.pass(1_000);
  assert.equal(other.leases.length, 1);
});

Deno.test("after 30 s of silence the attempt is lost", () => {
  const fleet = new Fleet();
  const silent = fleet.join("w1");
  const group = fleet.submit(1);
  silent.mute = true;
  fleet.pass(29_500);
  assert.equal(fleet.row(group)?.ended.size, 0);
  fleet.pass(1_000);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["worker_lost"]);
});

Deno.test("a worker that was given up over a session that stands has to register again", () => {
  const fleet = new Fleet();
  const silent = fleet.join("w1");
  fleet.submit(1);
  silent.mute = true;
  fleet.pass(31_000);
  assert.equal(silent.closed?.name, "silent");
  assert.equal(fleet.core.workers.get(workerId("w1"))?.session, undefined);
});

Deno.test("a master that was not running for 40 s calls nobody silent", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  const other = fleet.join("w2");
  fleet.pass(1_000);
  fleet.loop.pause(40_000);
  fleet.settle();
  fleet.virtual.runFor(10_000);
  assert.equal(other.leases.length, 0);
  assert.equal(fleet.row(group)?.ended.size, 0);
  worker.completes();
  assert.ok(fleet.outcome(group));
});

Deno.test("a worker that is gone and holds nothing is forgotten after an hour", () => {
  const fleet = new Fleet();
  fleet.join("w1").leaves();
  fleet.pass(3_500_000);
  assert.equal(fleet.core.workers.size, 1);
  fleet.pass(200_000);
  assert.equal(fleet.core.workers.size, 0);
});
