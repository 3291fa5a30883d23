import assert from "node:assert/strict";
import { RETRY_DEFAULTS } from "../../../shared/model/task.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const AT_ONCE = { ...RETRY_DEFAULTS, backoffMs: 0, backoffMaxMs: 0 };
const SLOW = { ...NO_FAULTS, latencyMs: () => 50 };

Deno.test("a failed attempt is tried again only when its failure is durable", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: AT_ONCE });
  fleet.faults = SLOW;
  worker.fails();
  fleet.virtual.runFor(45);
  assert.equal(fleet.row(group)?.ended.size, 0);
  assert.equal(worker.leases.length, 1);
  fleet.virtual.runFor(10);
  assert.equal(fleet.row(group)?.ended.size, 1);
  assert.equal(worker.leases.length, 2);
});

Deno.test("while the store cannot write, what failed waits and nothing is tried again", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(1, { retry: AT_ONCE });
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  worker.fails();
  fleet.pass(60_000);
  assert.equal(worker.leases.length, 1);
  fleet.faults = NO_FAULTS;
  fleet.pass(10_000);
  assert.equal(worker.leases.length, 2);
});

Deno.test("a lease that is only doubtful is given away without waiting for the disk", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const other = fleet.join("w2");
  fleet.submit(1);
  const [busy, idle] = worker.leases.length > 0 ? [worker, other] : [other, worker];
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  busy.leaves();
  assert.equal(idle.leases.length, 1);
});

Deno.test("a task that waited for a slot when its doubtful attempt was lost waits for the row of the loss", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  worker.leaves();
  assert.equal(fleet.stateOf(group), "queued");
  fleet.pass(25_000);
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  fleet.pass(10_000);
  const other = fleet.join("w2");
  assert.equal(other.leases.length, 0);
  fleet.faults = NO_FAULTS;
  fleet.pass(10_000);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["worker_lost"]);
  assert.equal(other.leases.length, 1);
});

Deno.test("the longest of two pauses counts where two attempts end together", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { retry: { ...RETRY_DEFAULTS, backoffMs: 8_000, backoffMaxMs: 8_000 } });
  first.leaves();
  const second = fleet.join("w2");
  fleet.pass(5_000);
  fleet.faults = SLOW;
  second.posts({ type: "stop", graceMs: 1, reason: "maintenance" });
  second.fails();
  fleet.virtual.runFor(10);
  fleet.join("w1", { incarnation: "second" });
  fleet.virtual.runFor(3_000);
  const third = fleet.join("w3");
  assert.equal(third.leases.length, 0);
  fleet.pass(6_000);
  assert.equal(third.leases.length, 1);
});

Deno.test("a lost lease that runs on is remembered over a restart, and its task is not begun beside it", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  first.leaves();
  fleet.pass(31_000);
  const back = fleet.join("w1", { leases: [held(first.lease, "running", 33_000)] });
  fleet.pass(2_000);
  assert.equal(fleet.row(group)?.open.size, 1);
  fleet.restart();
  const other = fleet.join("w2");
  fleet.pass(5_000);
  assert.equal(other.leases.length, 0);
  const again = fleet.join("w1", { leases: [held(back.listed[0] ?? first.lease, "running", 40_000)] });
  again.completes(first.lease);
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
  assert.equal(fleet.outcome(group)?.attempts, 1);
});

Deno.test("a lost lease that came back and is lost again over a restart is one failure", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1, { retry: { ...AT_ONCE, limit: 1 } });
  first.leaves();
  fleet.pass(31_000);
  fleet.join("w1", { leases: [held(first.lease, "running", 33_000)] });
  fleet.pass(2_000);
  fleet.restart();
  const other = fleet.join("w2");
  fleet.pass(31_000);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["worker_lost"]);
  other.leaves();
  fleet.pass(31_000);
  assert.equal(fleet.outcome(group)?.outcome.state, "failed");
  assert.equal(fleet.row(group)?.ended.size, 2);
});

Deno.test("a task whose last retry was counted when the master ended fails after the restart, and is not run again", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: { ...AT_ONCE, limit: 0 } });
  const { lease } = worker;
  // What the cluster would have written next is lost with it.
  fleet.commit([{
    type: "attempt_ended",
    lease,
    worker: fleet.core.workers.values().next().value?.id ?? assert.fail("no worker"),
    cause: "evaluator",
    message: "it broke",
    atMs: 1,
  }]);
  fleet.settle();
  fleet.restart();
  const back = fleet.join("w");
  assert.equal(back.leases.length, 0);
  const recorded = fleet.outcome(group);
  assert.ok(recorded?.outcome.state === "failed");
  assert.equal(recorded.outcome.cause, "evaluator");
  assert.deepEqual([recorded.outcome.message, recorded.lease, recorded.worker], ["it broke", lease, "w"]);
});

Deno.test("an attempt that was being cancelled when its worker was lost leaves its task to go on", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1, { deadlineMs: 1_000, graceMs: 0, retry: AT_ONCE });
  fleet.pass(35_000);
  assert.equal(worker.of("cancel").length, 1);
  worker.leaves();
  fleet.pass(31_000);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["deadline"]);
  const other = fleet.join("w2");
  assert.equal(other.leases.length, 1);
});

Deno.test("a duplicate that was cancelled and is lost leaves no row open", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  first.leaves();
  const second = fleet.join("w2");
  fleet.pass(2_000);
  fleet.join("w1", { leases: [held(first.lease, "running", 4_000)] });
  assert.equal(second.of("cancel").length, 1);
  second.leaves();
  fleet.pass(31_000);
  assert.deepEqual([...fleet.row(group)?.open.values() ?? []].map((each) => each.lease.attempt), [1]);
});

Deno.test("a failure that comes again while it is being written is acknowledged when it is durable", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: AT_ONCE });
  fleet.faults = SLOW;
  const lease = worker.lease;
  worker.fails(lease);
  const back = fleet.join("w", { leases: [held(lease, "finished", 5)] });
  back.fails(lease);
  assert.deepEqual(back.verdicts, []);
  fleet.virtual.runFor(110);
  assert.deepEqual(new Set(back.verdicts), new Set(["recorded"]));
  assert.equal(fleet.row(group)?.ended.size, 1);
});

Deno.test("of a task that has its outcome no further row is written when its cancelled attempt is lost", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { graceMs: 60_000 });
  fleet.pass(2_000);
  fleet.cancel(group, 1);
  worker.leaves();
  fleet.pass(31_000);
  assert.equal(fleet.row(group)?.ended.size, 0);
  assert.equal(fleet.core.workers.values().next().value?.attempts.size, 0);
});

Deno.test("a failure for good is remembered over a restart, while another attempt may still complete the task", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  first.leaves();
  const second = fleet.join("w2");
  const { lease } = second;
  second.fails(lease, { final: true });
  assert.equal(fleet.outcome(group), undefined);
  fleet.restart();
  const other = fleet.join("w2");
  fleet.pass(31_000);
  assert.equal(other.leases.length, 0);
  const recorded = fleet.outcome(group);
  assert.ok(recorded?.outcome.state === "failed");
  assert.equal(recorded.outcome.cause, "evaluator");
  assert.deepEqual([recorded.lease, recorded.worker], [lease, "w2"]);
});
