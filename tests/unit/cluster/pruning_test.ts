import assert from "node:assert/strict";
import { completed, held, result } from "./fake_worker.ts";
import type { FakeWorker } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const PRUNED = { state: "pruned", metrics: { loss: 3 } } as const;

/** An experiment's trial that runs on w1. */
function running() {
  const fleet = new Fleet();
  const source = fleet.source("e1");
  const first = fleet.join("w1");
  source.submits(1);
  source.declines(9);
  const { lease } = first;
  const prune = () => {
    fleet.post({ type: "source_prunes", group: source.group, number: 1 });
    fleet.settle();
  };
  const outcome = () => fleet.outcome(source.group)?.outcome;
  return { fleet, source, first, lease, prune, outcome };
}

function reports(worker: FakeWorker, loss: number): void {
  const report = { type: "report" as const, ...worker.lease, number: 1, step: 1, metrics: { loss } };
  worker.says(report);
}

Deno.test("a trial that is pruned is ended on its worker, and its outcome has what it measured last", () => {
  const { source, first, lease, prune, outcome } = running();
  prune();
  assert.deepEqual(first.of("cancel").map(({ reason, graceMs }) => ({ reason, graceMs })), [
    { reason: "pruned", graceMs: 5_000 },
  ]);
  first.ends(lease, PRUNED);
  assert.deepEqual(first.verdicts, ["recorded"]);
  assert.deepEqual(outcome(), PRUNED);
  assert.deepEqual(source.of("ended").map((each) => each.outcome), [PRUNED]);
});

Deno.test("a completed result that came before the pruned one wins", () => {
  const { fleet, first, lease, prune, outcome } = running();
  first.leaves();
  const second = fleet.join("w2");
  fleet.join("w1", { leases: [held(lease, "running", 0)] });
  prune();
  second.posts(completed(second.lease));
  fleet.settle();
  assert.equal(outcome()?.state, "completed");
});

Deno.test("of a completed and a pruned result in one batch the first is recorded and the other superseded", () => {
  for (const order of ["completed", "pruned"] as const) {
    const { fleet, first, lease, prune, outcome } = running();
    first.leaves();
    const second = fleet.join("w2");
    fleet.pass(16_000);
    prune();
    // Told to end as a duplicate or by the pruner: what was measured to its end counts.
    const back = fleet.join("w1", { leases: [held(lease, "finished", 5)] });
    const says = {
      completed: () => back.posts(completed(lease)),
      pruned: () => second.posts(result(second.lease, PRUNED)),
    };
    says[order]();
    says[order === "completed" ? "pruned" : "completed"]();
    fleet.settle();
    assert.equal(outcome()?.state, order);
    assert.deepEqual([...back.verdicts, ...second.verdicts].toSorted(), ["recorded", "superseded"]);
  }
});

Deno.test("a trial that waits to be tried again is pruned at once, with its last report", () => {
  const { fleet, source, first, lease, prune, outcome } = running();
  reports(first, 2);
  first.fails(lease);
  assert.equal(fleet.stateOf(source.group), "delayed");
  prune();
  assert.deepEqual(outcome(), { state: "pruned", metrics: { loss: 2 } });
  fleet.pass(5_000);
  assert.equal(first.leases.length, 1);
});

Deno.test("a trial that is pruned while its worker is away is not run again: when it is lost its last report counts", () => {
  const { fleet, first, prune, outcome } = running();
  reports(first, 4);
  first.leaves();
  prune();
  const other = fleet.join("w2");
  fleet.pass(20_000);
  assert.equal(other.leases.length, 0);
  assert.equal(outcome(), undefined);
  fleet.pass(12_000);
  assert.deepEqual(outcome(), { state: "pruned", metrics: { loss: 4 } });
  assert.equal(other.leases.length, 0);
});

Deno.test("a worker that was away when its trial was pruned is told so when it comes back", () => {
  const { fleet, first, lease, prune, outcome } = running();
  first.leaves();
  prune();
  const back = fleet.join("w1", { leases: [held(lease, "running", 10)] });
  assert.deepEqual(back.of("welcome").map((each) => each.keep), [[true]]);
  assert.deepEqual(back.of("cancel").map((each) => each.reason), ["pruned"]);
  back.ends(lease, PRUNED);
  assert.deepEqual(outcome(), PRUNED);
});

Deno.test("a trial whose process died after it was pruned is pruned, and that is no crash", () => {
  const { fleet, source, first, prune, outcome } = running();
  reports(first, 5);
  prune();
  first.leaves();
  fleet.join("w1", { incarnation: "second" });
  assert.deepEqual(outcome(), { state: "pruned", metrics: { loss: 5 } });
  assert.ok(![...fleet.row(source.group)?.ended.values() ?? []].includes("crash"));
});

Deno.test("a trial that fails while it is being pruned is pruned", () => {
  const { first, lease, prune, outcome } = running();
  reports(first, 6);
  prune();
  first.fails(lease, { final: true });
  assert.deepEqual(outcome(), { state: "pruned", metrics: { loss: 6 } });
});

Deno.test("what a worker calls pruned and nobody pruned is run again", () => {
  const { fleet, source, first, lease, outcome } = running();
  first.ends(lease, PRUNED);
  assert.equal(outcome(), undefined);
  fleet.pass(5_000);
  assert.equal(first.leases.length, 2, fleet.stateOf(source.group));
});

Deno.test("what a master before this one had pruned stays pruned", () => {
  const { fleet, source, first, lease, prune } = running();
  prune();
  fleet.restart();
  const back = fleet.join("w1", { leases: [held(lease, "finished", 5)] });
  back.ends(lease, PRUNED);
  assert.deepEqual(fleet.outcome(source.group)?.outcome, PRUNED);
  assert.equal(first.leases.length, 1);
});

Deno.test("a trial that has its outcome is not pruned any more", () => {
  const { first, lease, prune, outcome } = running();
  first.completes(lease);
  prune();
  assert.equal(outcome()?.state, "completed");
  assert.deepEqual(first.of("cancel"), []);
});
