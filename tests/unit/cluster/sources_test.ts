import assert from "node:assert/strict";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { completed } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("an experiment is asked for as many trials as slots are free", () => {
  const fleet = new Fleet();
  fleet.join("w1", { slots: 2 });
  fleet.join("w2", { slots: 3 });
  const source = fleet.source("e1");
  assert.equal(source.wanted, 5);
  source.submits(3);
  assert.equal(source.wanted, 5);
  fleet.join("w3");
  assert.equal(source.wanted, 6);
});

Deno.test("with one slot an experiment is asked only after its last trial has ended", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const source = fleet.source("e1");
  source.submits(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  worker.posts(completed(worker.lease));
  fleet.virtual.runFor(40);
  assert.equal(source.wanted, 1);
  fleet.virtual.runFor(20);
  assert.deepEqual(source.told.map((each) => each.type).slice(-2), ["ended", "wanted"]);
});

Deno.test("a slot whose trial failed is offered after the failure, and the trial is tried again", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const source = fleet.source("e1", { retry: { limit: 1, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 } });
  source.submits(1);
  worker.fails();
  assert.deepEqual(source.of("attempt_failed").map((each) => each.message), ["it broke"]);
  assert.equal(source.wanted, 1);
  assert.equal(worker.leases.length, 2);
});

Deno.test("an experiment that declines is asked again after an outcome, or when it wants", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const source = fleet.source("e1");
  source.submits(1);
  source.declines(1);
  fleet.pass(1_000);
  assert.equal(source.wanted, 2);
  worker.completes();
  assert.equal(source.wanted, 4);
  source.declines(2);
  assert.equal(source.wanted, 4);
  source.wants();
  assert.equal(source.wanted, 6);
});

Deno.test("an experiment waits until enough workers were there once", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1", {}, 2);
  const first = fleet.join("w1");
  assert.equal(source.wanted, 0);
  fleet.pass(300);
  assert.deepEqual(source.of("waiting").map((each) => each.reason), ["waits for 2 workers; 1 connected"]);
  fleet.join("w2");
  assert.equal(source.wanted, 2);
  first.leaves();
  source.submits(2);
  assert.equal(fleet.stateOf(source.group, 2), "queued");
});

Deno.test("the experiment of the higher priority is asked first", () => {
  const fleet = new Fleet();
  const low = fleet.source("e1");
  const high = fleet.source("e2", { priority: 1 });
  fleet.join("w", { slots: 2 });
  assert.deepEqual([low.wanted, high.wanted], [0, 2]);
});

Deno.test("experiments of one priority share the slots", () => {
  const fleet = new Fleet();
  const one = fleet.source("e1");
  const two = fleet.source("e2");
  fleet.join("w", { slots: 4 });
  assert.deepEqual([one.wanted, two.wanted], [2, 2]);
});

Deno.test("experiments of one priority take turns on one slot", () => {
  const fleet = new Fleet();
  const sources = [fleet.source("e1"), fleet.source("e2")];
  const worker = fleet.join("w");
  for (let i = 0; i < 6; i++) {
    const asked = sources.find((source) => source.wanted > source.of("ended").length);
    assert.ok(asked);
    asked.submits(1);
    worker.completes();
  }
  assert.deepEqual(sources.map((source) => source.of("ended").length), [3, 3]);
});

Deno.test("an experiment that is closed with its open trials cancelled wants no trial that is being committed", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const source = fleet.source("e1");
  source.submits(1);
  source.posts(1);
  source.closes(true);
  assert.deepEqual([1, 2].map((n) => fleet.outcome(source.group, n)?.outcome.state), [
    "cancelled",
    "cancelled",
  ]);
  worker.ends(worker.lease, { state: "cancelled" });
  assert.equal(fleet.core.tasks.size, 0);
  assert.equal(fleet.core.groups.size, 0);
});

Deno.test("a trial that is being committed when its experiment is closed is cancelled by what says so: no restart runs it", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const experiment = { experiment: source.group, atMs: 0 } as const;
  fleet.commit([{ type: "experiment_added", ...experiment, name: "quick", spec: "{}" }]);
  fleet.settle();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  source.posts(2);
  fleet.virtual.runFor(10);
  source.closes(true, [{ type: "experiment_state", ...experiment, state: "cancelled", reason: "" }]);
  while (fleet.disk.state.experiments.get(source.group)?.state !== "cancelled") fleet.virtual.runFor(10);
  const next = new Fleet({}, new MemoryDisk(fleet.disk.state));
  assert.equal(next.core.tasks.size, 0);
  fleet.virtual.runFor(200);
  assert.equal(fleet.core.tasks.size + fleet.core.groups.size, 0);
  assert.deepEqual(source.of("source_gone").length, 1);
});

Deno.test("an experiment that is closed without cancelling lets its open trials end", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const source = fleet.source("e1");
  source.submits(1);
  source.posts(1);
  source.closes(false);
  assert.equal(worker.leases.length, 2);
  for (const lease of worker.leases) worker.completes(lease);
  assert.deepEqual([1, 2].map((n) => fleet.outcome(source.group, n)?.outcome.state), [
    "completed",
    "completed",
  ]);
  assert.equal(fleet.core.groups.size, 0);
});

Deno.test("closing tells when its changes are durable", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const spec = { experiment: source.group, name: "quick", spec: "{}", atMs: 0 };
  source.closes(true, [{ type: "experiment_added", ...spec }]);
  assert.deepEqual(source.of("source_gone").map((each) => each.commit), [fleet.disk.state.commit]);
});

Deno.test("an experiment that is started again is told its open trials when what was being committed is durable", () => {
  const fleet = new Fleet();
  fleet.join("w", { slots: 2 });
  const before = fleet.source("e1");
  before.submits(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  before.posts(1);
  const after = fleet.source("e1");
  assert.equal(after.of("source_accepted").length, 0);
  fleet.virtual.runFor(100);
  assert.deepEqual(after.of("source_accepted").map((each) => each.open), [[1, 2]]);
  fleet.join("w2");
  assert.equal(after.wanted, 1);
});

Deno.test("what an ended experiment had been offered is offered to others", () => {
  const fleet = new Fleet();
  fleet.join("w");
  const dead = fleet.source("e1");
  assert.equal(dead.wanted, 1);
  fleet.system.kill(dead.ref);
  fleet.settle();
  assert.equal(fleet.source("e2").wanted, 1);
});

Deno.test("a slot for which a trial is being committed is not offered to another experiment", () => {
  const fleet = new Fleet();
  const one = fleet.source("e1");
  const two = fleet.source("e2");
  fleet.join("w");
  const [asked, other] = one.wanted > 0 ? [one, two] : [two, one];
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 400 };
  asked.submits(1);
  fleet.pass(300);
  assert.equal(other.wanted, 0);
  fleet.pass(300);
  assert.equal(fleet.stateOf(asked.group), "out");
  assert.equal(other.wanted, 0);
});

Deno.test("trials are not prefetched", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w");
  const source = fleet.source("e1");
  source.submits(1);
  worker.completes(worker.lease, 1);
  source.submits(5);
  assert.equal(worker.leases.length, 2);
});
