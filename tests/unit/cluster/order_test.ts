import assert from "node:assert/strict";
import { Fleet } from "./fleet.ts";

const GPU = { cpus: 0, memoryBytes: 0, gpus: 1 };

Deno.test("tasks go out in the order of their submission", () => {
  const fleet = new Fleet();
  const one = fleet.submit(2);
  const two = fleet.submit(1);
  const worker = fleet.join("w", { slots: 3 });
  assert.deepEqual(worker.leases.map((lease) => lease.task), [`${one}/1`, `${one}/2`, `${two}/1`]);
});

Deno.test("a higher priority goes first", () => {
  const fleet = new Fleet();
  fleet.submit(1);
  const high = fleet.submit(1, { priority: 1 });
  const worker = fleet.join("w");
  assert.deepEqual(worker.leases.map((lease) => lease.task), [`${high}/1`]);
});

Deno.test("tasks that fit nowhere hold back only those with the same needs", () => {
  const fleet = new Fleet();
  fleet.submit(3, { resources: GPU, priority: 9 });
  const plain = fleet.submit(2);
  const worker = fleet.join("w", { slots: 2 });
  assert.deepEqual(worker.leases.map((lease) => lease.task), [`${plain}/1`, `${plain}/2`]);
});

Deno.test("experiments are not held back by tasks that fit nowhere", () => {
  const fleet = new Fleet();
  fleet.submit(3, { resources: GPU, priority: 9 });
  fleet.join("w", { slots: 2 });
  assert.equal(fleet.source("e1").wanted, 2);
});

Deno.test("a task goes only to a worker that runs its kind of evaluator", () => {
  const fleet = new Fleet();
  const other = fleet.join("w1", { executors: ["module"] });
  fleet.submit(1);
  assert.equal(other.leases.length, 0);
  assert.equal(fleet.join("w2").leases.length, 1);
});

Deno.test("a pool is never overdrawn, also by parts that do not add up exactly", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 20, pool: { cpus: 1, memoryBytes: 100, gpus: 2 } });
  fleet.submit(20, { resources: { cpus: 0.1, memoryBytes: 0, gpus: 0.2 } });
  assert.equal(worker.leases.length, 10);
  for (const lease of worker.leases.slice(0, 3)) worker.completes(lease);
  assert.equal(worker.leases.length, 13);
});

Deno.test("the least loaded worker is taken", () => {
  const fleet = new Fleet();
  const small = fleet.join("w1", { slots: 1 });
  const large = fleet.join("w2", { slots: 3 });
  fleet.submit(3);
  assert.deepEqual([small.leases.length, large.leases.length], [1, 2]);
});
