/**
 * Experiments as their users see them: budgets, pauses, ends, and what a restart keeps.
 *
 * @module
 */
import assert from "node:assert/strict";
import { commandId, type GroupId, groupId, taskId } from "../../../shared/model/ids.ts";
import type { TaskInput } from "../../../shared/model/task.ts";
import type { Asker } from "../../../master/cluster/messages.ts";
import type { AttemptEnd } from "../../../shared/model/outcome.ts";
import { Lab, scored } from "./lab.ts";

function x(input: TaskInput): number {
  return (input.candidate as { x: number }).x;
}

const byX = (_number: number, input: TaskInput) => scored(x(input));

function steer(lab: Lab, type: "pause" | "resume" | "cancel_experiment", group: GroupId) {
  return lab.ask((asker) => ({ type, id: commandId(`${type}-${lab.assigned.length}`), group, ...asker }));
}

function failed(message: string, final = true): AttemptEnd {
  return { state: "failed", cause: "evaluator", message, final };
}

Deno.test("an experiment runs its budget and no trial more, and knows its best", () => {
  const lab = new Lab(byX);
  const id = lab.run();
  lab.pass(1_000);
  const summary = lab.summary(id);
  assert.equal(summary.state, "completed");
  assert.deepEqual(summary.trials, { completed: 10, failed: 0, cancelled: 0, pruned: 0 });
  const scores = lab.trials(id).map((trial) => trial.metrics?.score ?? 0);
  assert.equal(scores.length, 10);
  assert.equal(summary.best?.metrics.score, Math.max(...scores));
});

Deno.test("the same run command twice begins one experiment", () => {
  const lab = new Lab(byX);
  assert.equal(lab.run({}, "same"), lab.run({}, "same"));
  assert.equal(lab.disk.state.experiments.size, 1);
});

Deno.test("a bad spec is refused with the path of its mistake, and nothing is kept of it", () => {
  const lab = new Lab(byX);
  const spec = { name: "bad", space: { kind: "cnn", classes: 10 }, budget: { trials: -1 } };
  const reply = lab.ask((asker) => ({ type: "run", id: commandId("bad"), spec, ...asker }));
  assert.ok(!reply.ok && reply.error.code === "bad_spec");
  assert.equal(reply.error.path, "budget.trials");
  assert.equal(lab.disk.state.experiments.size, 0);
});

Deno.test("with one slot a trial is proposed only when the one before has been told", () => {
  const lab = new Lab(() => "later", 1);
  lab.run();
  lab.pass(1_000);
  assert.deepEqual(lab.assigned, [1]);
  lab.finishHeld(() => scored(1));
  assert.deepEqual(lab.assigned, [1, 2]);
});

Deno.test("a paused experiment proposes nothing, finishes what runs, and goes on when told", () => {
  const lab = new Lab(() => "later", 2);
  const id = lab.run();
  assert.ok(steer(lab, "pause", id).ok);
  assert.equal(lab.summary(id).state, "paused");
  lab.finishHeld(() => scored(1));
  lab.pass(1_000);
  assert.equal(lab.summary(id).trials.completed, 2);
  assert.equal(lab.assigned.length, 2);
  lab.evaluate = byX;
  assert.ok(steer(lab, "resume", id).ok);
  lab.pass(1_000);
  assert.equal(lab.summary(id).state, "completed");
});

Deno.test("an experiment that is paused when its last trial ends is completed once it is resumed", () => {
  const lab = new Lab(() => "later", 2);
  const id = lab.run({ budget: { trials: 2 } });
  steer(lab, "pause", id);
  lab.finishHeld(() => scored(1));
  assert.equal(lab.summary(id).state, "paused");
  steer(lab, "resume", id);
  lab.pass(100);
  assert.equal(lab.summary(id).state, "completed");
});

Deno.test("a cancelled experiment ends with its open trials cancelled, and cannot be resumed", () => {
  const lab = new Lab((number) => number < 4 ? scored(1) : "later", 2);
  const id = lab.run();
  lab.pass(200);
  assert.ok(steer(lab, "cancel_experiment", id).ok);
  const { state, trials, open } = lab.summary(id);
  assert.equal(state, "cancelled");
  assert.deepEqual(trials, { completed: 3, failed: 0, cancelled: 2, pruned: 0 });
  assert.equal(open, 0);
  const reply = steer(lab, "resume", id);
  assert.ok(!reply.ok && reply.error.code === "experiment_over");
});

Deno.test("a word that is repeated while a cancellation becomes durable is answered by its first reply", () => {
  const lab = new Lab((number) => number < 4 ? scored(1) : "later", 2);
  const group = lab.run();
  lab.pass(200);
  const word = (type: "pause" | "resume" | "cancel_experiment", id: string) => (asker: Asker) => ({
    type,
    id: commandId(id),
    group,
    ...asker,
  });
  const first = lab.ask(word("pause", "pause-1"));
  assert.ok(first.ok);
  const [cancelled, repeated, late] = lab.askTogether([
    word("cancel_experiment", "cancel-1"),
    word("pause", "pause-1"),
    word("resume", "resume-1"),
  ]);
  assert.ok(cancelled?.ok && repeated?.ok);
  assert.deepEqual(repeated.value, first.value);
  assert.ok(late !== undefined && !late.ok && late.error.code === "experiment_over");
});

Deno.test("a pause that is repeated after a resume is answered by its first reply and pauses nothing", () => {
  const lab = new Lab(() => "later", 1);
  const group = lab.run();
  lab.pass(200);
  const word = (type: "pause" | "resume", id: string) =>
    lab.ask((asker) => ({ type, id: commandId(id), group, ...asker }));
  const first = word("pause", "pause-1");
  word("resume", "resume-1");
  const again = word("pause", "pause-1");
  assert.ok(first.ok && again.ok);
  assert.deepEqual(again.value, first.value);
  lab.pass(100);
  assert.equal(lab.summary(group).state, "running");
  assert.equal(lab.disk.state.experiments.get(group)?.state, "running");
});

Deno.test("steering what is no experiment says so", () => {
  const reply = steer(new Lab(byX), "pause", groupId("nothing-1"));
  assert.ok(!reply.ok && reply.error.code === "unknown_experiment");
});

Deno.test("a target ends the search, and what runs then is cancelled", () => {
  const lab = new Lab((number) => number === 3 ? scored(0.99) : number < 3 ? scored(0.1) : "later", 2);
  const id = lab.run({ budget: { trials: 100, target: 0.9 } });
  lab.pass(500);
  const summary = lab.summary(id);
  assert.equal(summary.state, "completed");
  assert.match(summary.reason, /target/);
  assert.equal(summary.best?.trial, 3);
});

Deno.test("a target that was reached just before a restart ends the search all the same", () => {
  const lab = new Lab(() => "later");
  const id = lab.run({ budget: { trials: 100, target: 0.9 } });
  lab.pass(100);
  lab.kill();
  const result = { worker: "lab", attempts: 1, elapsedMs: 1, atMs: 1 };
  const outcome = { state: "completed", metrics: { score: 0.95 } } as const;
  for (const number of [1, 2]) {
    lab.disk.apply([{ type: "outcome", task: taskId(id, number), outcome, ...result }]);
  }
  lab.begin();
  lab.pass(1_000);
  const summary = lab.summary(id);
  assert.deepEqual([summary.state, summary.reason], ["completed", "the target was reached"]);
  assert.deepEqual(lab.assigned, [1, 2]);
});

Deno.test("time ends the search; what runs is finished first", () => {
  const lab = new Lab(() => "later", 1);
  const id = lab.run({ budget: { time: "10s" } });
  lab.pass(11_000);
  assert.equal(lab.summary(id).state, "running");
  lab.finishHeld(() => scored(1));
  lab.pass(100);
  assert.equal(lab.summary(id).state, "completed");
  assert.deepEqual(lab.assigned, [1]);
});

Deno.test("failures in a row with one message pause the experiment and say why", () => {
  const lab = new Lab(() => failed("no such file"), 1);
  const id = lab.run({ budget: { trials: 100 } });
  lab.pass(60_000);
  const summary = lab.summary(id);
  assert.equal(summary.state, "paused");
  assert.match(summary.reason, /5 failures in a row: no such file/);
  assert.equal(summary.trials.failed, 5);
});

Deno.test("failures with different messages, or with successes between them, pause nothing", () => {
  const lab = new Lab((number) => number % 3 === 0 ? scored(1) : failed(`number ${number % 2}`), 1);
  const id = lab.run({ budget: { trials: 30 } });
  lab.pass(5_000);
  assert.equal(lab.summary(id).state, "completed");
});

Deno.test("a metric that no trial has pauses the experiment with its name", () => {
  const lab = new Lab(() => ({ state: "completed", metrics: { loss: 1 } }), 1);
  const id = lab.run({ budget: { trials: 100 } });
  lab.pass(1_000);
  assert.match(lab.summary(id).reason, /no metric "score"/);
});

Deno.test("an exhausted space ends the search", () => {
  const lab = new Lab(() => scored(1), 2);
  const space = {
    kind: "parameters",
    parameters: { b: { type: "choice", options: ["x", "y", "z"] } },
  } as const;
  const id = lab.run({
    space: { ...space, parameters: { b: { type: "choice", options: ["x", "y", "z"] } } },
  });
  lab.pass(1_000);
  const summary = lab.summary(id);
  assert.equal(summary.state, "completed");
  assert.equal(summary.trials.completed, 3);
  assert.match(summary.reason, /no further candidates/);
});

Deno.test("minWorkers holds an experiment back until so many are there", () => {
  const lab = new Lab(byX, 1);
  const id = lab.run({ minWorkers: 2 });
  lab.pass(1_000);
  assert.equal(lab.summary(id).state, "running");
  assert.deepEqual(lab.assigned, []);
});

Deno.test("a search that was killed at any moment goes on, and ends as the one that was not", () => {
  const spec = { optimizer: { kind: "genetic", seed: 5, population: 4 }, budget: { trials: 30 } } as const;
  const whole = new Lab(byX, 1);
  const wholeId = whole.run(spec);
  whole.pass(2_000);
  const expected = whole.trials(wholeId).map((trial) => trial.candidate);
  assert.equal(expected.length, 30);
  for (let cut = 1; cut < 30; cut += 4) {
    const lab: Lab = new Lab((number, input) => number >= cut ? "later" : byX(number, input), 1);
    const id = lab.run(spec);
    lab.pass(500);
    lab.kill();
    lab.evaluate = byX;
    lab.begin();
    lab.pass(60_000);
    assert.deepEqual(lab.trials(id).map((trial) => trial.candidate), expected, `cut at ${cut}`);
    assert.equal(lab.summary(id).state, "completed");
  }
});

Deno.test("a history of thousands of trials is read in pages, and the search goes on after it", () => {
  const lab = new Lab(byX, 4);
  const id = lab.run({ budget: { trials: 2_600 } });
  while (lab.assigned.length < 2_300) lab.pass(100);
  lab.kill();
  lab.begin();
  lab.pass(60_000);
  const summary = lab.summary(id);
  assert.equal(summary.state, "completed");
  assert.equal(summary.trials.completed, 2_600);
  assert.equal(new Set(lab.trials(id).map((trial) => trial.trial)).size, 1_000);
});

Deno.test("a paused experiment is still paused after a restart", () => {
  const lab = new Lab(() => "later", 1);
  const id = lab.run();
  steer(lab, "pause", id);
  lab.finishHeld(() => scored(1));
  lab.kill();
  lab.begin();
  lab.pass(1_000);
  assert.equal(lab.summary(id).state, "paused");
  assert.deepEqual(lab.assigned, [1]);
});

Deno.test("an experiment whose code fails for good is parked as broken with its cause, the others go on", () => {
  const lab = new Lab((number) => number < 5 ? scored(1) : "later", 2);
  const bad = lab.run({ name: "bad", budget: { trials: 1_000 } });
  // A stored history that contradicts itself: a trial proposed after more outcomes than there are.
  lab.kill();
  const group = lab.disk.state.groups.get(bad);
  assert.ok(group !== undefined);
  for (const task of group.tasks.values()) {
    if (task.trial !== undefined && task.number === 2) {
      Object.assign(task.trial, { toldBefore: 1_000_000_000 });
    }
  }
  lab.evaluate = byX;
  lab.begin();
  const good = lab.run({ name: "good" });
  lab.pass(120_000);
  assert.equal(lab.summary(bad).state, "broken");
  assert.match(lab.summary(bad).reason, /the store has fewer/);
  assert.equal(lab.summary(good).state, "completed");
});
