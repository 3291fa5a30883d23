import assert from "node:assert/strict";
import { commandId, groupId } from "../../../shared/model/ids.ts";
import { completed } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("cancelling one task records its outcome and leaves the others", () => {
  const fleet = new Fleet();
  const group = fleet.submit(3);
  const reply = fleet.cancel(group, 2);
  assert.deepEqual(reply, { ok: true, value: { cancelled: 1 }, commit: fleet.disk.state.commit });
  assert.deepEqual([1, 2, 3].map((n) => fleet.outcome(group, n)?.outcome.state), [
    undefined,
    "cancelled",
    undefined,
  ]);
});

Deno.test("cancelling a group cancels what waits, what is delayed and what runs", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(5);
  worker.fails(worker.leases[0]);
  fleet.cancel(group, null);
  assert.equal(fleet.disk.state.groups.get(group)?.counts.cancelled, 5);
  assert.equal(fleet.core.tasks.size, 0);
  assert.equal(fleet.core.queue.size, 0);
  assert.ok(worker.of("cancel").length >= 1);
  fleet.pass(60_000);
});

Deno.test("a cancelled attempt keeps its slot through its grace period, until the worker says so", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { graceMs: 20_000 });
  const lease = worker.lease;
  fleet.cancel(group, 1);
  assert.deepEqual(worker.of("cancel").map(({ reason, graceMs }) => ({ reason, graceMs })), [
    { reason: "cancelled", graceMs: 20_000 },
  ]);
  fleet.submit(1);
  fleet.pass(60_000);
  assert.equal(worker.leases.length, 1);
  worker.ends(lease, { state: "cancelled" });
  assert.equal(worker.leases.length, 2);
});

Deno.test("a completed result that came before the cancel wins", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.posts(completed(worker.lease));
  const reply = fleet.cancel(group, 1);
  assert.ok(reply.ok);
  assert.deepEqual(reply.value, { cancelled: 0 });
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("a completed result that came after the cancel is superseded", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  const lease = worker.lease;
  fleet.command((asker) => ({ type: "cancel", id: commandId("x"), group, number: 1, ...asker }));
  worker.says(completed(lease));
  assert.deepEqual(worker.of("acknowledge").map(({ verdict, by }) => ({ verdict, by })), [
    { verdict: "superseded", by: null },
  ]);
  assert.equal(fleet.outcome(group)?.outcome.state, "cancelled");
});

Deno.test("a cancel that is sent again gets its first reply", () => {
  const fleet = new Fleet();
  const group = fleet.submit(3);
  assert.deepEqual(fleet.cancel(group, null, "same"), {
    ok: true,
    value: { cancelled: 3 },
    commit: fleet.disk.state.commit,
  });
  const again = fleet.cancel(group, null, "same");
  assert.ok(again.ok);
  assert.deepEqual(again.value, { cancelled: 3 });
});

Deno.test("cancelling what is not there is an error, also when it is sent again", () => {
  const fleet = new Fleet();
  for (let time = 0; time < 2; time++) {
    const reply = fleet.cancel(groupId("nothing"), null, "same");
    assert.ok(!reply.ok);
    assert.equal(reply.error.code, "unknown_group");
  }
});

Deno.test("a doubtful attempt of a cancelled task is stopped when its worker returns", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  worker.leaves();
  fleet.cancel(group, null);
  const back = fleet.join("w", { leases: [{ ...worker.lease, state: "running", elapsedMs: 10 }] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[false]]);
});
