import assert from "node:assert/strict";
import { encode } from "../../../shared/protocol/codec.ts";
import { HAND_BACK_GRACE_MS, QUEUED_MAX, WAITING_RESULTS_MAX } from "../../../worker/slots.ts";
import { assignOf, leaseOf, NOOP, Rig, STEERED } from "./rig.ts";

const recall = (number: number) => ({ type: "recall", ...leaseOf(number) }) as const;
const cancel = (
  number: number,
  reason: "cancelled" | "duplicate" | "pruned" | "deadline" = "cancelled",
  graceMs = 100,
) => ({ type: "cancel", ...leaseOf(number), graceMs, reason }) as const;
const tasks = (...numbers: readonly number[]) => numbers.map((number) => leaseOf(number).task);

Deno.test("attempts beyond the slots wait and are begun in order", () => {
  using rig = new Rig({ slots: 2 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3), assignOf(4));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
  const { slot } = rig.evaluators.work(2);
  rig.evaluators.complete(2);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2, 3));
  assert.equal(rig.evaluators.work(3).slot, slot, "the warm slot is used again");
  rig.pass(70);
  rig.evaluators.complete(1, 0.5);
  rig.pass(5);
  assert.deepEqual(rig.result(1).end, { state: "completed", metrics: { score: 0.5 } });
  assert.equal(rig.result(1).elapsedMs, 79);
});

Deno.test("an assignment that the worker already has is ignored", () => {
  using rig = new Rig({ slots: 1 });
  rig.master.manners.acknowledges = false;
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(1), assignOf(2), assignOf(2), assignOf(3, NOOP));
  rig.pass(5);
  rig.evaluators.complete(1);
  rig.pass(5);
  rig.master.session.say(assignOf(1));
  rig.evaluators.complete(2);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
  for (const number of [1, 2, 3]) assert.equal(rig.states(number).length, 1);
});

Deno.test("attempts with needs are begun when they fit, and hold up those behind them", () => {
  const needs = (gpus: number) => ({ ...STEERED, resources: { cpus: 0, memoryBytes: 0, gpus } });
  using rig = new Rig({ slots: 4, pool: { cpus: 4, memoryBytes: 0, gpus: 2 } });
  rig.connected();
  rig.master.session.say(assignOf(1, needs(1)), assignOf(2, needs(2)), assignOf(3, needs(1)), assignOf(4));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1));
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
  rig.evaluators.complete(2);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2, 3, 4));
});

Deno.test("one that does not fit and is recalled lets the others pass", () => {
  const wide = { ...STEERED, resources: { cpus: 2, memoryBytes: 0, gpus: 0 } };
  using rig = new Rig({ slots: 4, pool: { cpus: 2, memoryBytes: 0, gpus: 0 } });
  rig.connected();
  rig.master.session.say(assignOf(1, wide), assignOf(2, wide), assignOf(3));
  rig.pass(5);
  rig.master.session.say(recall(2));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1, 3));
  assert.equal(rig.result(2).end.state, "returned");
});

Deno.test("a need that the pool never meets fails, for another worker to try", () => {
  using rig = new Rig({ pool: { cpus: 1, memoryBytes: 0, gpus: 0 } });
  rig.connected();
  rig.master.session.say(assignOf(1, { ...STEERED, resources: { cpus: 0, memoryBytes: 0, gpus: 8 } }));
  rig.pass(5);
  const { end } = rig.result(1);
  assert(end.state === "failed" && !end.final);
  assert.match(end.message, /"gpus":8.*"gpus":0/);
});

Deno.test("a recalled attempt that has not begun is returned, with no time spent", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(500);
  rig.master.session.say(recall(2));
  rig.pass(5);
  assert.deepEqual(rig.result(2).end, { state: "returned" });
  assert.equal(rig.result(2).elapsedMs, 0);
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, tasks(1));
});

Deno.test("a recalled attempt that has begun goes on", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.master.session.say(recall(1));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.work(1).stops, []);
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.states(1), ["completed"]);
});

Deno.test("a cancelled attempt ends when its evaluator has, and keeps its slot until then", () => {
  using rig = new Rig({ slots: 1 });
  rig.evaluators.obeys = false;
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3));
  rig.pass(5);
  rig.master.session.say(cancel(1, "cancelled", 100), cancel(3));
  rig.pass(50);
  assert.deepEqual(rig.evaluators.work(1).stops, [100]);
  assert.equal(rig.result(3).end.state, "cancelled", "one that has not begun ends at once");
  assert.deepEqual(rig.evaluators.started, tasks(1));
  rig.evaluators.end(1, { state: "stopped" });
  rig.pass(5);
  assert.deepEqual(rig.result(1).end, { state: "cancelled" });
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
});

Deno.test("an evaluator that completes although it was to be stopped has completed", () => {
  using rig = new Rig();
  rig.evaluators.obeys = false;
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(5);
  rig.master.session.say(cancel(1), cancel(2));
  rig.pass(5);
  rig.evaluators.complete(1);
  rig.evaluators.end(2, { state: "failed", cause: "evaluator", message: "interrupted", final: false });
  rig.pass(5);
  assert.deepEqual(rig.states(1), ["completed"]);
  assert.deepEqual(rig.states(2), ["cancelled"], "what failed because it was stopped was stopped");
});

Deno.test("a pruned attempt ends with its last metrics", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  events({ type: "report", step: 1, metrics: { loss: 2 } });
  events({ type: "report", step: 2, metrics: { loss: 1 } });
  rig.pass(5);
  rig.master.session.say(cancel(1, "pruned"));
  rig.pass(5);
  assert.deepEqual(rig.result(1).end, { state: "pruned", metrics: { loss: 1 } });
});

Deno.test("the deadline counts from the evaluator's start", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  const template = { ...STEERED, deadlineMs: 1_000, graceMs: 70 };
  rig.master.session.say(assignOf(1, template), assignOf(2, template));
  rig.pass(800);
  rig.evaluators.complete(1);
  rig.pass(950);
  const { stops } = rig.evaluators.work(2);
  rig.pass(60);
  assert.deepEqual(stops[0], 70);
  const { end } = rig.result(2);
  assert(end.state === "failed" && end.cause === "deadline" && !end.final);
  assert.deepEqual(rig.states(1), ["completed"]);
});

Deno.test("a shorter grace counts, a longer one does not", () => {
  using rig = new Rig();
  rig.evaluators.obeys = false;
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  for (const graceMs of [1_000, 5_000, 10]) rig.master.session.say(cancel(1, "cancelled", graceMs));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.work(1).stops, [1_000, 10]);
});

Deno.test("what cannot be run fails for good and says why", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(
    { ...assignOf(1), template: new Uint8Array([0xc1]) },
    { ...assignOf(2), template: encode({ evaluator: { kind: "builtin", name: "noop" } }) },
    assignOf(3, { ...NOOP, evaluator: { kind: "builtin", name: "sleep" } }),
  );
  rig.pass(5);
  const failures = [1, 2, 3].map((number) => rig.result(number).end);
  assert(failures.every((end) => end.state === "failed" && end.final));
  const messages = failures.map((end) => end.state === "failed" ? end.message : "");
  assert.match(messages[0] ?? "", /template is not msgpack/);
  assert.match(messages[1] ?? "", /template does not fit at resources/);
  assert.match(messages[2] ?? "", /sleep needs a candidate/);
});

Deno.test("metrics that no envelope holds fail the attempt and not the session", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(5);
  rig.evaluators.work(2).events({ type: "report", step: 1, metrics: { loss: Infinity } });
  rig.evaluators.work(2).events({ type: "report", step: 0.5, metrics: { loss: 1 } });
  rig.evaluators.complete(1, Number.NaN);
  rig.evaluators.end(2, { state: "failed", cause: "evaluator", message: "x".repeat(9_999), final: true });
  rig.pass(5);
  const { end } = rig.result(1);
  assert(end.state === "failed");
  assert.match(end.message, /score is NaN/);
  assert.equal(rig.states(2)[0], "failed");
  assert.equal(rig.master.sessions.length, 1);
});

Deno.test("a metric whose name no frame may have fails the attempt and not the session", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  // As a third party's executor reads it from JSON.
  const metrics: Record<string, number> = JSON.parse('{ "__proto__": 1 }');
  rig.evaluators.work(1).events({ type: "report", step: 1, metrics });
  rig.evaluators.end(1, { state: "completed", metrics });
  rig.pass(5);
  assert.equal(rig.result(1).end.state, "failed");
  assert.equal(rig.master.sessions.length, 1);
});

Deno.test("a bug in an attempt fails it once and frees its slot when the evaluator is gone", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(5);
  let bugs = 1;
  rig.evaluators.obeys = false;
  rig.evaluators.onStop = () => {
    if (bugs-- > 0) throw new Error("a bug");
  };
  rig.master.session.say(cancel(1));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.work(1).stops, [0], "the end of the actor stops the evaluator");
  assert.deepEqual(rig.states(1), []);
  rig.evaluators.end(1, { state: "stopped" });
  rig.pass(5);
  const { end } = rig.result(1);
  assert(end.state === "failed" && end.cause === "evaluator" && !end.final);
  assert.match(end.message, /a bug/);
  assert.deepEqual(rig.evaluators.started, tasks(1, 2));
});

Deno.test("an executor that throws fails the attempt and not the worker", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  const { start } = rig.evaluators;
  const broken = () => {
    throw new Error("no such program");
  };
  Object.assign(rig.evaluators, { start: broken });
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  Object.assign(rig.evaluators, { start });
  rig.master.session.say(assignOf(2));
  rig.pass(5);
  const { end } = rig.result(1);
  assert(end.state === "failed" && !end.final);
  assert.match(end.message, /no such program/);
  assert.deepEqual(rig.evaluators.started, tasks(2));
});

Deno.test("nothing is begun while too many results wait, and nothing is lost", () => {
  using rig = new Rig();
  rig.master.manners.acknowledges = false;
  rig.connected();
  const count = WAITING_RESULTS_MAX + 100;
  rig.master.session.say(...Array.from({ length: count }, (_, index) => assignOf(index + 1, NOOP)));
  rig.pass(100);
  assert.equal(rig.master.session.results().length, WAITING_RESULTS_MAX);
  for (const result of rig.master.session.results().slice(0, 60)) {
    rig.master.acknowledge(rig.master.session, result);
  }
  rig.pass(100);
  assert.equal(rig.master.session.results().length, WAITING_RESULTS_MAX + 60);
  rig.master.manners.acknowledges = true;
  rig.reattach().pass(100);
  const completed = new Set(
    rig.master.sessions.flatMap((session) => session.results()).map((result) => result.task),
  );
  assert.equal(completed.size, count);
});

Deno.test("what is assigned beyond the queue's limit is handed back", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(...Array.from({ length: QUEUED_MAX + 3 }, (_, index) => assignOf(index + 1)));
  rig.pass(5);
  assert.deepEqual(rig.master.session.results().map((result) => [result.task, result.end.state]), [
    [leaseOf(QUEUED_MAX + 2).task, "returned"],
    [leaseOf(QUEUED_MAX + 3).task, "returned"],
  ]);
});

Deno.test("stop hands back what it cannot finish", () => {
  using rig = new Rig({ slots: 2 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3));
  rig.pass(5);
  const { stops } = rig.evaluators.work(2);
  rig.stop(1_000);
  rig.pass(5);
  assert(rig.master.session.heard.some((envelope) => envelope.type === "stop"));
  assert.equal(rig.result(3).end.state, "returned", "what waits goes back at once");
  rig.master.session.say(assignOf(4));
  rig.pass(500);
  assert.equal(rig.result(4).end.state, "returned", "nothing more is begun");
  assert.deepEqual(stops, []);
  rig.evaluators.complete(1);
  rig.pass(600);
  assert.deepEqual(stops[0], Math.min(STEERED.graceMs, HAND_BACK_GRACE_MS));
  assert.deepEqual([rig.result(1).end.state, rig.result(2).end.state], ["completed", "returned"]);
  assert.deepEqual(rig.exits.map((exit) => exit.code), [0]);
  assert.equal(rig.master.session.closedBy, 1000);
  assert.equal(rig.rootExit, "normal");
});

Deno.test("the master's stop is obeyed like a signal", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.master.session.say({ type: "stop", graceMs: 10_000, reason: "by hand" });
  rig.pass(5);
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.states(1), ["completed"]);
  assert.deepEqual(rig.exits.map((exit) => exit.code), [0]);
});

Deno.test("a second, shorter stop counts", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.stop(600_000);
  rig.pass(100);
  rig.stop(0);
  rig.pass(10);
  assert.deepEqual(rig.states(1), ["returned"]);
  assert.deepEqual(rig.exits.map((exit) => exit.code), [0]);
});
