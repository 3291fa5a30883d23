import assert from "node:assert/strict";
import type { Lease } from "../../../shared/model/task.ts";
import { RETRY_DEFAULTS } from "../../../shared/model/task.ts";
import type { Report } from "../../../shared/protocol/worker_envelopes.ts";
import { ATTEMPT_REPORTS_MAX } from "../../../master/store/limits.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const AT_ONCE = { retry: { ...RETRY_DEFAULTS, backoffMs: 0, backoffMaxMs: 0 } };

function report(lease: Lease, number: number, step: number): Report {
  return { type: "report", ...lease, number, step, metrics: { loss: step } };
}

/** Word of a checkpoint; its hash says its step. */
function saved(lease: Lease, number: number, step: number): Report {
  const checkpoint = { sha256: String(step % 10).repeat(64), bytes: 5 };
  return { type: "report", ...lease, number, step, metrics: {}, checkpoint };
}

/** What each assignment of a worker goes on from: attempt and step. */
function restores(worker: ReturnType<Fleet["join"]>): readonly unknown[] {
  return worker.of("assign").map(({ restore }) =>
    restore === undefined ? null : [restore.attempt, restore.step]
  );
}

function kept(fleet: Fleet, lease: Lease): readonly number[] {
  return fleet.diskTask(lease.task)?.checkpoints.map(({ step }) => step) ?? [];
}

Deno.test("the next attempt of a task goes on from its highest checkpoint, on whatever worker", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, AT_ONCE);
  const { lease } = first;
  first.says(report(lease, 1, 7), saved(lease, 2, 7), saved(lease, 3, 4));
  first.leaves();
  const second = fleet.join("w2");
  assert.deepEqual([restores(first), restores(second)], [[null], [[1, 7]]]);
  const row = [...fleet.diskTask(lease.task)?.continued.values() ?? []];
  assert.deepEqual(row.map(({ lease, from }) => [lease.attempt, from.step]), [[2, 7]]);
});

Deno.test("an attempt that goes on from a checkpoint is assigned once its row is durable, and not before", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const second = fleet.join("w2");
  fleet.submit(1, AT_ONCE);
  const [busy, idle] = first.leases.length > 0 ? [first, second] : [second, first];
  busy.says(saved(busy.lease, 1, 7));
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  busy.leaves();
  assert.equal(idle.leases.length, 0);
  fleet.faults = NO_FAULTS;
  fleet.pass(5_000);
  assert.deepEqual(restores(idle), [[1, 7]]);
});

Deno.test("a worker that goes before it heard of such an attempt is not waited for, and nothing is counted", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const second = fleet.join("w2");
  const group = fleet.submit(1, AT_ONCE);
  const [busy, idle] = first.leases.length > 0 ? [first, second] : [second, first];
  busy.says(saved(busy.lease, 1, 7));
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  busy.leaves();
  idle.leaves();
  const third = fleet.join("w3");
  fleet.faults = NO_FAULTS;
  fleet.pass(5_000);
  assert.deepEqual([idle.leases.length, restores(third)], [0, [[1, 7]]]);
  assert.deepEqual(fleet.core.tasks.get(third.lease.task)?.failures, {
    evaluator: 0,
    deadline: 0,
    worker_lost: 0,
    crash: 0,
  });
  third.completes(third.lease);
  assert.equal(fleet.outcome(group)?.lease?.attempt, third.lease.attempt);
});

Deno.test("a restarted master knows the checkpoints of open tasks", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, AT_ONCE);
  const { lease } = first;
  first.says(saved(lease, 1, 3), saved(lease, 2, 8));
  fleet.restart();
  const second = fleet.join("w2");
  fleet.pass(31_000);
  assert.deepEqual(restores(second), [[1, 8]]);
  assert.equal(second.of("assign")[0]?.restore?.epoch, lease.epoch);
});

Deno.test("what is saved under a lease that was told to end is none to go on from, and its result still wins", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1, AT_ONCE);
  const { lease } = first;
  fleet.pass(1_000);
  first.leaves();
  const second = fleet.join("w2");
  const back = fleet.join("w1", { leases: [held(lease, "running", 2_000)] });
  assert.deepEqual(second.of("cancel").map(({ reason }) => reason), ["duplicate"]);
  second.says(saved(second.lease, 1, 9));
  assert.deepEqual(kept(fleet, lease), []);
  back.says(saved(lease, 1, 2));
  assert.deepEqual(kept(fleet, lease), [2]);
  second.completes(second.lease);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 2);
  assert.deepEqual(kept(fleet, lease), [], "with the outcome they go");
});

Deno.test("of two attempts the one with the further checkpoint is kept, however long each ran", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, AT_ONCE);
  const { lease } = first;
  first.says(saved(lease, 1, 3));
  fleet.pass(1_000);
  first.leaves();
  const second = fleet.join("w2");
  fleet.pass(10_000);
  second.says(saved(second.lease, 1, 5));
  const behind = fleet.join("w1", { leases: [{ ...held(lease, "running", 60_000), checkpoint: 4 }] });
  assert.deepEqual(behind.of("welcome").map(({ keep }) => keep), [[false]]);
  assert.deepEqual(second.of("cancel"), []);
});

Deno.test("an attempt that comes back with the further checkpoint is kept before its report has come", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, AT_ONCE);
  const { lease } = first;
  first.says(saved(lease, 1, 3));
  first.leaves();
  const second = fleet.join("w2");
  fleet.pass(10_000);
  second.says(saved(second.lease, 1, 5));
  const ahead = fleet.join("w1", { leases: [{ ...held(lease, "running", 10), checkpoint: 6 }] });
  assert.deepEqual(ahead.of("welcome").map(({ keep }) => keep), [[true]]);
  assert.deepEqual(second.of("cancel").map(({ reason }) => reason), ["duplicate"]);
  ahead.says(saved(lease, 2, 6));
  assert.deepEqual(kept(fleet, lease), [5, 6]);
});

Deno.test("experiments hear measurements only, and those above the step that an attempt goes on from", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1", AT_ONCE);
  const first = fleet.join("w1");
  source.submits(1);
  const { lease } = first;
  const file = { name: "plot.png", sha256: "f".repeat(64), bytes: 1 };
  first.says(
    report(lease, 1, 1),
    saved(lease, 2, 1),
    { type: "report", ...lease, number: 3, step: 1, metrics: {}, file },
    report(lease, 4, 2),
  );
  assert.deepEqual(source.of("reported").map(({ step }) => step), [1, 2]);
  first.leaves();
  const second = fleet.join("w2");
  second.says(report(second.lease, 1, 1), report(second.lease, 2, 2), saved(second.lease, 3, 2));
  assert.deepEqual(source.of("reported").map(({ step }) => step), [1, 2, 2]);
  const { measured } = fleet.core.tasks.get(lease.task) ?? {};
  assert.deepEqual(measured?.metrics, { loss: 2 }, "a checkpoint is no measurement");
});

Deno.test("a task keeps as many checkpoints as its template says, and one after its outcome where that is asked for", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1, { checkpoints: { keep: 3, keepEnded: true } });
  const { lease } = worker;
  worker.says(...[1, 2, 3, 4].map((step) => saved(lease, step, step)));
  assert.deepEqual(kept(fleet, lease), [2, 3, 4]);
  worker.completes(lease);
  assert.deepEqual(kept(fleet, lease), [4]);
});

Deno.test("beyond the reports that are kept of an attempt its checkpoints count all the same", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  fleet.submit(1, AT_ONCE);
  const { lease } = worker;
  for (let from = 1; from <= ATTEMPT_REPORTS_MAX + 1_000; from += 1_000) {
    worker.says(...Array.from({ length: 1_000 }, (_, index) => report(lease, from + index, from + index)));
  }
  const number = ATTEMPT_REPORTS_MAX + 1_001;
  worker.says(saved(lease, number, number), report(lease, number + 1, number + 1));
  assert.deepEqual(worker.of("taken").at(-1)?.reports, number + 1);
  worker.leaves();
  assert.deepEqual(restores(fleet.join("w2")), [[1, number]]);
});

Deno.test("a submission's code is an artifact that is needed", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1, { code: { sha256: "a".repeat(64), bytes: 1 } });
  assert.equal(fleet.disk.state.groups.get(group)?.code, "a".repeat(64));
});
