import assert from "node:assert/strict";
import { BLAME_MAX, PAUSE_MIN_MS, STREAK_MAX } from "../../../master/cluster/probation.ts";
import { workerId } from "../../../shared/model/ids.ts";
import { Fleet } from "./fleet.ts";

const RETRY = { limit: 20, crashLimit: 20, backoffMs: 0, backoffMaxMs: 0 };

/** A fleet in which w1 has failed what w2 completed, often enough. */
function blamed() {
  const fleet = new Fleet();
  const bad = fleet.join("w1", { slots: 2 });
  for (let i = 0; i < BLAME_MAX; i++) {
    fleet.submit(1, { retry: RETRY });
    const good = fleet.join("w2");
    bad.fails();
    good.completes();
    good.leaves();
  }
  return { fleet, bad };
}

function probation(fleet: Fleet) {
  return fleet.core.workers.get(workerId("w1"))?.probation;
}

Deno.test("a worker that fails what others complete gets nothing for a while, then one attempt at a time", () => {
  const { fleet, bad } = blamed();
  const before = bad.leases.length;
  assert.match(probation(fleet)?.reason ?? "", /other workers completed/);
  fleet.submit(3, { retry: RETRY });
  fleet.pass(PAUSE_MIN_MS - 500);
  assert.equal(bad.leases.length, before);
  fleet.pass(1_000);
  assert.equal(bad.leases.length, before + 1);
});

Deno.test("each further failure doubles the pause", () => {
  const { fleet, bad } = blamed();
  fleet.submit(3, { retry: RETRY });
  fleet.pass(PAUSE_MIN_MS + 500);
  const before = bad.leases.length;
  bad.fails();
  fleet.pass(2 * PAUSE_MIN_MS - 500);
  assert.equal(bad.leases.length, before);
  fleet.pass(1_000);
  assert.equal(bad.leases.length, before + 1);
});

Deno.test("a success ends the probation", () => {
  const { fleet, bad } = blamed();
  fleet.submit(3, { retry: RETRY });
  fleet.pass(PAUSE_MIN_MS + 500);
  const before = bad.leases.length;
  bad.completes();
  assert.equal(probation(fleet), undefined);
  assert.equal(bad.leases.length, before + 2);
});

Deno.test("a worker that was lost with many tasks is not on probation when others complete them", () => {
  const fleet = new Fleet();
  const lost = fleet.join("w1", { slots: 5 });
  fleet.submit(5, { retry: RETRY });
  lost.leaves();
  fleet.pass(31_000);
  const other = fleet.join("w2", { slots: 5 });
  for (const lease of other.leases) other.completes(lease);
  fleet.join("w1", { slots: 5 });
  assert.equal(probation(fleet), undefined);
});

Deno.test("a worker on which tasks hang, and that others complete, is on probation as one that fails them", () => {
  const fleet = new Fleet();
  const bad = fleet.join("w1");
  for (let i = 0; i < BLAME_MAX; i++) {
    fleet.submit(1, { retry: RETRY });
    const good = fleet.join("w2");
    bad.fails(bad.lease, { cause: "deadline" });
    good.completes();
    good.leaves();
  }
  assert.match(probation(fleet)?.reason ?? "", /failed 3 tasks that other workers completed/);
  fleet.submit(1, { retry: RETRY });
  fleet.pass(PAUSE_MIN_MS + 500);
  const before = bad.leases.length;
  bad.fails(bad.lease, { cause: "deadline" });
  fleet.pass(2 * PAUSE_MIN_MS - 500);
  assert.equal(bad.leases.length, before, "its pause has grown");
});

Deno.test("while one is on probation the others work on, and pages show why it does not", () => {
  const { fleet, bad } = blamed();
  const before = bad.leases.length;
  const good = fleet.join("w3", { slots: 2 });
  fleet.submit(2, { retry: RETRY });
  assert.deepEqual([bad.leases.length, good.leases.length], [before, 2]);
  const token = fleet.command((asker) => ({ type: "list_workers", ...asker }));
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply?.ok);
  const shown = (reply.value as { id: string; probation: string | null }[]).map((each) => [
    each.id,
    each.probation,
  ]);
  assert.deepEqual(
    new Map(shown as [string, string | null][]).get("w1"),
    "failed 3 tasks that other workers completed",
  );
  assert.deepEqual(new Map(shown as [string, string | null][]).get("w3"), null);
});

/** A fleet in which w2 is busy for long, and w1 fails whatever it is given. */
function failing() {
  const fleet = new Fleet();
  const busy = fleet.join("w2");
  fleet.submit(1, { retry: RETRY });
  const bad = fleet.join("w1");
  fleet.submit(50, { retry: { ...RETRY, limit: 3 } });
  for (let i = 0; i < 4 * STREAK_MAX && probation(fleet) === undefined; i++) {
    bad.fails();
    fleet.pass(10);
  }
  return { fleet, bad, busy };
}

Deno.test("a worker that fails task after task while the others are busy is on probation before the queue has failed", () => {
  const { fleet, bad } = failing();
  assert.match(probation(fleet)?.reason ?? "", /5 tasks in a row, and no other worker/);
  const before = bad.leases.length;
  fleet.pass(PAUSE_MIN_MS - 500);
  assert.equal(bad.leases.length, before);
  assert(before < 4 * STREAK_MAX + 1, `${before} attempts were given to it`);
});

Deno.test("where another worker fails as well, it is the evaluator, and nobody is on probation", () => {
  const { fleet, busy } = failing();
  assert.notEqual(probation(fleet), undefined);
  for (let i = 0; i < 3 * STREAK_MAX; i++) {
    busy.fails();
    fleet.pass(10);
  }
  assert.equal(probation(fleet), undefined);
});

Deno.test("a worker that is alone, and fails everything, goes on: there is nobody to compare it with", () => {
  const fleet = new Fleet();
  const alone = fleet.join("w1");
  fleet.submit(20, { retry: RETRY });
  for (let i = 0; i < 4 * STREAK_MAX; i++) {
    alone.fails();
    fleet.pass(10);
  }
  assert.equal(probation(fleet), undefined);
});
