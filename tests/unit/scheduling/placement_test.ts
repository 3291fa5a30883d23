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
import { anonymousDevices, DeviceBooks } from "../../../shared/model/device_books.ts";
import { fits, NO_RESOURCES, type Resources } from "../../../shared/model/resources.ts";

const resources = fc.record({
  cpus: fc.constantFrom(0, 0.1, 0.5, 1, 4),
  memoryBytes: fc.constantFrom(0, 10, 100),
  gpus: fc.constantFrom(0, 0.25, 1),
});

/** What of a worker matters to none of these tests, unless they say so. */
function traits(gpus: number): Pick<WorkerView, "devices" | "labels" | "timeLeftMs"> {
  return { devices: new DeviceBooks(anonymousDevices(gpus)), labels: new Set(), timeLeftMs: Infinity };
}

const worker = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  held: fc.nat(8),
  free: resources,
  executors: fc.constantFrom(new Set(["builtin"]), new Set(["module"]), new Set(["builtin", "module"])),
});

const fleet = fc.array(worker, { maxLength: 6 }).map((all) =>
  all.map((each, index): WorkerView => ({ ...each, ...traits(Math.ceil(each.free.gpus)), id: `w${index}` }))
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
      fits(order.needs.resources, { ...chosen.free, gpus: Math.ceil(chosen.free.gpus) }) ||
        chosen.held < chosen.slots + order.prefetch(chosen),
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
    ...traits(1),
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
    ...traits(0),
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

Deno.test("a worker that is kept for GPUs takes what needs none and leaves slot, cores and memory for them", () => {
  const kept: WorkerView = {
    ...traits(2),
    id: "w",
    slots: 4,
    held: 2,
    free: { cpus: 4, memoryBytes: 100, gpus: 0 },
    executors: new Set(["builtin"]),
    reserved: needs(0, { cpus: 2, memoryBytes: 50, gpus: 2 }, "builtin", "a"),
  };
  const takes = (worker: Partial<WorkerView>, cpus: number, gpus = 0) => {
    const own = needs(0, { cpus, memoryBytes: 0, gpus }, "builtin", "b");
    return hasRoom({ ...kept, ...worker }, { needs: own, prefetch: () => 9 });
  };
  assert.deepEqual([takes({}, 0), takes({}, 2), takes({}, 3), takes({}, 0, 0.5)], [true, true, false, false]);
  assert.deepEqual([takes({ held: 3 }, 0), takes({ held: 3 }, 1)], [false, false]);
});

Deno.test("a task goes only to a worker with all its labels, and with time enough", () => {
  const plain: WorkerView = {
    ...traits(0),
    id: "w",
    slots: 1,
    held: 0,
    free: NO_RESOURCES,
    executors: new Set(["builtin"]),
  };
  const takes = (worker: Partial<WorkerView>, need: Partial<Resources>, minTimeMs?: number) => {
    const wanted = needs(0, { ...NO_RESOURCES, ...need }, "builtin", "a", minTimeMs);
    return hasRoom({ ...plain, ...worker }, { needs: wanted, prefetch: () => 0 });
  };
  const labels = new Set(["gpu=a100", "zone=b"]);
  assert.equal(takes({ labels }, { labels: ["zone=b", "gpu=a100"] }), true);
  assert.equal(takes({ labels }, { labels: ["gpu=a100", "zone=c"] }), false);
  assert.equal(takes({}, { labels: ["gpu=a100"] }), false);
  assert.equal(takes({ timeLeftMs: 60_000 }, {}, 60_000), true);
  assert.equal(takes({ timeLeftMs: 59_999 }, {}, 60_000), false);
  assert.equal(takes({ timeLeftMs: 59_999 }, {}), true);
});

Deno.test("what asks for a label or for time never waits on a worker, as it waits for nothing but a slot", () => {
  const busy: WorkerView = {
    ...traits(0),
    id: "w",
    slots: 1,
    held: 1,
    free: NO_RESOURCES,
    executors: new Set(["builtin"]),
    labels: new Set(["zone=b"]),
  };
  const labelled = needs(0, { ...NO_RESOURCES, labels: ["zone=b"] }, "builtin", "a");
  const timed = needs(0, NO_RESOURCES, "builtin", "a", 1_000);
  for (const wanted of [labelled, timed]) {
    assert.equal(hasRoom(busy, { needs: wanted, prefetch: () => 9 }), false);
    assert.equal(lacksOnlySlot(busy, wanted), true);
  }
});

Deno.test("tasks that differ in the memory of a GPU, in labels or in time wait in lanes of their own", () => {
  const lane = (need: Partial<Resources>, minTimeMs?: number) =>
    needs(0, { ...NO_RESOURCES, gpus: 1, ...need }, "builtin", "a", minTimeMs).lane;
  const lanes = [lane({}), lane({ gpuMemoryBytes: 1 }), lane({ labels: ["a=b"] }), lane({}, 1)];
  assert.equal(new Set(lanes).size, 4);
  assert.equal(lane({ labels: ["a=b", "c=d"] }), lane({ labels: ["c=d", "a=b"] }));
});
