import assert from "node:assert/strict";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("a result of a lease that was never granted is unknown, logged and not recorded", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.completes({ ...worker.lease, attempt: 7 });
  assert.deepEqual(worker.verdicts, ["unknown"]);
  assert.equal(fleet.outcome(group), undefined);
  assert.ok(fleet.log.some((line) => line.includes("never granted")), fleet.log.join("\n"));
  worker.completes();
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
});

Deno.test("a result of a task that is still queued is unknown: nobody was given it", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(2);
  const [second] = [...fleet.core.tasks.values()].filter((task) => task.number === 2);
  assert.ok(second);
  worker.completes({ ...worker.lease, task: second.id });
  assert.deepEqual(worker.verdicts, ["unknown"]);
  assert.equal(fleet.outcome(group, 2), undefined);
});

Deno.test("a result of another worker's lease is unknown, and the lease stays with its worker", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  const thief = fleet.join("w2");
  thief.completes(first.lease);
  thief.fails(first.lease, { final: true });
  assert.deepEqual(thief.verdicts, ["unknown", "unknown"]);
  assert.equal(fleet.stateOf(group), "out");
  first.completes();
  assert.equal(fleet.outcome(group)?.worker, "w1");
});

Deno.test("a lease that was lost stays its worker's, and no other may complete it", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  first.leaves();
  fleet.pass(31_000);
  const thief = fleet.join("w2");
  thief.completes(first.lease);
  assert.deepEqual(thief.verdicts, ["unknown"]);
  assert.equal(fleet.outcome(group), undefined);
});

Deno.test("a new life of a worker may bring the results of the one before", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.leaves();
  fleet.pass(31_000);
  const next = fleet.join("w", { incarnation: "second", leases: [held(worker.lease, "finished", 5)] });
  next.completes(worker.lease);
  assert.deepEqual(next.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
});

Deno.test("a lease that a worker claims and was never granted is stopped, and takes nothing from its task", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1", { slots: 2 });
  const group = fleet.submit(1);
  const claims = [2, 3].map((attempt) => held({ ...worker.lease, attempt }, "running", 900));
  const thief = fleet.join("w2", { slots: 4, leases: claims });
  assert.deepEqual(thief.of("welcome").map((each) => each.keep), [[false, false]]);
  worker.leaves();
  assert.equal(thief.leases.length, 1);
  thief.completes();
  assert.equal(fleet.outcome(group)?.lease?.attempt, 2);
});

Deno.test("after a restart a row says whose lease it is", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  fleet.restart();
  const thief = fleet.join("w2");
  thief.completes(worker.lease);
  assert.deepEqual(thief.verdicts, ["unknown"]);
  const back = fleet.join("w1", { leases: [held(worker.lease, "finished", 2_000)] });
  back.completes(worker.lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.worker, "w1");
});

Deno.test("a duplicate of an earlier epoch with the number of the lease that completed is superseded", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.restart();
  const second = fleet.join("w2");
  second.completes();
  assert.equal(fleet.outcome(group)?.lease?.attempt, first.lease.attempt);
  const back = fleet.join("w1", { leases: [held(first.lease, "finished", 5)] });
  back.completes(first.lease);
  assert.deepEqual(back.verdicts, ["superseded"]);
});

Deno.test("where the store cannot say what became of a task, it is asked again until it can", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(1);
  const { lease } = worker;
  worker.completes(lease);
  fleet.failQueries = true;
  worker.completes(lease);
  fleet.pass(1_000);
  assert.equal(worker.verdicts.length, 1);
  fleet.failQueries = false;
  fleet.pass(1_000);
  assert.deepEqual(worker.verdicts, ["recorded", "recorded"]);
});
