/**
 * One who floods the queue and those beside: turns, priorities, and what needs much.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OVERTAKEN_MAX, OVERTAKEN_MAX_MS } from "../../../master/cluster/reservations.ts";
import type { Resources } from "../../../shared/model/resources.ts";
import { taskParts } from "../../../shared/model/ids.ts";
import type { FakeWorker } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** Longer than any turn of short tasks, so that each turn is one task. */
const LONG_MS = 2_000;

function cpus(count: number): Resources {
  return { cpus: count, memoryBytes: 0, gpus: 0 };
}

/** Completes its leases one after the other, from the first that it has not. @returns the groups in that order */
function works(worker: FakeWorker, from: number, count: number, elapsedMs = LONG_MS): string[] {
  return Array.from({ length: count }, (_, index) => {
    const lease = worker.leases[from + index];
    assert.ok(lease, `only ${worker.leases.length} leases`);
    worker.completes(lease, elapsedMs);
    return taskParts(lease.task).group;
  });
}

Deno.test("a flood of one name keeps no other waiting: they take turns", () => {
  const fleet = new Fleet();
  const flood = fleet.submit(2_000, {}, "flood");
  const more = fleet.submit(2_000, {}, "flood");
  const small = fleet.submit(3, {}, "small");
  const worker = fleet.join("w");
  const order = works(worker, 0, 8);
  assert.deepEqual(order, [flood, small, flood, small, flood, small, flood, flood]);
  assert.ok(fleet.stateOf(more, 1));
});

Deno.test("short tasks take turns of many, so that their prefetching goes on", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w");
  const one = fleet.submit(500, {}, "one");
  const two = fleet.submit(500, {}, "two");
  const order: string[] = [];
  while (order.length < 600) order.push(...works(worker, order.length, 1, 0.1));
  const changes = order.filter((group, index) => index > 0 && group !== order[index - 1]).length;
  assert.ok(changes >= 4, `${changes} changes of turn`);
  assert.ok(changes < 60, `${changes} changes of turn`);
  for (const group of [one, two]) {
    const count = order.filter((each) => each === group).length;
    assert.ok(count > 200, `${group} had ${count} of 600`);
  }
});

Deno.test("an experiment takes turns with queued tasks of its priority", () => {
  const fleet = new Fleet();
  const flood = fleet.submit(1_000);
  const source = fleet.source("e1");
  const worker = fleet.join("w");
  const order: string[] = [];
  for (let i = 0; i < 12; i++) {
    if (source.wanted > source.of("ended").length && worker.leases.length === i) source.submits(1);
    order.push(...works(worker, i, 1));
  }
  assert.equal(order.filter((group) => group === source.group).length, 6);
  assert.equal(order.filter((group) => group === flood).length, 6);
});

Deno.test("an experiment of a higher priority is asked before queued tasks are placed, one of a lower after them", () => {
  const fleet = new Fleet();
  const queued = fleet.submit(2);
  const low = fleet.source("low", { priority: -1 });
  const high = fleet.source("high", { priority: 1 });
  const worker = fleet.join("w", { slots: 2 });
  assert.deepEqual([high.wanted, low.wanted, worker.leases.length], [2, 0, 0]);
  high.declines(2);
  assert.deepEqual(worker.leases.map((lease) => taskParts(lease.task).group), [queued, queued]);
  assert.equal(low.wanted, 0);
});

Deno.test("a slot that was offered is not given to queued tasks while the trial is on its way", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const worker = fleet.join("w");
  assert.equal(source.wanted, 1);
  fleet.submit(5);
  assert.equal(worker.leases.length, 0);
  source.submits(1);
  assert.deepEqual(worker.leases.map((lease) => taskParts(lease.task).group), [source.group]);
});

Deno.test("prefetched short tasks do not keep an experiment from its turn", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w");
  fleet.submit(5_000);
  let done = 0;
  for (; done < 40; done++) works(worker, done, 1, 0.1);
  const source = fleet.source("e1");
  for (; source.wanted === 0; done++) {
    assert.ok(done < 300, "the experiment was never asked");
    works(worker, done, 1, 0.1);
  }
});

Deno.test("an experiment has as many trials open as its spec allows, and no more", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1", {}, 1, 2);
  const worker = fleet.join("w", { slots: 5 });
  assert.equal(source.wanted, 2);
  source.submits(2);
  assert.equal(source.wanted, 2);
  worker.completes(worker.leases[0]);
  assert.equal(source.wanted, 3);
  const other = fleet.source("e2");
  assert.equal(other.wanted, 3);
});

Deno.test("a task that needs much is not overtaken for ever: a worker is kept for it", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 4, pool: { cpus: 4, memoryBytes: 0, gpus: 0 } });
  fleet.submit(1, { resources: cpus(1) }, "small");
  const large = fleet.submit(1, { resources: cpus(4) }, "large");
  fleet.submit(5_000, { resources: cpus(1) }, "small");
  let done = 0;
  for (; !worker.leases.some((lease) => lease.task.startsWith(large)); done++) {
    assert.ok(done < OVERTAKEN_MAX + 10, "the large task was overtaken for ever");
    works(worker, done, 1);
  }
  assert.ok(done >= OVERTAKEN_MAX, `kept after ${done} placements`);
  worker.completes();
  assert.equal(worker.leases.length, done + 1 + 4);
});

Deno.test("a task that needs much waits no longer than its time, however slowly others go before it", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2, pool: { cpus: 2, memoryBytes: 0, gpus: 0 } });
  fleet.submit(1, { resources: cpus(1) }, "small");
  const large = fleet.submit(1, { resources: cpus(2) }, "large");
  fleet.submit(100, { resources: cpus(1) }, "small");
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  works(worker, 0, 2, OVERTAKEN_MAX_MS);
  assert.equal(worker.leases.length, 3);
  assert.ok(worker.lease.task.startsWith(large));
});

Deno.test("the worker that is kept is the one that has room soonest; others go on, and a higher priority too", () => {
  const fleet = new Fleet();
  const pool = { cpus: 2, memoryBytes: 0, gpus: 0 };
  const [one, two] = [fleet.join("w1", { slots: 2, pool }), fleet.join("w2", { slots: 2, pool })];
  fleet.submit(4, { resources: cpus(1) }, "first");
  const large = fleet.submit(1, { resources: cpus(2) }, "large");
  fleet.submit(100, { resources: cpus(1) }, "small");
  works(one, 0, 1);
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  // w1 has one that began later than both of w2: w2 is expected to be free first.
  works(two, 0, 1);
  assert.equal(two.leases.length, 2, "nothing small is given to the one that is kept");
  works(one, 1, 1);
  assert.equal(one.leases.length, 4, "the other goes on");
  const urgent = fleet.submit(1, { resources: cpus(1), priority: 1 }, "urgent");
  assert.ok(two.lease.task.startsWith(urgent));
  works(two, 2, 1);
  works(two, 1, 1);
  assert.ok(two.lease.task.startsWith(large));
});

Deno.test("a worker that leaves is not waited for: another is kept", () => {
  const fleet = new Fleet();
  const pool = { cpus: 2, memoryBytes: 0, gpus: 0 };
  const one = fleet.join("w1", { slots: 2, pool });
  fleet.submit(1, { resources: cpus(1) }, "first");
  const large = fleet.submit(1, { resources: cpus(2) }, "large");
  fleet.submit(100, { resources: cpus(1) }, "small");
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  works(one, 0, 1);
  one.leaves();
  const two = fleet.join("w2", { slots: 2, pool });
  assert.ok(two.leases.length > 0);
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  for (let done = 0; !two.leases.some((lease) => lease.task.startsWith(large)); done++) {
    assert.ok(done < 10, "the large task is not placed on the other worker");
    works(two, done, 1);
  }
});

Deno.test("what fits nowhere keeps no worker, and an experiment's large trials are not overtaken for ever either", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2, pool: { cpus: 2, memoryBytes: 0, gpus: 0 } });
  fleet.submit(1, { resources: cpus(64), priority: 9 }, "huge");
  fleet.submit(3_000, { resources: cpus(1) }, "small");
  const source = fleet.source("e1", { resources: cpus(2) });
  let done = 0;
  for (; source.wanted === 0; done++) {
    assert.ok(done < OVERTAKEN_MAX + 10, "the experiment was never asked");
    works(worker, done, 1);
  }
  source.submits(1);
  assert.ok(worker.lease.task.startsWith(source.group));
});
