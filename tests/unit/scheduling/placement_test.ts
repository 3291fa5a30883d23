import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasRoom,
  lacksOnlySlot,
  leastLoaded,
  type PlacementOrder,
  type WorkerView,
} from "../../../master/scheduling/placement.ts";
import { needs } from "../../../master/scheduling/queue.ts";
import { fits, NO_RESOURCES } from "../../../shared/model/resources.ts";

const resources = fc.record({
  cpus: fc.constantFrom(0, 0.1, 0.5, 1, 4),
  memoryBytes: fc.constantFrom(0, 10, 100),
  gpus: fc.constantFrom(0, 0.25, 1),
});

const worker = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  held: fc.nat(8),
  free: resources,
  executors: fc.constantFrom(new Set(["builtin"]), new Set(["module"]), new Set(["builtin", "module"])),
});

const fleet = fc.array(worker, { maxLength: 6 }).map((all) =>
  all.map((each, index): WorkerView => ({ ...each, id: `w${index}` }))
);

const order = fc.record({
  resources,
  prefetch: fc.nat(4),
  avoid: fc.option(fc.nat(6).map((n) => `w${n}`), { nil: undefined }),
  exclude: fc.option(fc.nat(6).map((n) => `w${n}`), { nil: undefined }),
}).map(({ resources, prefetch, avoid, exclude }): PlacementOrder => ({
  needs: needs(0, resources, "builtin", "job."),
  prefetch: () => prefetch,
  avoid,
  exclude,
}));

Deno.test("a chosen worker has the executor, a place and the resources, and is not excluded", () => {
  fc.assert(fc.property(fleet, order, (fleet, order) => {
    const chosen = leastLoaded.choose(fleet, order);
    const able = fleet.filter((each) => hasRoom(each, order) && each.id !== order.exclude);
    assert.equal(chosen === undefined, able.length === 0);
    if (chosen === undefined) return;
    assert.ok(chosen.executors.has("builtin"));
    assert.ok(
      fits(order.needs.resources, chosen.free) || chosen.held < chosen.slots + order.prefetch(chosen),
    );
    assert.notEqual(chosen.id, order.exclude);
  }));
});

Deno.test("no other able worker is less loaded, and the avoided one is taken only where it is alone", () => {
  fc.assert(fc.property(fleet, order, (fleet, order) => {
    const chosen = leastLoaded.choose(fleet, order);
    const able = fleet.filter((each) => hasRoom(each, order) && each.id !== order.exclude);
    if (chosen === undefined) return;
    if (chosen.id === order.avoid) assert.equal(able.length, 1);
    for (const other of able) {
      if (other.id === order.avoid) continue;
      if (chosen.id !== order.avoid) assert.ok(chosen.held / chosen.slots <= other.held / other.slots);
    }
  }));
});

Deno.test("what needs resources never waits on a worker", () => {
  const full: WorkerView = {
    id: "w",
    slots: 1,
    held: 1,
    free: { cpus: 8, memoryBytes: 100, gpus: 1 },
    executors: new Set(["builtin"]),
  };
  const wanting = needs(0, { cpus: 1, memoryBytes: 0, gpus: 0 }, "builtin", "job.");
  assert.equal(hasRoom(full, { needs: wanting, prefetch: () => 9 }), false);
  assert.equal(hasRoom(full, { needs: needs(0, NO_RESOURCES, "builtin", "job."), prefetch: () => 9 }), true);
  assert.equal(lacksOnlySlot(full, wanting), true);
  assert.equal(lacksOnlySlot({ ...full, held: 0 }, wanting), false);
});

Deno.test("a worker that is kept for some needs takes those and what is of a higher priority, and nothing else", () => {
  const large = needs(3, { cpus: 4, memoryBytes: 0, gpus: 0 }, "builtin", "a");
  const kept: WorkerView = {
    id: "w",
    slots: 4,
    held: 0,
    free: { cpus: 4, memoryBytes: 0, gpus: 0 },
    executors: new Set(["builtin"]),
    reserved: large,
  };
  const takes = (priority: number, cpus: number) => {
    const own = needs(priority, { cpus, memoryBytes: 0, gpus: 0 }, "builtin", "b");
    return hasRoom(kept, { needs: own, prefetch: () => 0 });
  };
  assert.deepEqual([takes(3, 4), takes(4, 1), takes(3, 1), takes(2, 1)], [true, true, false, false]);
});
