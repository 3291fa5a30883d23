/**
 * Why a task does not run: for each thing that it may wait for, the sentence that says so.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BLAME_MAX, PAUSE_MIN_MS } from "../../../master/cluster/probation.ts";
import { OVERTAKEN_MAX_MS } from "../../../master/cluster/reservations.ts";
import { WAITING_CHANGES_MAX } from "../../../master/cluster/commit_log.ts";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import type { Resources } from "../../../shared/model/resources.ts";
import { Fleet } from "./fleet.ts";

const GIB = 2 ** 30;

function pool(cpus: number, gpus = 0, memoryBytes = 8 * GIB): Resources {
  return { cpus, memoryBytes, gpus };
}

function why(fleet: Fleet, group: string, number = 1): string {
  return fleet.explain(group, number).explanation;
}

Deno.test("without a worker the sentence says how to start one", () => {
  const fleet = new Fleet();
  assert.match(why(fleet, fleet.submit(1)), /^no worker is connected; start one with: espalier worker/);
  fleet.join("w").leaves();
  assert.match(why(fleet, fleet.submit(1)), /no worker is connected|may still run it/);
});

Deno.test("where no worker fits, the requirement is named, and who lacks it", () => {
  const fleet = new Fleet();
  fleet.join("w1", { pool: pool(8, 0) });
  fleet.join("w2", { pool: pool(8, 2) });
  fleet.join("w3", { pool: pool(64, 8), executors: ["module"] });
  const group = fleet.submit(1, { resources: pool(1, 4, 0) });
  assert.equal(
    why(fleet, group),
    "needs 4 gpus; w1 has 0, w2 has 2; w3 runs no builtin evaluators",
  );
});

Deno.test("memory is told in units, and an evaluator that nobody runs by its kind", () => {
  const fleet = new Fleet();
  fleet.join("w1", { pool: pool(8, 0, 8 * GIB) });
  const large = fleet.submit(1, { resources: pool(1, 0, 64 * GIB) });
  assert.equal(why(fleet, large), "needs 64 GiB of memory; w1 has 8 GiB of memory");
  const module = fleet.submit(1, { evaluator: { kind: "module", path: "/a.ts" } });
  assert.equal(
    why(fleet, module),
    "needs a worker that runs module evaluators; w1 runs no module evaluators",
  );
});

Deno.test("where each worker lacks something else, each is told what it has", () => {
  const fleet = new Fleet();
  fleet.join("w1", { pool: pool(2, 4) });
  fleet.join("w2", { pool: pool(16, 1) });
  const group = fleet.submit(1, { resources: pool(8, 4, 0) });
  assert.equal(why(fleet, group), "needs 4 gpus, 8 cpus; w1 has 2 cpus, w2 has 1 gpu");
});

Deno.test("with 200 workers the sentence is as short as with a few", () => {
  const fleet = new Fleet();
  for (let i = 1; i <= 150; i++) fleet.join(`w${i}`, { pool: pool(8, i % 4) });
  for (let i = 151; i <= 200; i++) fleet.join(`w${i}`, { executors: ["module"] });
  const text = why(fleet, fleet.submit(1, { resources: pool(0, 4, 0) }));
  assert.equal(
    text,
    "needs 4 gpus; w1 has 1, w2 has 2, w3 has 3, w4 has 0, w5 has 1; 145 more workers have too little; " +
      "50 more workers run no builtin evaluators",
  );
});

Deno.test("workers that fit and can be given nothing are told by why: silent, leaving, on probation", () => {
  const fleet = new Fleet();
  const silent = fleet.join("w1", { pool: pool(64) });
  const leaving = fleet.join("w2", { pool: pool(64) });
  fleet.join("w3", { pool: pool(1) });
  silent.mute = true;
  leaving.says({ type: "stop", graceMs: 60_000, reason: "" });
  fleet.pass(20_000);
  const text = why(fleet, fleet.submit(1, { resources: pool(32, 0, 0) }));
  assert.match(text, /^none that fits can be given anything now: w1 has been silent for 20s, w2 is leaving$/);
});

Deno.test("a worker on probation is told with what is left of its pause", () => {
  const fleet = new Fleet();
  const retry = { limit: 20, crashLimit: 20, backoffMs: 0, backoffMaxMs: 0 };
  const bad = fleet.join("w1");
  for (let i = 0; i < BLAME_MAX; i++) {
    fleet.submit(1, { retry });
    const good = fleet.join("w2");
    bad.fails();
    good.completes();
    good.leaves();
  }
  const group = fleet.submit(2, { retry });
  assert.match(
    why(fleet, group),
    /w1 is on probation for [345]s more \(it failed 3 tasks that other workers completed\)/,
  );
  fleet.pass(PAUSE_MIN_MS + 500);
  assert.match(why(fleet, group, 2), /w1 is on probation and has its one attempt/);
});

Deno.test("a task that waits for a slot is told how many wait, and how many go before it by priority", () => {
  const fleet = new Fleet();
  fleet.join("w");
  fleet.submit(3, { priority: 5 }, "urgent");
  const group = fleet.submit(2);
  assert.equal(
    why(fleet, group),
    "waits for a free slot: 4 tasks are queued, 2 of them of a higher priority",
  );
});

Deno.test("a task for which a slot is free and not enough of the pool is told so", () => {
  const fleet = new Fleet();
  fleet.join("w", { slots: 4, pool: pool(4) });
  const group = fleet.submit(2, { resources: pool(3, 0, 0) });
  assert.equal(why(fleet, group, 2), "waits for resources that others hold: one task is queued");
});

Deno.test("a task for which a worker is kept is told which", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2, pool: pool(2) });
  fleet.submit(1, { resources: pool(1, 0, 0) }, "small");
  const large = fleet.submit(1, { resources: pool(2, 0, 0) }, "large");
  fleet.submit(9, { resources: pool(1, 0, 0) }, "small");
  fleet.pass(OVERTAKEN_MAX_MS + 500);
  worker.completes(worker.leases[0]);
  assert.match(why(fleet, large), /^w is kept for it/);
});

Deno.test("a pause before a retry is told with its causes and its remaining time", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  const group = fleet.submit(1, {
    retry: { limit: 3, crashLimit: 3, backoffMs: 60_000, backoffMaxMs: 60_000 },
  });
  worker.fails();
  fleet.pass(1_000);
  assert.match(
    why(fleet, group),
    /^an attempt failed \(1 by evaluator\); it is tried again in (\d+s|1m)$/,
  );
});

Deno.test("a task that waits for its silent worker is told so, and that no attempt of it failed", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w1");
  const group = fleet.submit(1, { reassignAfterMs: 25_000 });
  worker.leaves();
  fleet.pass(5_000);
  assert.equal(
    why(fleet, group),
    "w1 may still run it: it is gone since 5s, and is called lost in 25s; it is given to another worker in 20s (reassignAfter)",
  );
});

Deno.test("a task that is out is told where, and since when", () => {
  const fleet = new Fleet();
  fleet.join("w");
  const group = fleet.submit(1);
  fleet.pass(10_000);
  assert.equal(why(fleet, group), "runs on w since 10s");
});

Deno.test("after a restart a task is told whose return it waits for, and how long", () => {
  const fleet = new Fleet();
  fleet.join("w");
  const group = fleet.submit(1);
  fleet.pass(2_000);
  fleet.restart();
  fleet.pass(5_000);
  assert.match(why(fleet, group), /the master was restarted: w ran it and has 2[45]s to come back with it/);
});

Deno.test("what waits for the store is told so", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(2);
  fleet.faults = { ...NO_FAULTS, isFull: () => true };
  worker.completes(worker.leases[0]);
  fleet.pass(1_000);
  assert.match(why(fleet, group, 1), /^its outcome is being written; the store cannot write: .*full/);
});

Deno.test("while the store is behind, waiting tasks say that nothing is given out", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 1_000 };
  for (let i = 0; i <= WAITING_CHANGES_MAX; i++) {
    fleet.core.log.add({ type: "group_added", group, template: new Uint8Array() });
  }
  fleet.join("w");
  assert.match(why(fleet, group), /^the store is behind: 50001 changes wait to be written/);
});

Deno.test("a trial that is not proposed is explained by what its experiment waits for", () => {
  const fleet = new Fleet();
  const gpus = fleet.source("e1", { resources: pool(0, 4, 0) });
  fleet.join("w1", { pool: pool(8, 1) });
  assert.deepEqual(fleet.explain("e1", 1), {
    state: "not proposed",
    explanation: "its experiment has not proposed it: needs 4 gpus; w1 has 1",
  });
  fleet.pass(300);
  assert.deepEqual(gpus.of("waiting").map((each) => each.reason), ["needs 4 gpus; w1 has 1"]);
  const limited = fleet.source("e2", {}, 1, 1);
  limited.submits(1);
  assert.match(why(fleet, "e2", 2), /1 trials are open, its maxConcurrent/);
  const early = fleet.source("e3", {}, 9);
  assert.match(why(fleet, "e3", 1), /waits for 9 workers; 1 connected/);
  assert.equal(early.wanted, 0);
  const paused = fleet.source("e4");
  fleet.join("w2");
  paused.declines(paused.wanted);
  assert.match(why(fleet, "e4", 1), /asks for no slot: it is paused, at its budget, or waits for outcomes/);
});
