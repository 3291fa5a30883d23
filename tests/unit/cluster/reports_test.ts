import assert from "node:assert/strict";
import type { Lease } from "../../../shared/model/task.ts";
import type { Report } from "../../../shared/protocol/worker_envelopes.ts";
import { ATTEMPT_REPORTS_MAX } from "../../../master/store/limits.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { completed, held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** A report whose metrics are `values` numbers. */
function report(lease: Lease, number: number, values = 1): Report {
  const metrics = Object.fromEntries(Array.from({ length: values }, (_, index) => [`m${index}`, number]));
  return { type: "report", ...lease, number, step: number, metrics };
}

function reports(lease: Lease, from: number, to: number, values = 1): readonly Report[] {
  return Array.from({ length: to - from + 1 }, (_, index) => report(lease, from + index, values));
}

/** The numbers that the store has of a lease. */
function stored(fleet: Fleet, lease: Lease): readonly number[] {
  const curves = [...fleet.diskTask(lease.task)?.curves.values() ?? []];
  const curve = curves.find((each) => each.lease.attempt === lease.attempt);
  return curve?.reports.map((each) => each.number) ?? [];
}

/** What a worker was told of its reports. */
function words(worker: ReturnType<Fleet["join"]>): readonly (readonly [number, number | null])[] {
  return worker.of("taken").map((each) => [each.reports, each.again]);
}

Deno.test("reports are taken when they are durable: one word for a lease and turn, the highest", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1);
  const { lease } = worker;
  worker.posts(...reports(lease, 1, 3));
  worker.posts(report(lease, 4));
  assert.deepEqual(words(worker), []);
  fleet.settle();
  assert.deepEqual(words(worker), [[4, null]]);
  assert.deepEqual(stored(fleet, lease), [1, 2, 3, 4]);
  assert.equal(worker.of("taken")[0]?.commit, fleet.disk.state.commit);
});

Deno.test("reports that come again are kept once, told to the experiment once, and taken again", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const worker = fleet.join("w1");
  source.submits(1);
  const { lease } = worker;
  worker.says(...reports(lease, 1, 2));
  worker.leaves();
  const back = fleet.join("w1", { leases: [held(lease, "running", 10)] });
  back.says(...reports(lease, 1, 3));
  assert.deepEqual(words(back), [[3, null]]);
  assert.deepEqual(stored(fleet, lease), [1, 2, 3]);
  assert.deepEqual(source.of("reported").map((each) => each.step), [1, 2, 3]);
});

Deno.test("reports of a lease that does not count are taken at once and kept nowhere", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(2);
  const [first] = worker.leases;
  assert.ok(first !== undefined);
  worker.completes(first);
  const { commit } = fleet.disk.state;
  worker.says(report(first, 1), report({ ...worker.lease, attempt: 7 }, 1));
  assert.deepEqual(words(worker), [[1, null], [1, null]]);
  assert.deepEqual([stored(fleet, first), stored(fleet, worker.lease)], [[], []]);
  assert.equal(fleet.disk.state.commit, commit);
});

Deno.test("reports that come again while their outcome is on its way are not taken before both are durable", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1);
  const { lease } = worker;
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  worker.says(report(lease, 1), completed(lease));
  worker.leaves();
  const back = fleet.join("w1", { leases: [held(lease, "finished", 10)] });
  back.says(report(lease, 1), completed(lease));
  assert.deepEqual(words(back), []);
  fleet.faults = NO_FAULTS;
  fleet.pass(1_000);
  assert.deepEqual(words(back).at(-1), [1, null]);
  assert.deepEqual(stored(fleet, lease), [1]);
});

Deno.test("another worker's lease cannot be reported for", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1);
  const second = fleet.join("w2");
  second.says(report(first.lease, 1));
  assert.deepEqual(stored(fleet, first.lease), []);
  assert.deepEqual(words(second), [[1, null]], "it is told to forget them");
});

Deno.test("what follows a gap is not kept: it is asked for from the number that is missing", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1);
  const { lease } = worker;
  worker.says(...reports(lease, 1, 2));
  worker.says(report(lease, 5));
  assert.deepEqual(words(worker), [[2, null], [2, 3]]);
  worker.says(...reports(lease, 3, 5));
  assert.deepEqual(stored(fleet, lease), [1, 2, 3, 4, 5]);
});

Deno.test("a curve of a lost attempt is whole where the attempt brings the outcome after all", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  const { lease } = worker;
  worker.says(report(lease, 1));
  worker.leaves();
  fleet.pass(31_000);
  const back = fleet.join("w1", { leases: [held(lease, "finished", 10)] });
  back.says(report(lease, 2), completed(lease));
  assert.equal(fleet.outcome(group)?.lease?.attempt, lease.attempt);
  assert.deepEqual(stored(fleet, lease), [1, 2]);
});

Deno.test("reports beyond the room stay with their worker; its result waits for them, and all come in order", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1);
  const { lease } = worker;
  worker.posts(...reports(lease, 1, 250, 256));
  worker.posts(report(lease, 251));
  worker.posts(completed(lease));
  fleet.settle();
  assert.equal(fleet.outcome(group), undefined, "an outcome never stands before its curve");
  fleet.pass(1_000);
  assert.deepEqual(words(worker), [[250, 0]], "it is asked for once");
  worker.says(completed(lease));
  assert.equal(fleet.outcome(group), undefined, "this one was under way before");
  worker.says(report(lease, 251), completed(lease));
  assert.equal(stored(fleet, lease).length, 251);
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("beyond the limit for an attempt reports are dropped, and that is said once", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1);
  const { lease } = worker;
  for (let from = 1; from <= ATTEMPT_REPORTS_MAX; from += 1_000) {
    worker.says(...reports(lease, from, from + 999));
  }
  worker.says(...reports(lease, ATTEMPT_REPORTS_MAX + 1, ATTEMPT_REPORTS_MAX + 5));
  worker.says(report(lease, ATTEMPT_REPORTS_MAX + 6));
  assert.equal(stored(fleet, lease).length, ATTEMPT_REPORTS_MAX);
  assert.equal(words(worker).at(-1)?.[0], ATTEMPT_REPORTS_MAX + 6);
  assert.equal(fleet.core.intake.dropped, 6);
  assert.equal(fleet.log.filter((line) => line.includes("reports are kept")).length, 1);
});
