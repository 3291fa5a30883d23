/**
 * Random assignments, right and wrong ones, ends, and devices that come and go: no device is ever over-committed, each lease
 * gets one result, and at the end everything is free.
 */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import type { Device } from "../../../shared/model/devices.ts";
import type { TaskTemplate } from "../../../shared/model/task.ts";
import type { Assign, WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";
import { assignOf, leaseOf, Rig, STEERED } from "./rig.ts";

const SEEDS = 100;
const STEPS = 80;
const IDS = ["GPU-a", "GPU-b", "GPU-c"];
const DEVICES: readonly Device[] = IDS.map((id) => ({ id, kind: "cuda", name: "", memoryBytes: 1_000 }));
const SHARES = [0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 1, 2, 3];
const VITALS: WorkerVitals = { cpuPercent: null, memoryUsedBytes: null, rssBytes: null, gpus: [] };

Deno.test("no device is ever over-committed, whatever a master says", () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = seededRandom("devices", seed);
    using rig = new Rig({
      seed: `loop ${seed}`,
      slots: 12,
      pool: { cpus: 0, memoryBytes: 0, gpus: 3 },
      devices: DEVICES,
    });
    rig.connected();
    const templates = new Map<string, TaskTemplate>();
    const out = new Set<string>();
    for (let step = 0; step < STEPS; step++) {
      disturb(rig, random, templates, out);
      assertNotOverCommitted(rig, templates, seed);
    }
    settle(rig);
    for (let number = 1; number <= templates.size; number++) {
      assert.equal(new Set(rig.states(number)).size, 1, `seed ${seed}: task ${number}`);
    }
    // All three are free again.
    rig.master.session.say({ ...assignOf(templates.size + 1, needs(3)), devices: IDS });
    rig.pass(5);
    assert.equal(rig.evaluators.works.size, 1, `seed ${seed}: a device was not given back`);
  }
});

function disturb(rig: Rig, random: Random, templates: Map<string, TaskTemplate>, out: Set<string>): void {
  const chance = random.next();
  if (chance < 0.55) {
    const number = templates.size + 1;
    const template = needs(random.pick(SHARES), random.next() < 0.3 ? random.integer(1_200) : 0);
    templates.set(leaseOf(number).task, template);
    rig.master.session.say(withDevices(assignOf(number, template), template, random));
  } else if (chance < 0.85) {
    endOne(rig, random);
  } else if (chance < 0.92) {
    const id = random.pick(IDS);
    if (!out.delete(id)) out.add(id);
    rig.sample(VITALS, [...out].map((each) => ({ id: each, reason: "lost" })));
  } else if (chance < 0.95) {
    rig.reattach();
  } else {
    rig.master.session.say({ type: "recall", ...leaseOf(1 + random.integer(templates.size + 1)) });
  }
  rig.pass(random.integer(3) + 3);
}

/** Most often as many as are needed; now and then none, as an older master, or too many, or one that is not there. */
function withDevices(assign: Assign, { resources: { gpus } }: TaskTemplate, random: Random): Assign {
  const chance = random.next();
  if (gpus === 0 || chance < 0.2) return assign;
  const ids = chance < 0.25 ? [...IDS, "GPU-z"] : [...IDS];
  const first = random.integer(ids.length);
  const turned = [...ids.slice(first), ...ids.slice(0, first)];
  return { ...assign, devices: turned.slice(0, chance > 0.95 ? 3 : Math.ceil(gpus)) };
}

function needs(gpus: number, gpuMemoryBytes = 0): TaskTemplate {
  const memory = gpus === 0 || gpuMemoryBytes === 0 ? {} : { gpuMemoryBytes };
  return { ...STEERED, resources: { ...STEERED.resources, gpus, ...memory } };
}

function assertNotOverCommitted(rig: Rig, templates: ReadonlyMap<string, TaskTemplate>, seed: number): void {
  const used = new Map<string, { share: number; bytes: number }>();
  for (const [task, { devices }] of rig.evaluators.works) {
    const { gpus = 0, gpuMemoryBytes = 0 } = templates.get(task)?.resources ?? {};
    assert.equal(devices?.length, Math.ceil(gpus), `seed ${seed}: ${task} has other devices than it needs`);
    for (const { id } of devices ?? []) {
      const before = used.get(id) ?? { share: 0, bytes: 0 };
      used.set(id, { share: before.share + Math.min(1, gpus), bytes: before.bytes + gpuMemoryBytes });
    }
  }
  for (const [id, { share, bytes }] of used) {
    assert(share <= 1 + 1e-5 && bytes <= 1_000, `seed ${seed}: ${share} and ${bytes} bytes of ${id}`);
  }
}

function endOne(rig: Rig, random: Random): void {
  const running = [...rig.evaluators.works.keys()];
  if (running.length > 0) rig.evaluators.complete(Number(random.pick(running).split("/")[1]));
}

function settle(rig: Rig): void {
  rig.sample(VITALS, []);
  rig.pass(5);
  while (rig.evaluators.works.size > 0) {
    for (const task of [...rig.evaluators.works.keys()]) rig.evaluators.complete(Number(task.split("/")[1]));
    rig.pass(5);
  }
  rig.pass(50).reattach();
}
