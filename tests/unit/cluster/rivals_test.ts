import assert from "node:assert/strict";
import { RIVAL_SAID_MAX } from "../../../master/cluster/rivals.ts";
import { completed, type FakeWorker, held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** It is asked, and asked once more. */
function answers(fleet: Fleet, older: FakeWorker): void {
  for (let question = 1; question <= 2; question++) {
    older.beats();
    fleet.settle();
  }
}

Deno.test("an older process that answers within 2 s keeps its name, and the newcomer is told who has it", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const newer = fleet.join("w", { incarnation: "second" });
  assert.equal(newer.of("welcome").length, 0);
  assert.equal(older.of("heartbeat").length, 1);
  answers(fleet, older);
  assert.equal(newer.closed?.name, "rival");
  assert.match(newer.closed?.message ?? "", /process 1 on host/);
  assert.equal(older.closed, undefined);
});

Deno.test("an older process that is silent for 2 s loses its name", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const newer = fleet.join("w", { incarnation: "second" });
  fleet.virtual.runFor(1_900);
  assert.equal(newer.of("welcome").length, 0);
  fleet.virtual.runFor(200);
  assert.equal(newer.of("welcome").length, 1);
  assert.equal(older.closed?.name, "replaced");
});

Deno.test("an older process whose session ends loses its name at once", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const newer = fleet.join("w", { incarnation: "second" });
  older.leaves();
  assert.equal(newer.of("welcome").length, 1);
});

Deno.test("what a newcomer says while it waits is heard when it is taken in", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const group = fleet.submit(1);
  const lease = older.lease;
  const newer = fleet.join("w", { incarnation: "second", leases: [held(lease, "finished", 5)] });
  newer.says(completed(lease));
  fleet.virtual.runFor(2_100);
  assert.deepEqual(newer.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("a third process of the name is told to come again, a newer connection of the second takes its place", () => {
  const fleet = new Fleet();
  fleet.join("w");
  const second = fleet.join("w", { incarnation: "second" });
  const third = fleet.join("w", { incarnation: "third" });
  assert.equal(third.closed?.name, "busy");
  const again = fleet.join("w", { incarnation: "second" });
  assert.equal(second.closed?.name, "replaced");
  fleet.virtual.runFor(2_100);
  assert.equal(again.of("welcome").length, 1);
});

Deno.test("a master that was not running gives the older process its time", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const newer = fleet.join("w", { incarnation: "second" });
  fleet.loop.pause(60_000);
  fleet.settle();
  assert.equal(newer.of("welcome").length, 0);
  answers(fleet, older);
  assert.equal(newer.closed?.name, "rival");
});

Deno.test("the newer session of one incarnation wins, and the older one's words are dropped", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const group = fleet.submit(1);
  const lease = older.lease;
  const newer = fleet.join("w", { leases: [held(lease, "running", 10)] });
  assert.equal(older.closed?.name, "replaced");
  older.completes(lease);
  assert.deepEqual(older.verdicts, []);
  assert.equal(fleet.outcome(group), undefined);
  newer.completes(lease);
  assert.deepEqual(newer.verdicts, ["recorded"]);
});

Deno.test("the late end of an older session changes nothing", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const group = fleet.submit(1);
  const other = fleet.join("x");
  const newer = fleet.join("w", { leases: [held(older.lease, "running", 10)] });
  older.leaves();
  assert.equal(other.leases.length, 0);
  assert.equal(fleet.stateOf(group), "out");
  newer.completes(older.lease);
  assert.ok(fleet.outcome(group));
});

Deno.test("only a heartbeat shows that the older process lives: other words may have waited in a dead connection", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const group = fleet.submit(1);
  const newer = fleet.join("w", { incarnation: "second" });
  older.completes();
  assert.ok(fleet.outcome(group));
  assert.equal(newer.closed, undefined);
  fleet.virtual.runFor(2_100);
  assert.equal(newer.of("welcome").length, 1);
});

Deno.test("a newcomer that says more than is kept while it waits has to come again", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  fleet.submit(1);
  const newer = fleet.join("w", { incarnation: "second" });
  const said = Array.from({ length: RIVAL_SAID_MAX }, () => completed(older.lease));
  newer.says(...said);
  assert.ok(newer.isConnected);
  newer.says(completed(older.lease));
  assert.equal(newer.closed?.name, "busy");
  fleet.virtual.runFor(2_100);
  assert.ok(older.isConnected);
});

Deno.test("heartbeats that had waited in a dead connection are no answer: they come at once, and nothing follows", () => {
  const fleet = new Fleet();
  const older = fleet.join("w");
  const newer = fleet.join("w", { incarnation: "second" });
  older.beats();
  older.beats();
  fleet.settle();
  assert.ok(newer.isConnected);
  fleet.virtual.runFor(2_100);
  assert.equal(newer.of("welcome").length, 1);
  assert.equal(older.closed?.name, "replaced");
});
