import assert from "node:assert/strict";
import { RETRY_DEFAULTS } from "../../../shared/model/task.ts";
import { completed, held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** A task whose first worker has lost its connection and whose second attempt runs on w2. */
function givenAway(afterMs = 1_000) {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(afterMs);
  first.leaves();
  const second = fleet.join("w2");
  return { fleet, group, first, second, lease: first.lease };
}

Deno.test("a doubtful lease is given away at once", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const second = fleet.join("w2");
  fleet.submit(1);
  const [busy, idle] = first.leases.length > 0 ? [first, second] : [second, first];
  busy.leaves();
  assert.equal(idle.lease.attempt, 2);
});

Deno.test("leases that become doubtful go to the front of the queue in their order", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1", { slots: 3 });
  const group = fleet.submit(5);
  first.leaves();
  const second = fleet.join("w2", { slots: 5 });
  assert.deepEqual(second.leases.map((lease) => lease.task), [1, 2, 3, 4, 5].map((n) => `${group}/${n}`));
});

Deno.test("a worker whose attempt ran longer keeps it, and the other's is cancelled as a duplicate", () => {
  const { fleet, second, lease } = givenAway();
  const back = fleet.join("w1", { leases: [held(lease, "running", 1_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.deepEqual(second.of("cancel").map((each) => each.reason), ["duplicate"]);
  second.ends(second.lease, { state: "cancelled" });
  assert.equal(second.leases.length, 1);
});

Deno.test("a worker whose attempt ran less long is told to stop it, and its slot is kept until it has", () => {
  const { fleet, second, lease } = givenAway(0);
  fleet.pass(5_000);
  const back = fleet.join("w1", { leases: [held(lease, "running", 100)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[false]]);
  assert.deepEqual(second.of("cancel"), []);
  fleet.submit(1);
  assert.equal(back.leases.length, 0);
  back.ends(lease, { state: "cancelled" });
  assert.equal(back.leases.length, 1);
});

Deno.test("a worker that comes back finished completes the task", () => {
  const { fleet, group, second, lease } = givenAway();
  const back = fleet.join("w1", { leases: [held(lease, "finished", 500)] });
  back.completes(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
  assert.deepEqual(second.of("cancel").map((each) => each.reason), ["duplicate"]);
});

Deno.test("a worker that comes back with a result that is still to be sent does not start the task elsewhere", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1);
  const lease = first.lease;
  first.leaves();
  const back = fleet.join("w1", { leases: [held(lease, "finished", 500)] });
  const other = fleet.join("w2");
  assert.equal(other.leases.length, 0);
  back.completes(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
});

Deno.test("a worker that comes back with a failure fails its attempt, and the other goes on", () => {
  const { fleet, group, second, lease } = givenAway();
  const back = fleet.join("w1", { leases: [held(lease, "finished", 500)] });
  back.fails(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.row(group)?.ended.size, 1);
  assert.deepEqual(second.of("cancel"), []);
  second.completes();
  assert.equal(fleet.outcome(group)?.lease?.attempt, 2);
});

Deno.test("a worker that comes back after 31 s keeps its attempt where nobody else runs the task", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  const lease = first.lease;
  first.leaves();
  fleet.pass(31_000);
  assert.equal([...fleet.row(group)?.ended.values() ?? []].join(), "worker_lost");
  const back = fleet.join("w1", { leases: [held(lease, "running", 31_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.equal(back.leases.length, 0);
  back.completes(lease);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
});

Deno.test("a worker that comes back after an hour keeps its attempt, and the shorter one is cancelled", () => {
  const { fleet, group, second, lease } = givenAway();
  fleet.pass(3_600_000);
  const back = fleet.join("w1", { leases: [held(lease, "running", 3_700_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.equal(second.of("cancel").length, 1);
  back.completes(lease);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
});

Deno.test("a worker that comes back after the task was resolved stops, and keeps its slot until it has", () => {
  const { fleet, second, lease } = givenAway();
  second.completes();
  second.leaves();
  fleet.pass(31_000);
  const back = fleet.join("w1", { leases: [held(lease, "running", 31_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[false]]);
  fleet.submit(1);
  assert.equal(back.leases.length, 0);
  back.ends(lease, { state: "cancelled" });
  assert.equal(back.leases.length, 1);
  assert.deepEqual(back.verdicts, ["recorded"]);
});

Deno.test("with reassignAfter a doubtful task waits for its worker that long, then goes to another", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { reassignAfterMs: 20_000 });
  const second = fleet.join("w2");
  first.leaves();
  fleet.pass(19_000);
  assert.equal(second.leases.length, 0);
  fleet.pass(2_000);
  assert.equal(second.leases.length, 1);
});

Deno.test("with reassignAfter beyond the silence that loses a worker, the task still waits that long", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { reassignAfterMs: 60_000 });
  const second = fleet.join("w2");
  first.leaves();
  fleet.pass(59_000);
  assert.equal(second.leases.length, 0);
  fleet.pass(2_000);
  assert.equal(second.leases.length, 1);
});

Deno.test("each doubt begins reassignAfter anew", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { reassignAfterMs: 20_000 });
  const second = fleet.join("w2");
  first.leaves();
  fleet.pass(10_000);
  const back = fleet.join("w1", { leases: [held(first.lease, "running", 10_000)] });
  fleet.pass(5_000);
  back.leaves();
  fleet.pass(10_000);
  assert.equal(second.leases.length, 0);
  fleet.pass(11_000);
  assert.equal(second.leases.length, 1);
});

Deno.test("with reassignAfter a task whose assignment was never received goes on at once", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { reassignAfterMs: 600_000 });
  first.leaves();
  const back = fleet.join("w1");
  assert.equal(back.lease.attempt, 2);
});

Deno.test("an attempt that was lost and comes back to fail is one failure, not two", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1, { retry: { ...RETRY_DEFAULTS, limit: 1, backoffMs: 0 } });
  const lease = first.lease;
  first.leaves();
  fleet.pass(31_000);
  const back = fleet.join("w1", { leases: [held(lease, "running", 31_000)] });
  back.fails(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["worker_lost"]);
  assert.equal(back.lease.attempt, 2);
  back.fails();
  assert.equal(back.lease.attempt, 3);
});

Deno.test("a third lease is never granted while two are doubtful", () => {
  const { fleet, group, second } = givenAway();
  second.leaves();
  const third = fleet.join("w3");
  assert.equal(third.leases.length, 0);
  assert.equal(fleet.stateOf(group), "out");
});

Deno.test("when one of two doubtful leases is lost, the task is given away at once", () => {
  const { fleet, second } = givenAway();
  fleet.pass(20_000);
  second.leaves();
  const third = fleet.join("w3");
  fleet.pass(12_000);
  assert.equal(third.leases.length, 1);
});

Deno.test("when the live one of two attempts fails, the task is tried elsewhere without waiting for the doubtful one", () => {
  const { fleet, second } = givenAway();
  const third = fleet.join("w3");
  second.fails();
  fleet.pass(1_000);
  assert.equal(third.leases.length, 1);
});

Deno.test("an assignment that the same incarnation does not list was never received and counts nowhere", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(4, { retry: { limit: 0, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 } });
  const [first] = worker.leases;
  assert.ok(first);
  worker.leaves();
  const back = fleet.join("w", { slots: 2, leases: [held(first, "running", 0)] });
  // Task 2 comes before those that never were out.
  assert.deepEqual(back.leases.map((lease) => lease.task), [`${group}/2`]);
  back.completes(back.lease);
  assert.equal(fleet.outcome(group, 2)?.outcome.state, "completed");
  assert.equal(fleet.row(group, 2)?.ended.size, 0);
});

Deno.test("an attempt that another incarnation does not list is a crash, and counts as one", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.leaves();
  fleet.join("w", { incarnation: "second" });
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["crash"]);
});

Deno.test("what waited on a worker that crashed is not counted as a crash", () => {
  const fleet = new Fleet({ prefetchMax: 10 });
  const worker = fleet.join("w");
  const group = fleet.submit(4);
  worker.completes(worker.lease, 1);
  assert.equal(worker.leases.length, 4);
  worker.leaves();
  fleet.join("w", { incarnation: "second" });
  assert.deepEqual([2, 3, 4].map((n) => [...fleet.row(group, n)?.ended.values() ?? []].join()), [
    "crash",
    "",
    "",
  ]);
});

Deno.test("a task that crashes its workers fails after the crash limit", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1, { retry: { ...RETRY_DEFAULTS, crashLimit: 1 } });
  for (let life = 1; life <= 3; life++) {
    const worker = fleet.join("w", { incarnation: `life${life}` });
    fleet.pass(1_000);
    worker.leaves();
  }
  const outcome = fleet.outcome(group)?.outcome;
  assert.ok(outcome?.state === "failed");
  assert.equal(outcome.cause, "crash");
});

Deno.test("results that another incarnation found on its disk are taken", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.leaves();
  const back = fleet.join("w", { incarnation: "second", leases: [held(worker.lease, "finished", 5)] });
  back.completes(worker.lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.row(group)?.ended.size, 0);
});

Deno.test("a silent worker that is heard again over the same session keeps its attempt", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1);
  first.mute = true;
  fleet.pass(16_000);
  const second = fleet.join("w2");
  assert.equal(second.leases.length, 1);
  first.says(completed(first.lease));
  assert.deepEqual(first.verdicts, ["recorded"]);
  assert.deepEqual(second.of("cancel").map((each) => each.reason), ["duplicate"]);
});
