import assert from "node:assert/strict";
import { epochOf, groupId, taskId } from "../../../shared/model/ids.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { completed, result } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("a result is recorded once and acknowledged after its commit", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  worker.completes();
  fleet.virtual.runFor(40);
  assert.deepEqual(worker.verdicts, []);
  fleet.virtual.runFor(20);
  assert.deepEqual(worker.verdicts, ["recorded"]);
  assert.deepEqual(fleet.outcome(group)?.outcome, { state: "completed", metrics: { accuracy: 0.5 } });
});

Deno.test("a result that comes twice in one batch is acknowledged twice and recorded once", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.says(completed(worker.lease), completed(worker.lease));
  assert.deepEqual(worker.verdicts, ["recorded", "recorded"]);
  assert.equal(fleet.core.counters.completed, 1);
  assert.equal(fleet.core.workers.values().next().value?.completed, 1);
  assert.equal(fleet.disk.state.groups.get(group)?.counts.completed, 1);
});

Deno.test("a result that is sent again later is answered from the store", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(1);
  const lease = worker.lease;
  worker.completes(lease);
  worker.completes(lease);
  assert.deepEqual(worker.verdicts, ["recorded", "recorded"]);
});

Deno.test("the second of two attempts to complete is superseded by the first", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  first.leaves();
  const second = fleet.join("w2");
  second.completes();
  const back = fleet.join("w1", { leases: [{ ...first.lease, state: "finished", elapsedMs: 5 }] });
  back.completes(first.lease);
  assert.deepEqual(back.of("acknowledge").map(({ verdict, by }) => ({ verdict, by })), [
    { verdict: "superseded", by: 2 },
  ]);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 2);
});

Deno.test("of two results in one commit the first is recorded and the other superseded", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1);
  first.leaves();
  const second = fleet.join("w2");
  const back = fleet.join("w1", { leases: [{ ...first.lease, state: "running", elapsedMs: 0 }] });
  second.posts(completed(second.lease));
  back.posts(completed(first.lease));
  fleet.settle();
  assert.deepEqual([...second.verdicts, ...back.verdicts], ["recorded", "superseded"]);
});

Deno.test("results of another store are unknown", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  const lease = { ...worker.lease, epoch: epochOf("f".repeat(32), 1, "00000000") };
  worker.ends(lease, { state: "completed", metrics: {} });
  assert.deepEqual(worker.verdicts, ["unknown"]);
  assert.equal(fleet.outcome(group), undefined);
});

Deno.test("results of a task that the store does not know are unknown", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(1);
  const lease = { ...worker.lease, task: taskId(groupId("other"), 7) };
  worker.ends(lease, { state: "completed", metrics: {} });
  assert.deepEqual(worker.verdicts, ["unknown"]);
});

Deno.test("a completed result of an earlier epoch's lease is recorded", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  const lease = worker.lease;
  fleet.restart();
  const back = fleet.join("w", { leases: [{ ...lease, state: "finished", elapsedMs: 10 }] });
  back.completes(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.lease?.epoch, lease.epoch);
});

Deno.test("a failure of a lease that was given up counts nowhere", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1, { retry: { limit: 1, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 } });
  first.leaves();
  fleet.pass(31_000);
  const second = fleet.join("w2");
  const back = fleet.join("w1", { leases: [{ ...first.lease, state: "finished", elapsedMs: 5 }] });
  back.fails(first.lease, { final: true });
  assert.deepEqual(back.verdicts, ["superseded"]);
  second.completes();
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("reports count only from a live lease", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const first = fleet.join("w1");
  source.submits(1);
  first.says({ type: "report", ...first.lease, number: 1, step: 1, metrics: { loss: 2 } });
  assert.deepEqual(source.of("reported").map((each) => each.step), [1]);
  first.leaves();
  first.says({ type: "report", ...first.lease, number: 2, step: 2, metrics: { loss: 1 } });
  assert.equal(source.of("reported").length, 1);
});

Deno.test("a worker that hands an attempt back costs the task nothing", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1, { retry: { limit: 0, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 } });
  const other = fleet.join("w2");
  worker.says(
    { type: "stop", graceMs: 1_000, reason: "maintenance" },
    result(worker.lease, { state: "returned" }),
  );
  assert.deepEqual(worker.verdicts, ["recorded"]);
  assert.equal(other.leases.length, 1);
  other.completes();
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("a worker that is leaving gets nothing more, also when it comes back", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  worker.says({ type: "stop", graceMs: 1_000, reason: "maintenance" });
  fleet.submit(1);
  assert.equal(worker.leases.length, 0);
  worker.leaves();
  const back = fleet.join("w");
  assert.equal(back.leases.length, 0);
  const next = fleet.join("w", { incarnation: "second" });
  fleet.pass(2_500);
  assert.equal(back.isConnected && next.isConnected, false);
});

Deno.test("a worker that an operator stopped is told again when it comes back", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.command((asker) => ({ type: "stop_worker", target: "w", graceMs: 7_000, ...asker }));
  fleet.settle();
  assert.deepEqual(worker.of("stop").map((each) => each.graceMs), [7_000]);
  worker.leaves();
  const back = fleet.join("w");
  assert.deepEqual(back.of("stop").map((each) => each.graceMs), [7_000]);
});
