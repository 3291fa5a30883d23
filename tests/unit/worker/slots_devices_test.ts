import assert from "node:assert/strict";
import type { Device, DeviceTrouble } from "../../../shared/model/devices.ts";
import type { TaskTemplate } from "../../../shared/model/task.ts";
import type { WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";
import { assignOf, leaseOf, Rig, STEERED } from "./rig.ts";

const GIB = 2 ** 30;
const device = (id: string): Device => ({ id, kind: "cuda", name: "Fake", memoryBytes: 40 * GIB });
const DEVICES = [device("GPU-a"), device("GPU-b")];
const OFFER = { slots: 8, pool: { cpus: 0, memoryBytes: 0, gpus: 2 }, devices: DEVICES };
const VITALS: WorkerVitals = { cpuPercent: null, memoryUsedBytes: null, rssBytes: null, gpus: [] };
const LOST: readonly DeviceTrouble[] = [{ id: "GPU-a", reason: "it is gone" }];

const needs = (gpus: number): TaskTemplate => ({ ...STEERED, resources: { ...STEERED.resources, gpus } });
const given = (number: number, gpus: number, ...devices: readonly string[]) => ({
  ...assignOf(number, needs(gpus)),
  devices: [...devices],
});
const tasks = (...numbers: readonly number[]) => numbers.map((number) => leaseOf(number).task);
const idsOf = (rig: Rig, number: number) => rig.evaluators.work(number).devices?.map(({ id }) => id);
const outs = (rig: Rig) =>
  rig.master.session.heard.flatMap((each) => each.type === "heartbeat" ? [each.devicesOut ?? []] : []);

Deno.test("an attempt has the devices that its master gave it", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.master.session.say(given(1, 1, "GPU-b"), given(2, 0.5, "GPU-a"), given(3, 0.5, "GPU-a"), assignOf(4));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.work(1).devices, [DEVICES[1]]);
  assert.deepEqual([idsOf(rig, 2), idsOf(rig, 3)], [["GPU-a"], ["GPU-a"]]);
  assert.deepEqual(rig.evaluators.work(4).devices, [], "one that asks for none sees none");
});

Deno.test("an attempt whose device another still uses waits until that one has ended", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.master.session.say(given(1, 0.5, "GPU-a"), given(2, 1, "GPU-a"));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1));
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
});

Deno.test("ten tenths fit on a device, and an eleventh does not", () => {
  using rig = new Rig({ ...OFFER, slots: 16 });
  rig.connected();
  for (let number = 1; number <= 11; number++) rig.master.session.say(given(number, 0.1, "GPU-a"));
  rig.pass(5);
  assert.equal(rig.evaluators.started.length, 10);
});

Deno.test("a device that this worker has not is handed back, and the reason is in the log", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.master.session.say(given(1, 1, "GPU-z"));
  rig.pass(5);
  assert.deepEqual(rig.result(1).end, { state: "returned" });
  assert(rig.logs.some((line) => line.includes("this worker has no device GPU-z")), rig.logs.join("\n"));
});

Deno.test("devices that do not fit the need are a failure that says so", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.master.session.say(given(1, 2, "GPU-a"), given(2, 2, "GPU-a", "GPU-a"));
  rig.pass(5);
  for (const number of [1, 2]) {
    const { end } = rig.result(number);
    assert(end.state === "failed" && /gave the devices GPU-a.* to a need of 2 GPUs/.test(end.message));
  }
});

Deno.test("an older master, which gives no devices, leaves the choice to the worker", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  const assigned = [1, 0.5, 0.5, 0.25].map((gpus, index) => assignOf(index + 1, needs(gpus)));
  rig.master.session.say(...assigned);
  rig.pass(5);
  assert.deepEqual([1, 2, 3].map((number) => idsOf(rig, number)), [["GPU-a"], ["GPU-b"], ["GPU-b"]]);
  rig.evaluators.complete(3);
  rig.pass(5);
  assert.deepEqual(idsOf(rig, 4), ["GPU-b"]);
});

Deno.test("register lists devices, labels, and the devices of the leases that are held", () => {
  using rig = new Rig({ ...OFFER, labels: ["gpu=a100"], slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1, needs(0.5)), given(2, 1, "GPU-b"), assignOf(3));
  rig.pass(5).reattach();
  const { devices, labels, timeLeftMs, leases } = rig.master.session.register();
  assert.deepEqual(devices, DEVICES);
  assert.deepEqual(labels, ["gpu=a100"]);
  assert.equal(timeLeftMs, undefined);
  assert.deepEqual(leases.map((lease) => [lease.state, lease.devices]), [
    ["running", ["GPU-a"]],
    ["queued", ["GPU-b"]],
    ["queued", undefined],
  ]);
});

Deno.test("a worker whose devices have no names calls them 0, 1 and so on", () => {
  using rig = new Rig({ ...OFFER, devices: undefined });
  rig.connected();
  rig.master.session.say(given(1, 1, "1"));
  rig.pass(5);
  assert.deepEqual(idsOf(rig, 1), ["1"]);
});

Deno.test("a device out of service is said at once, and what waits for it is handed back", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.master.session.say(given(1, 1, "GPU-a"), given(2, 1, "GPU-a"), assignOf(3));
  rig.pass(5);
  rig.sample(VITALS, LOST);
  rig.pass(5);
  assert.deepEqual(outs(rig), [LOST]);
  assert.deepEqual(rig.result(2).end, { state: "returned" });
  assert.deepEqual(rig.evaluators.started, tasks(1, 3), "what runs on it runs on; others pass");
  rig.master.session.say(given(4, 1, "GPU-a"));
  rig.pass(5);
  assert.deepEqual(rig.result(4).end, { state: "returned" });
  rig.evaluators.complete(1);
  rig.sample(VITALS, []);
  rig.pass(5);
  assert.deepEqual(outs(rig).at(-1), []);
  rig.master.session.say(given(5, 1, "GPU-a"));
  rig.pass(5);
  assert.deepEqual(idsOf(rig, 5), ["GPU-a"]);
});

Deno.test("a new session hears of devices out of service at once", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.sample(VITALS, LOST);
  rig.pass(5).reattach();
  assert.deepEqual(outs(rig), [LOST]);
});

Deno.test("the worker never chooses a device that is out of service", () => {
  using rig = new Rig(OFFER);
  rig.connected();
  rig.sample(VITALS, LOST);
  rig.pass(5);
  rig.master.session.say(assignOf(1, needs(1)), assignOf(2, needs(1)));
  rig.pass(5);
  assert.deepEqual([rig.evaluators.started, idsOf(rig, 1)], [tasks(1), ["GPU-b"]]);
});
