import assert from "node:assert/strict";
import { OVERTAKEN_MAX_MS } from "../../../master/cluster/reservations.ts";
import type { TaskTemplate } from "../../../shared/model/task.ts";
import { result } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** A fleet with a worker whose group has been observed to take so long. */
function observed(elapsedMs: number, template: Partial<TaskTemplate> = {}) {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w1");
  const group = fleet.submit(40, template);
  assert.equal(worker.leases.length, 1);
  worker.completes(worker.lease, elapsedMs);
  return { fleet, worker, group };
}

Deno.test("nothing is prefetched before the first length is observed", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w");
  fleet.submit(40);
  assert.equal(worker.leases.length, 1);
});

Deno.test("short tasks are prefetched up to the limit", () => {
  assert.equal(observed(1).worker.leases.length, 1 + 1 + 16);
});

Deno.test("longer tasks are prefetched less, and long ones not at all", () => {
  assert.equal(observed(10).worker.leases.length, 1 + 1 + 3);
  assert.equal(observed(1_500).worker.leases.length, 1 + 1);
});

Deno.test("tasks with a deadline or with resources are not prefetched", () => {
  assert.equal(observed(1, { deadlineMs: 1_000 }).worker.leases.length, 2);
  const resources = { cpus: 0.1, memoryBytes: 0, gpus: 0 };
  assert.equal(observed(1, { resources }).worker.leases.length, 2);
});

Deno.test("with a limit of 0 nothing is prefetched", () => {
  const fleet = new Fleet({ prefetchMax: 0 });
  const worker = fleet.join("w");
  fleet.submit(5);
  worker.completes(worker.lease, 1);
  assert.equal(worker.leases.length, 2);
});

Deno.test("what waits on a busy worker is recalled for an idle one", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const busy = fleet.join("w1");
  fleet.submit(5);
  busy.completes(busy.lease, 15);
  assert.equal(busy.leases.length, 1 + 1 + 2);
  busy.completes(busy.leases[1], 15);
  assert.equal(busy.leases.length, 5);
  const idle = fleet.join("w2");
  const recalled = busy.of("recall");
  assert.equal(recalled.length, 1);
  assert.equal(recalled[0]?.task, busy.leases[4]?.task);
  const lease = busy.leases[4];
  assert.ok(lease);
  busy.says(result(lease, { state: "returned" }, 0));
  assert.deepEqual(idle.leases.map((each) => each.task), [lease.task]);
});

Deno.test("nothing is recalled for an idle worker that could not take it", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const busy = fleet.join("w1");
  fleet.submit(5);
  busy.completes(busy.lease, 15);
  busy.completes(busy.leases[1], 15);
  fleet.join("w2", { executors: ["module"] });
  assert.deepEqual(busy.of("recall"), []);
});

Deno.test("nothing is recalled for an idle worker that is kept for others", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const needsCpus = (cpus: number) => ({ resources: { cpus, memoryBytes: 0, gpus: 0 } });
  const kept = fleet.join("kept", { slots: 2, pool: { cpus: 2, memoryBytes: 1e9, gpus: 0 } });
  fleet.submit(1, needsCpus(1), "long");
  fleet.source("large", needsCpus(2));
  const busy = fleet.join("busy", { pool: { cpus: 1, memoryBytes: 1e9, gpus: 0 } });
  fleet.submit(10);
  fleet.pass(OVERTAKEN_MAX_MS);
  let ended = 0;
  for (; fleet.core.queue.size > 0; ended++) busy.completes(busy.leases[ended], 15);
  assert.equal(fleet.core.reservations.of("kept")?.share, "large");
  kept.completes(kept.leases[1], 15);
  assert.ok(busy.leases.length > ended + 2, "what waits on it waits for long");
  for (const lease of busy.of("recall")) busy.says(result(lease, { state: "returned" }, 0));
  assert.deepEqual(busy.of("recall"), []);
  assert.equal(kept.leases.length, 2);
});

Deno.test("what only waited on a worker has not crashed with it, also where the master was restarted too", () => {
  for (const isRestarted of [false, true]) {
    const fleet = new Fleet({ prefetchMax: 16 });
    const worker = fleet.join("w");
    fleet.submit(20);
    worker.completes(worker.lease, 5);
    assert.ok(worker.leases.length > 3);
    fleet.pass(3_000);
    if (isRestarted) fleet.restart();
    else worker.leaves();
    fleet.join("w", { incarnation: "second" });
    fleet.pass(3_000);
    assert.deepEqual(
      [...fleet.core.tasks.values()].filter((task) => task.failures.crash > 0).map((task) => task.number),
      [
        2,
      ],
    );
  }
});

Deno.test("what needs a slot is not kept waiting by prefetching for what comes after it", () => {
  const fleet = new Fleet({ prefetchMax: 16 });
  const worker = fleet.join("w1");
  const low = fleet.submit(60);
  worker.completes(worker.lease, 1);
  const high = fleet.submit(1, { priority: 5, resources: { cpus: 1, memoryBytes: 0, gpus: 0 } });
  let ended = 0;
  while (!worker.leases.some((lease) => lease.task.startsWith(high))) {
    worker.completes(worker.leases[++ended], 1);
    assert.ok(ended < 30, "it never got its slot");
  }
  assert.ok(fleet.stateOf(low, 60));
});
