import assert from "node:assert/strict";
import { RETRY_DEFAULTS } from "../../../shared/model/task.ts";
import { result } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const ONCE = { limit: 1, crashLimit: 1, backoffMs: 1_000, backoffMaxMs: 10_000 };

Deno.test("a failure is written down, then tried again after a back-off", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: ONCE });
  worker.fails();
  assert.deepEqual(worker.verdicts, ["recorded"]);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["evaluator"]);
  assert.equal(fleet.stateOf(group), "delayed");
  fleet.pass(400);
  assert.equal(worker.leases.length, 1);
  fleet.pass(700);
  assert.equal(worker.leases.length, 2);
});

Deno.test("the back-off doubles up to its maximum", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(1, { retry: { limit: 4, crashLimit: 0, backoffMs: 1_000, backoffMaxMs: 3_000 } });
  const waits: number[] = [];
  for (let failure = 0; failure < 4; failure++) {
    worker.fails();
    const since = fleet.loop.now();
    const before = worker.leases.length;
    while (worker.leases.length === before) fleet.virtual.step();
    waits.push(fleet.loop.now() - since);
  }
  const fulls = [1_000, 2_000, 3_000, 3_000];
  for (const [index, wait] of waits.entries()) {
    const full = fulls[index] ?? 0;
    assert.ok(wait >= full / 2 - 1 && wait <= full + 1, `waited ${wait} ms of ${full}`);
  }
});

Deno.test("a task fails for good after its retries, with the last cause and message", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: ONCE });
  worker.fails(worker.lease, { message: "first" });
  fleet.pass(1_100);
  worker.fails(worker.lease, { message: "second" });
  assert.deepEqual(fleet.outcome(group)?.outcome, { state: "failed", cause: "evaluator", message: "second" });
  assert.equal(fleet.outcome(group)?.attempts, 2);
});

Deno.test("each cause is counted by itself", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: ONCE });
  worker.fails();
  fleet.pass(1_100);
  worker.fails(worker.lease, { cause: "deadline" });
  fleet.pass(1_100);
  worker.completes();
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("a final failure is not tried again", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { retry: ONCE });
  worker.fails(worker.lease, { final: true });
  assert.equal(fleet.outcome(group)?.outcome.state, "failed");
});

Deno.test("a retry prefers another worker, and takes the same one where there is no other", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1", { slots: 4 });
  fleet.submit(1, { retry: { ...ONCE, backoffMs: 0 } });
  const second = fleet.join("w2", { slots: 1 });
  first.fails();
  assert.equal(second.leases.length, 1);
  second.leaves();
  assert.equal(first.leases.length, 2);
});

Deno.test("the worker that failed a task last is the one that is avoided", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  fleet.submit(1, { retry: { ...ONCE, limit: 5, backoffMs: 0 } });
  first.fails();
  assert.equal(first.leases.length, 2);
  const second = fleet.join("w2");
  first.fails();
  second.fails();
  assert.equal(first.leases.length, 3);
  first.fails();
  assert.equal(second.leases.length, 2);
});

Deno.test("a task whose retries are used up fails only when no attempt is doubtful any more", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  first.leaves();
  const second = fleet.join("w2");
  second.fails(second.lease, { final: true });
  assert.equal(fleet.outcome(group), undefined);
  fleet.pass(31_000);
  assert.deepEqual(fleet.outcome(group)?.outcome, {
    state: "failed",
    cause: "evaluator",
    message: "it broke",
  });
  assert.equal(second.leases.length, 1);
});

Deno.test("the doubtful attempt of a task whose retries are used up may still complete it", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1");
  const group = fleet.submit(1);
  const lease = first.lease;
  first.leaves();
  const second = fleet.join("w2");
  second.fails(second.lease, { final: true });
  const back = fleet.join("w1", { leases: [{ ...lease, state: "finished", elapsedMs: 1 }] });
  back.completes(lease);
  assert.equal(fleet.outcome(group)?.outcome.state, "completed");
});

Deno.test("a lost worker counts, up to the limit", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1, { retry: ONCE });
  for (const name of ["w1", "w2"]) {
    fleet.join(name).leaves();
    fleet.pass(31_000);
  }
  const outcome = fleet.outcome(group)?.outcome;
  assert.ok(outcome?.state === "failed");
  assert.equal(outcome.cause, "worker_lost");
});

Deno.test("an attempt beyond its deadline is ended by the master half a minute later, and counted so", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { deadlineMs: 10_000, graceMs: 5_000, retry: RETRY_DEFAULTS });
  fleet.pass(44_000);
  assert.deepEqual(worker.of("cancel"), []);
  fleet.pass(2_000);
  assert.deepEqual(worker.of("cancel").map((each) => each.reason), ["deadline"]);
  const end = { state: "failed", cause: "deadline", message: "too long", final: false } as const;
  worker.says(result(worker.lease, end, 46_000));
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["deadline"]);
});

Deno.test("an attempt that the master ended for its deadline counts so whatever its worker calls it", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { deadlineMs: 10_000, graceMs: 5_000 });
  fleet.pass(46_000);
  worker.ends(worker.lease, { state: "cancelled" });
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["deadline"]);
});

Deno.test("the deadline's backstop does not run for a doubtful attempt", () => {
  const fleet = new Fleet({ lostAfterMs: 1e9 });
  const worker = fleet.join("w");
  const group = fleet.submit(1, { deadlineMs: 10_000, graceMs: 5_000 });
  worker.mute = true;
  fleet.pass(100_000);
  assert.deepEqual(worker.of("cancel"), []);
  assert.ok(fleet.stateOf(group));
});
