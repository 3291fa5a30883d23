import assert from "node:assert/strict";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { WAITING_CHANGES_MAX } from "../../../master/cluster/commit_log.ts";
import { OPEN_TASKS_MAX } from "../../../master/cluster/submissions.ts";
import { groupId } from "../../../shared/model/ids.ts";
import { field, Fleet } from "./fleet.ts";

Deno.test("a submission is answered only after its commit", () => {
  const fleet = new Fleet();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  const token = fleet.sendSubmit(3);
  fleet.virtual.runFor(40);
  assert.equal(fleet.replies.get(token), undefined);
  fleet.virtual.runFor(20);
  const reply = fleet.replies.get(token);
  assert.ok(reply?.ok);
  assert.equal(reply.commit, fleet.disk.state.commit);
  assert.equal(fleet.disk.state.openTasks.size, 3);
});

Deno.test("a submission that is sent again gets the first reply and makes no further tasks", () => {
  const fleet = new Fleet();
  const first = fleet.sendSubmit(2, {}, "same");
  const second = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const third = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const values = [first, second, third].map((token) => {
    const reply = fleet.replies.get(token);
    return reply?.ok ? reply.value : undefined;
  });
  assert.notEqual(values[0], undefined);
  assert.deepEqual(values[1], values[0]);
  assert.deepEqual(values[2], values[0]);
  assert.equal(fleet.core.tasks.size, 2);
});

Deno.test("a submission that is sent again after a restart gets the first reply", () => {
  const fleet = new Fleet();
  const first = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  fleet.restart();
  const again = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const [one, other] = [fleet.replies.get(first), fleet.replies.get(again)];
  assert.ok(one?.ok && other?.ok);
  assert.deepEqual(other.value, one.value);
  assert.equal(fleet.core.tasks.size, 2);
});

Deno.test("while the store cannot write, submissions are refused and results wait until it can", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(3);
  let full = true;
  fleet.faults = { ...NO_FAULTS, isFull: () => full };
  worker.completes(worker.leases[0]);
  fleet.pass(1_000);
  const token = fleet.sendSubmit(1);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "queue_full");
  assert.ok((reply.error.retryAfterMs ?? 0) > 0);
  assert.deepEqual(worker.verdicts, []);
  full = false;
  fleet.pass(10_000);
  assert.deepEqual(worker.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group, 1)?.outcome.state, "completed");
  assert.ok(fleet.submit(1));
});

Deno.test("while too much waits for the store, submissions are refused", () => {
  const fleet = new Fleet();
  fleet.post({ type: "store_state", state: "ready", reason: "", waitingChanges: 300_000, isOverfull: true });
  const token = fleet.sendSubmit(1);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "queue_full");
});

Deno.test("more open tasks than the limit are refused with a time to come back", () => {
  const fleet = new Fleet();
  fleet.submit(OPEN_TASKS_MAX - 1);
  fleet.virtual.runFor(100);
  const token = fleet.sendSubmit(2);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "queue_full");
  assert.ok(fleet.submit(1));
});

Deno.test("a command that comes before the store was read is told to come again", () => {
  const fleet = new Fleet();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 1_000 };
  fleet.restart();
  const reply = fleet.cancel(groupId("job.1"), null);
  assert.ok(!reply.ok);
  assert.ok((reply.error.retryAfterMs ?? 0) > 0);
});

Deno.test("while too many changes wait for the store, nothing is given out", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 1_000 };
  for (let i = 0; i <= WAITING_CHANGES_MAX; i++) {
    fleet.core.log.add({ type: "group_added", group, template: new Uint8Array() });
  }
  const worker = fleet.join("w");
  fleet.pass(500);
  assert.equal(worker.leases.length, 0);
  fleet.pass(2_000);
  assert.equal(worker.leases.length, 1);
});

Deno.test("an answer names the group, the first number and the count", () => {
  const fleet = new Fleet();
  const token = fleet.sendSubmit(5);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply?.ok);
  assert.equal(field(reply.value, "group"), "job.1");
  assert.equal(field(reply.value, "first"), 1);
  assert.equal(field(reply.value, "count"), 5);
});
