/**
 * A GPU that two workers offer: two processes on one machine, each of which found it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { workerLive } from "../../../master/cluster/views.ts";
import type { Device } from "../../../shared/model/devices.ts";
import { workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import type { WorkerTraits } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

const WHOLE = { resources: { ...NO_RESOURCES, gpus: 1 } };

function offers(...ids: readonly string[]): Partial<WorkerTraits> {
  const devices = ids.map((id): Device => ({ id, kind: "cuda", name: "A100", memoryBytes: null }));
  return { slots: 4, pool: { cpus: 4, memoryBytes: 1e9, gpus: ids.length }, devices };
}

function troubles(fleet: Fleet, name: string): readonly (string | null)[] {
  const record = fleet.core.workers.get(workerId(name));
  assert.ok(record);
  return workerLive(record).devices.map(({ trouble }) => trouble);
}

Deno.test("a GPU that two workers offer is given out through one of them, and the other says whose it is", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1", offers("GPU-a", "GPU-b"));
  const second = fleet.join("w2", offers("GPU-b", "GPU-c"));
  fleet.submit(4, WHOLE);
  assert.deepEqual([...first.devices, ...second.devices].flat().toSorted(), ["GPU-a", "GPU-b", "GPU-c"]);
  assert.deepEqual(troubles(fleet, "w1"), [null, null]);
  assert.match(troubles(fleet, "w2")[0] ?? "", /^w1 offers it as well/);
});

Deno.test("when the first worker has gone and nothing of it runs, the other one has the GPU", () => {
  const fleet = new Fleet();
  const first = fleet.join("w1", offers("GPU-a"));
  const second = fleet.join("w2", offers("GPU-a"));
  fleet.submit(2, WHOLE);
  first.completes(first.leases[0]);
  first.completes(first.leases[1]);
  fleet.submit(1, WHOLE);
  assert.equal(second.leases.length, 0);
  first.completes(first.leases[2]);
  first.leaves();
  fleet.pass(1_000);
  fleet.submit(1, WHOLE);
  assert.deepEqual(second.devices, [["GPU-a"]]);
});

Deno.test("GPUs that are named by their index are each worker's own", () => {
  const fleet = new Fleet();
  const workers = ["w1", "w2"].map((name) => fleet.join(name, offers("0")));
  fleet.submit(2, WHOLE);
  assert.deepEqual(workers.map(({ devices }) => devices), [[["0"]], [["0"]]]);
});
