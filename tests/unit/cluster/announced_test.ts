import assert from "node:assert/strict";
import { held } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

/** A worker that comes back and says that it has finished, and has not said yet how. */
function announced() {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  worker.leaves();
  const back = fleet.join("w", { leases: [held(worker.lease, "finished", 1_500)] });
  return { fleet, group, back, lease: worker.lease };
}

Deno.test("a result that was announced and never follows is treated as never received, and frees its slot", () => {
  const { fleet, group, back } = announced();
  assert.equal(back.leases.length, 0);
  back.beats();
  fleet.settle();
  assert.equal(back.lease.attempt, 2);
  assert.deepEqual([...fleet.row(group)?.ended.values() ?? []], ["never_received"]);
});

Deno.test("a result that was announced and comes before the next heartbeat is recorded", () => {
  const { fleet, group, back, lease } = announced();
  back.completes(lease);
  back.beats();
  fleet.settle();
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
  assert.equal(back.leases.length, 0);
});

Deno.test("a result that comes after it had been given up completes its task all the same", () => {
  const { fleet, group, back, lease } = announced();
  back.beats();
  fleet.settle();
  back.completes(lease);
  assert.deepEqual(back.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group)?.lease?.attempt, 1);
  assert.deepEqual(back.of("cancel").map((each) => each.attempt), [2]);
});

Deno.test("a cancelled attempt whose announced result never follows gives its slot back", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1);
  fleet.cancel(group, 1);
  worker.leaves();
  const back = fleet.join("w", { leases: [held(worker.lease, "finished", 1_500)] });
  fleet.submit(1);
  assert.equal(back.leases.length, 0);
  back.beats();
  fleet.settle();
  assert.equal(back.leases.length, 1);
});
