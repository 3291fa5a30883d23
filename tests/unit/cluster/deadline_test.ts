import assert from "node:assert/strict";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("a worker that comes back says how long its attempt has run, and the master's deadline believes it", () => {
  const fleet = new Fleet({ lostAfterMs: 1e9 });
  const worker = fleet.join("w");
  fleet.submit(1, { deadlineMs: 10_000, graceMs: 0 });
  worker.leaves();
  fleet.pass(100_000);
  // Its machine slept: by its own clock it has just begun.
  const back = fleet.join("w", { leases: [held(worker.lease, "running", 2_000)] });
  fleet.pass(37_000);
  assert.deepEqual(back.of("cancel"), []);
  fleet.pass(2_000);
  assert.deepEqual(back.of("cancel").map((each) => each.reason), ["deadline"]);
});

Deno.test("a worker that comes back overdue has half a minute to say that it has ended it", () => {
  const fleet = new Fleet({ lostAfterMs: 1e9 });
  const worker = fleet.join("w");
  fleet.submit(1, { deadlineMs: 10_000, graceMs: 0 });
  worker.mute = true;
  fleet.pass(100_000);
  worker.mute = false;
  fleet.pass(29_000);
  assert.deepEqual(worker.of("cancel"), []);
  fleet.pass(12_000);
  assert.deepEqual(worker.of("cancel").map((each) => each.reason), ["deadline"]);
});

Deno.test("an attempt that the master ended for its deadline counts so when its process is gone", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, { deadlineMs: 10_000, graceMs: 0 });
  fleet.pass(42_000);
  assert.equal(worker.of("cancel").length, 1);
  worker.leaves();
  fleet.join("w", { incarnation: "second" });
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["deadline"]);
});
