/**
 * GPUs by name: who gets which, what comes back, what is out of service; and workers by label and time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OVERTAKEN_MAX, OVERTAKEN_MAX_MS } from "../../../master/cluster/reservations.ts";
import { workerLive } from "../../../master/cluster/views.ts";
import type { Device } from "../../../shared/model/devices.ts";
import { workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES, type Resources } from "../../../shared/model/resources.ts";
import { held, type WorkerTraits } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const GIB = 2 ** 30;

function gpus(count: number, more: Partial<Resources> = {}): { readonly resources: Resources } {
  return { resources: { ...NO_RESOURCES, gpus: count, ...more } };
}

/** A worker with GPUs of so many GiB: `g0`, `g1` and so on. */
function withGpus(...sizesGib: readonly number[]): Partial<WorkerTraits> {
  const devices = sizesGib.map((gib, index): Device => ({
    id: `g${index}`,
    kind: "cuda",
    name: "A100",
    memoryBytes: gib * GIB,
  }));
  return { slots: 8, pool: { cpus: 8, memoryBytes: 1e9, gpus: devices.length }, devices };
}

/** What pages show of each GPU of a worker that is given out. */
function used(fleet: Fleet, name: string): readonly number[] {
  const record = fleet.core.workers.get(workerId(name));
  assert.ok(record);
  return workerLive(record).devices.map((each) => each.used);
}

Deno.test("whole GPUs go to one task each, shares fill one GPU before another is begun", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", withGpus(40, 40, 40));
  fleet.submit(1, gpus(0.5));
  fleet.submit(1, gpus(1));
  fleet.submit(1, gpus(0.25));
  fleet.submit(1, gpus(0.25));
  assert.deepEqual(worker.devices, [["g0"], ["g1"], ["g0"], ["g0"]]);
  fleet.submit(1, gpus(2));
  assert.equal(worker.leases.length, 4, "only one is wholly free");
  worker.completes(worker.leases[1]);
  assert.deepEqual(worker.devices[4], ["g1", "g2"]);
  assert.deepEqual(used(fleet, "w"), [1, 1, 1]);
  for (const lease of worker.leases) worker.completes(lease);
  assert.deepEqual(used(fleet, "w"), [0, 0, 0]);
});

Deno.test("what needs no GPU is told none, and a worker that named none is not told which", () => {
  const fleet = new Fleet();
  const named = fleet.join("w1", withGpus(40));
  fleet.submit(1);
  assert.equal(named.of("assign")[0]?.devices, undefined);
  named.leaves();
  const older = fleet.join("w2", { slots: 4, pool: { cpus: 8, memoryBytes: 1e9, gpus: 2 } });
  fleet.submit(3, gpus(1));
  assert.equal(older.leases.filter(({ task }) => task.startsWith("job.2/")).length, 2);
  assert.deepEqual(older.devices.flat(), []);
});

Deno.test("a GPU's memory decides: the smallest that is large enough, and none whose memory is unknown", () => {
  const fleet = new Fleet();
  fleet.join("w1", { slots: 4, pool: { cpus: 8, memoryBytes: 1e9, gpus: 2 } });
  const worker = fleet.join("w2", withGpus(80, 24, 40));
  fleet.submit(1, gpus(1, { gpuMemoryBytes: 30 * GIB }));
  fleet.submit(2, gpus(0.25, { gpuMemoryBytes: 12 * GIB }));
  fleet.submit(1, gpus(0.25, { gpuMemoryBytes: 12 * GIB }));
  assert.deepEqual(worker.devices, [["g2"], ["g1"], ["g1"], ["g0"]], "12 GiB fit into 24 GiB twice");
});

Deno.test("an experiment is offered no more trials than its GPUs hold", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1", gpus(0.5));
  const worker = fleet.join("w", withGpus(40, 40));
  assert.equal(source.wanted, 4);
  source.submits(4);
  assert.deepEqual(worker.devices, [["g0"], ["g0"], ["g1"], ["g1"]]);
});

Deno.test("a share that was offered to an experiment is kept for its trial, and a task gets another GPU", () => {
  const fleet = new Fleet();
  const source = fleet.source("e1", gpus(0.5), 1, 1);
  const worker = fleet.join("w", withGpus(40, 40));
  assert.equal(source.wanted, 1);
  fleet.submit(2, gpus(1));
  assert.equal(worker.leases.length, 1);
  source.submits(1);
  assert.equal(new Set(worker.devices.flat()).size, 2);
});

Deno.test("after a restart of the master a lease has the GPUs that its worker says", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40, 40, 40));
  fleet.submit(3, gpus(1));
  fleet.pass(2_000);
  const leases = before.leases;
  fleet.restart();
  const back = leases.slice(0, 2).map((lease, index) => held(lease, "running", 2_000, [`g${2 - index}`]));
  const worker = fleet.join("w", { ...withGpus(40, 40, 40), leases: back });
  assert.deepEqual(worker.devices, [["g0"]], "the third was never received, and has what is left");
  assert.deepEqual(used(fleet, "w"), [1, 1, 1]);
  worker.completes(leases[0]);
  assert.deepEqual(used(fleet, "w"), [1, 1, 0]);
});

Deno.test("a lease that was called lost is adopted with its GPU when its worker comes back", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40, 40));
  fleet.submit(1, gpus(0.5));
  const { lease } = before;
  before.leaves();
  fleet.pass(40_000);
  const worker = fleet.join("w", { ...withGpus(40, 40), leases: [held(lease, "running", 40_000, ["g1"])] });
  fleet.submit(2, gpus(1));
  assert.deepEqual(worker.devices, [["g0"]]);
});

Deno.test("where two leases came back on one whole GPU their worker is right, and nothing more is placed there", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40, 40));
  const group = fleet.submit(2, gpus(1));
  const back = before.leases.map((lease) => held(lease, "running", 10, ["g0"]));
  before.leaves();
  const worker = fleet.join("w", { ...withGpus(40, 40), leases: back });
  assert.deepEqual(used(fleet, "w"), [2, 0]);
  assert.deepEqual([fleet.stateOf(group, 1), fleet.stateOf(group, 2)], ["out", "out"]);
  fleet.submit(2, gpus(1));
  assert.deepEqual(worker.devices, [["g1"]]);
  worker.completes(before.leases[0]);
  assert.deepEqual(worker.devices, [["g1"]], "the other still has all of it");
  worker.completes(before.leases[1]);
  assert.deepEqual(worker.devices, [["g1"], ["g0"]]);
});

Deno.test("a lease of a task that is over keeps its GPU until its worker says that it has ended", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40));
  const group = fleet.submit(1, gpus(1));
  const { lease } = before;
  before.leaves();
  fleet.cancel(group, null);
  const worker = fleet.join("w", { ...withGpus(40), leases: [held(lease, "running", 10, ["g0"])] });
  fleet.submit(1, gpus(0.5));
  assert.deepEqual(worker.devices, []);
  worker.ends(lease, { state: "cancelled" });
  assert.deepEqual(worker.devices, [["g0"]]);
});

Deno.test("on a GPU that is out of service nothing is placed, until it is back; what runs there runs on", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", withGpus(40, 40));
  fleet.submit(1, gpus(0.5));
  worker.saysOut({ id: "g0", reason: "it has fallen off the bus" });
  const group = fleet.submit(2, gpus(1));
  assert.deepEqual(worker.devices, [["g0"], ["g1"]]);
  assert.equal(
    fleet.explain(group, 2).explanation,
    "waits for 1 gpu that others hold: one task is queued; g0 of w is out of service: it has fallen off the bus",
  );
  const record = fleet.core.workers.get(workerId("w"));
  assert.ok(record);
  assert.deepEqual(workerLive(record).devices.map(({ trouble }) => trouble), [
    "it has fallen off the bus",
    null,
  ]);
  worker.completes(worker.leases[0]);
  assert.equal(worker.leases.length, 2);
  worker.saysOut();
  assert.deepEqual(worker.devices, [["g0"], ["g1"], ["g0"]]);
});

Deno.test("where all fitting GPUs are out of service, that is why the task waits", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1", withGpus(40));
  worker.saysOut({ id: "g0", reason: "ECC errors" });
  const group = fleet.submit(1, gpus(0.5));
  assert.equal(
    fleet.explain(group, 1).explanation,
    "needs 0.5 of a gpu; w1 has 0; g0 of w1 is out of service: ECC errors",
  );
});

Deno.test("a lease that was handed back for its GPU goes elsewhere, and not to that GPU again until the worker is heard", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1", withGpus(40, 40));
  fleet.submit(1, gpus(1));
  worker.says({ type: "result", ...worker.lease, end: { state: "returned" }, elapsedMs: 0 });
  assert.deepEqual(worker.devices, [["g0"], ["g1"]]);
  worker.says({ type: "result", ...worker.lease, end: { state: "returned" }, elapsedMs: 0 });
  assert.equal(worker.leases.length, 2);
  worker.saysOut({ id: "g0", reason: "gone" });
  assert.deepEqual(worker.devices, [["g0"], ["g1"], ["g1"]]);
});

Deno.test("a reattached worker's GPUs stay out of service; a new life's are well until it says otherwise", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", withGpus(40));
  worker.saysOut({ id: "g0", reason: "gone" });
  worker.leaves();
  fleet.submit(1, gpus(1));
  const same = fleet.join("w", withGpus(40));
  assert.equal(same.leases.length, 0);
  same.leaves();
  assert.equal(fleet.join("w", { ...withGpus(40), incarnation: "second" }).leases.length, 1);
});

Deno.test("a task of four GPUs is not overtaken for ever by tasks of one", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", withGpus(40, 40, 40, 40));
  fleet.submit(4, gpus(1), "small");
  const large = fleet.submit(1, gpus(4), "large");
  fleet.submit(3_000, gpus(1), "small");
  let done = 0;
  for (; !worker.leases.some((lease) => lease.task.startsWith(large)); done++) {
    assert.ok(done < OVERTAKEN_MAX + 10, "the large task was overtaken for ever");
    worker.completes(worker.leases[done], 2_000);
  }
  assert.deepEqual(worker.devices.at(-1), ["g0", "g1", "g2", "g3"]);
});

Deno.test("the worker that is kept has the GPUs: one without, or with too few in service, keeps its slots for others", () => {
  const fleet = new Fleet();
  const plain = fleet.join("w1", { slots: 2, pool: { cpus: 8, memoryBytes: 1e9, gpus: 0 } });
  const broken = fleet.join("w2", withGpus(40, 40));
  const worker = fleet.join("w3", withGpus(40, 40));
  broken.saysOut({ id: "g1", reason: "gone" });
  fleet.submit(3, gpus(1), "small");
  const large = fleet.submit(1, gpus(2), "large");
  fleet.submit(9, gpus(1), "small");
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  broken.completes(broken.leases[0], OVERTAKEN_MAX_MS);
  assert.match(fleet.explain(large, 1).explanation, /^w3 is kept for it/);
  worker.completes(worker.leases[0], OVERTAKEN_MAX_MS);
  worker.completes(worker.leases[1], OVERTAKEN_MAX_MS);
  assert.ok(worker.lease.task.startsWith(large));
  fleet.submit(2, {}, "plain");
  assert.ok(plain.leases.length > 0);
});

Deno.test("labels are told by what the worker has under the same name", () => {
  const fleet = new Fleet();
  fleet.join("w1", { labels: ["gpu=t4", "os=linux"] });
  const fitting = fleet.join("w2", { labels: ["gpu=a100", "zone=b"], slots: 2 });
  const both = { resources: { ...NO_RESOURCES, labels: ["zone=b", "gpu=a100"] } };
  fleet.submit(1, both);
  assert.equal(fitting.leases.length, 1);
  const group = fleet.submit(1, { resources: { ...NO_RESOURCES, labels: ["zone=c"] } });
  assert.equal(
    fleet.explain(group, 1).explanation,
    "needs the label zone=c; w1 has no label zone, w2 has zone=b",
  );
});

Deno.test("a task goes to a worker that is there for long enough, by the time since it registered", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1", { slots: 4, timeLeftMs: 3_600_000 });
  fleet.submit(1, { minTimeMs: 3_000_000 });
  assert.equal(worker.leases.length, 1);
  fleet.pass(1_200_000);
  const group = fleet.submit(1, { minTimeMs: 3_000_000 });
  assert.equal(worker.leases.length, 1);
  assert.equal(fleet.explain(group, 1).explanation, "needs 50m of a worker's time; w1 has 40m left");
  const lasting = fleet.join("w2");
  assert.equal(lasting.leases.length, 1);
});

Deno.test("what is short of several things at several workers is told by each", () => {
  const fleet = new Fleet();
  fleet.join("w1", { ...withGpus(16), labels: ["zone=a"] });
  fleet.join("w2", { ...withGpus(80), labels: ["zone=b"] });
  const group = fleet.submit(1, gpus(1, { gpuMemoryBytes: 40 * GIB, labels: ["zone=a"] }));
  assert.equal(
    fleet.explain(group, 1).explanation,
    "needs 1 gpu with 40 GiB, the label zone=a; w1 has gpus of at most 16 GiB, w2 has zone=b",
  );
});

Deno.test("with hundreds of labels the sentence is as short as with a few", () => {
  const fleet = new Fleet();
  const labels = (value: string) => Array.from({ length: 200 }, (_, index) => `l${index}=${value}`);
  fleet.join("w1", { labels: Array.from({ length: 200 }, (_, index) => `zone=${index}`) });
  const zone = fleet.submit(1, { resources: { ...NO_RESOURCES, labels: ["zone=x"] } });
  assert.equal(
    fleet.explain(zone, 1).explanation,
    "needs the label zone=x; w1 has zone=0 and zone=1 and zone=2 and 197 more",
  );
  fleet.join("w2", { labels: labels("b").slice(0, 100) });
  fleet.join("w3", { labels: labels("b").slice(100) });
  const many = fleet.submit(1, { resources: { ...NO_RESOURCES, labels: labels("b") } });
  assert.ok(fleet.explain(many, 1).explanation.length < 500);
});

Deno.test("a lease that came back finished uses no GPU any more, though its result is still on its way", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40));
  fleet.submit(1, gpus(1));
  const { lease } = before;
  before.leaves();
  const worker = fleet.join("w", { ...withGpus(40), leases: [held(lease, "finished", 10, ["g0"])] });
  fleet.submit(1, gpus(1));
  assert.deepEqual(worker.devices, [["g0"]]);
  worker.completes(lease);
  assert.deepEqual(used(fleet, "w"), [1]);
});

Deno.test("devices that a worker says of a lease that needs none are not drawn", () => {
  const fleet = new Fleet();
  const before = fleet.join("w", withGpus(40));
  fleet.submit(1);
  const { lease } = before;
  before.leaves();
  const worker = fleet.join("w", { ...withGpus(40), leases: [held(lease, "running", 10, ["g0"])] });
  worker.completes(lease);
  assert.deepEqual(used(fleet, "w"), [0]);
});
