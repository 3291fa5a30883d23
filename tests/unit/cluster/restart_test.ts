import assert from "node:assert/strict";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { storeOf } from "../../../shared/model/ids.ts";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("after a restart only tasks with an open row are withheld, all else is placed at once", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const old = fleet.submit(1);
  fleet.pass(2_000);
  const group = fleet.submit(1);
  assert.equal(fleet.row(old)?.open.size, 1);
  fleet.restart();
  const other = fleet.join("w2", { slots: 2 });
  assert.deepEqual(other.leases.map((lease) => lease.task), [`${group}/1`]);
  assert.equal(fleet.stateOf(old), "withheld");
  assert.equal(worker.leases.length, 1);
});

Deno.test("what was withheld is adopted when its worker returns", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  fleet.restart();
  fleet.pass(5_000);
  const back = fleet.join("w1", { leases: [held(worker.lease, "running", 7_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.equal(fleet.stateOf(group), "out");
  back.completes(worker.lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
});

Deno.test("what was withheld for a worker that does not return goes to another after 30 s", () => {
  const fleet = new Fleet();
  fleet.join("w1");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  fleet.restart();
  const other = fleet.join("w2");
  fleet.pass(29_000);
  assert.equal(other.leases.length, 0);
  fleet.pass(2_000);
  assert.equal(other.leases.length, 1);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["worker_lost"]);
});

Deno.test("a lease that ends within a second leaves no row", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1);
  fleet.pass(500);
  const commit = fleet.disk.state.commit;
  worker.completes();
  assert.equal(fleet.disk.state.commit, commit + 1);
});

Deno.test("a short attempt that a restarted master knows nothing of is adopted where nobody else has begun", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  fleet.restart();
  const back = fleet.join("w1", { leases: [held(worker.lease, "running", 500)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.equal(back.leases.length, 0);
  back.completes(worker.lease);
  assert.equal(fleet.outcome(group)?.lease?.epoch, worker.lease.epoch);
  assert.equal(fleet.outcome(group)?.attempts, 1);
});

Deno.test("failures are counted over a restart", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1, { retry: { limit: 1, crashLimit: 0, backoffMs: 10, backoffMaxMs: 10 } });
  worker.fails();
  fleet.restart();
  const back = fleet.join("w1");
  back.fails();
  assert.equal(fleet.outcome(group)?.outcome.state, "failed");
});

Deno.test("a store that lacks what a worker was told gives out nothing", () => {
  let told = 0;
  const fleet = new Fleet({ isOlderCopy: () => told += 1 });
  const epoch = fleet.core.epoch;
  assert.ok(epoch);
  fleet.submit(1);
  const worker = fleet.join("w", { seen: { epoch, commit: 1_000 } });
  fleet.settle();
  assert.equal(worker.leases.length, 0);
  assert.match(fleet.core.lost ?? "", /older copy/);
  assert.equal(told, 1);
});

Deno.test("a store that lacks what a worker was told takes nothing new", () => {
  const fleet = new Fleet();
  const epoch = fleet.core.epoch;
  assert.ok(epoch);
  fleet.join("w", { seen: { epoch, commit: 1_000 } });
  const token = fleet.sendSubmit(1);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "store_lost");
});

Deno.test("an older copy of the store is noticed by the epochs that it lacks", () => {
  const fleet = new Fleet();
  const copy = new Fleet({}, new MemoryDisk(fleet.disk.state));
  fleet.restart();
  const epoch = fleet.core.epoch;
  assert.ok(epoch);
  copy.submit(1);
  const worker = copy.join("w", { seen: { epoch, commit: 0 } });
  assert.equal(worker.leases.length, 0);
});

Deno.test("with acceptLoss the store gets a new id, and what was out over the lost future is set aside", () => {
  const fleet = new Fleet({ acceptLoss: true });
  const before = fleet.core.epoch;
  assert.ok(before);
  const first = fleet.join("w1");
  const group = fleet.submit(2);
  first.completes();
  const open = first.lease;
  fleet.pass(2_000);
  fleet.post({
    type: "worker_joined",
    session: first.session,
    register: first.registration({ epoch: before, commit: 1_000 }),
  });
  fleet.virtual.runFor(1);
  fleet.restart();
  const { epoch } = fleet.core;
  assert.ok(epoch);
  assert.notEqual(storeOf(epoch), storeOf(before));
  const back = fleet.join("w1", {
    seen: { epoch: before, commit: 1_000 },
    leases: [held(open, "running", 2_000)],
  });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[false]]);
  back.completes(open);
  assert.deepEqual(back.verdicts, ["unknown"]);
  assert.equal(fleet.outcome(group, 2), undefined);
  assert.deepEqual(back.leases.map((each) => [each.task, each.epoch]), [[open.task, epoch]], "it runs again");
  back.completes();
  assert.equal(fleet.outcome(group, 2)?.lease?.epoch, epoch);
  assert.equal(fleet.outcome(group, 1)?.lease?.epoch, before, "what was finished stays");
});

Deno.test("while the store is an older copy, workers keep what they run and their results are not acknowledged", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  const copy = new Fleet({}, new MemoryDisk(fleet.disk.state));
  fleet.restart();
  const { epoch } = fleet.core;
  assert.ok(epoch);
  const leases = [held(worker.lease, "running", 10), held({ ...worker.lease, epoch }, "running", 5)];
  const back = copy.join("w", { slots: 2, seen: { epoch, commit: 9 }, leases });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true, true]]);
  back.completes(worker.lease);
  back.completes({ ...worker.lease, epoch });
  assert.deepEqual(back.verdicts, []);
  assert.equal(copy.outcome(group), undefined);
});

Deno.test("with both attempts of a task remembered over a restart, the first to come back goes on and the shorter ends", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  first.mute = true;
  fleet.pass(20_000);
  const second = fleet.join("w2");
  fleet.pass(5_000);
  assert.equal(fleet.row(group)?.open.size, 2);
  fleet.restart();
  const back = fleet.join("w2", { leases: [held(second.lease, "running", 6_000)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  const longer = fleet.join("w1", { leases: [held(first.lease, "running", 26_000)] });
  assert.deepEqual(longer.of("welcome").map((each) => each.keep), [[true]]);
  assert.deepEqual(back.of("cancel").map((each) => each.reason), ["duplicate"]);
  longer.completes(first.lease);
  assert.equal(fleet.outcome(group)?.worker, "w1");
});

Deno.test("while the store is an older copy nothing is cancelled in it", () => {
  const fleet = new Fleet();
  const { epoch } = fleet.core;
  assert.ok(epoch);
  const group = fleet.submit(1);
  fleet.join("w", { seen: { epoch, commit: 1_000 } });
  const reply = fleet.cancel(group, 1);
  assert.ok(!reply.ok);
  assert.equal(reply.error.code, "store_lost");
  assert.equal(fleet.outcome(group), undefined);
});

Deno.test("of two attempts that were out before a restart, the end of one does not give away what the other's worker may run", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  first.mute = true;
  fleet.pass(20_000);
  const second = fleet.join("w2");
  fleet.pass(5_000);
  fleet.restart();
  const back = fleet.join("w2", { leases: [held(second.lease, "running", 6_000)] });
  const third = fleet.join("w3");
  fleet.pass(5_000);
  back.fails(second.lease);
  fleet.pass(5_000);
  assert.equal(fleet.stateOf(group), "withheld");
  assert.equal(third.leases.length, 0);
  fleet.pass(25_000);
  assert.equal(back.leases.length + third.leases.length, 1);
});
