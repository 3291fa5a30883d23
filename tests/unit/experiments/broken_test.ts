/**
 * Experiments that go wrong for good: an optimizer that throws, an evaluator that always fails.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RandomOptimizer } from "../../../master/search/optimizers/random.ts";
import { commandId, type GroupId } from "../../../shared/model/ids.ts";
import { Lab, scored } from "./lab.ts";

/** Longer than all restarts of one experiment take. */
const PARKED_AFTER_MS = 4_000;

let commands = 0;

function steer(lab: Lab, type: "pause" | "resume" | "cancel_experiment", group: GroupId) {
  return lab.ask((asker) => ({ type, id: commandId(`steer-${++commands}`), group, ...asker }));
}

function standing(lab: Lab, group: GroupId): unknown {
  const reply = lab.ask((asker) => ({ type: "standing", group, ...asker }));
  return reply.ok ? reply.value : reply.error.code;
}

/** Makes a method of the random optimizer throw while the body runs and `isBroken` says so. */
function whileBroken(
  method: "propose" | "told",
  isBroken: () => boolean,
  body: () => void,
): void {
  const original = RandomOptimizer.prototype[method];
  const broken = function (this: RandomOptimizer, ...args: unknown[]): unknown {
    if (isBroken()) throw new Error("the model has no answer");
    return Reflect.apply(original, this, args);
  };
  Object.defineProperty(RandomOptimizer.prototype, method, {
    value: broken,
    configurable: true,
    writable: true,
  });
  try {
    body();
  } finally {
    Object.defineProperty(RandomOptimizer.prototype, method, {
      value: original,
      configurable: true,
      writable: true,
    });
  }
}

const GENETIC = { optimizer: { kind: "genetic", seed: 1, population: 4 } } as const;

Deno.test("an optimizer that always throws: its experiment is parked as broken with the cause, the others go on", () => {
  const lab = new Lab(() => scored(1));
  whileBroken("propose", () => true, () => {
    const broken = lab.run();
    const other = lab.run(GENETIC);
    lab.pass(PARKED_AFTER_MS);
    const { state, reason } = lab.summary(broken);
    assert.deepEqual([state, reason], ["broken", "the model has no answer"]);
    assert.deepEqual(standing(lab, broken), { state: "broken", reason: "the model has no answer" });
    assert.equal(lab.summary(other).state, "completed");
    const later = lab.run(GENETIC);
    lab.pass(100);
    assert.equal(lab.summary(later).state, "completed", "and new ones are begun");
  });
});

Deno.test("a broken experiment is tried again when it is resumed, and goes on where it stood", () => {
  const lab = new Lab(() => scored(1));
  let isBroken = false;
  whileBroken("propose", () => isBroken, () => {
    lab.evaluate = (number) => {
      isBroken ||= number === 4;
      return scored(1);
    };
    const id = lab.run();
    lab.pass(PARKED_AFTER_MS);
    assert.equal(lab.summary(id).state, "broken");
    const before = lab.summary(id).trials;
    assert.ok(before.completed >= 3);
    isBroken = false;
    lab.evaluate = () => scored(1);
    assert.ok(steer(lab, "resume", id).ok);
    lab.pass(1_000);
    const { state, trials } = lab.summary(id);
    assert.deepEqual([state, trials.completed], ["completed", 10]);
  });
});

Deno.test("resuming what breaks again parks it again, and says so", () => {
  const lab = new Lab(() => scored(1));
  whileBroken("propose", () => true, () => {
    const id = lab.run();
    lab.pass(PARKED_AFTER_MS);
    assert.ok(steer(lab, "resume", id).ok);
    lab.pass(PARKED_AFTER_MS);
    assert.deepEqual(standing(lab, id), { state: "broken", reason: "the model has no answer" });
    assert.equal(lab.summary(id).state, "broken");
  });
});

Deno.test("a broken experiment stays so over a restart of the master, and can be resumed after it", () => {
  const lab = new Lab(() => scored(1));
  let id: GroupId | undefined;
  whileBroken("propose", () => true, () => {
    id = lab.run();
    lab.pass(PARKED_AFTER_MS);
  });
  assert.ok(id !== undefined);
  lab.kill();
  lab.begin();
  lab.pass(1_000);
  assert.equal(lab.summary(id).state, "broken");
  assert.deepEqual(standing(lab, id), { state: "broken", reason: "the model has no answer" });
  const paused = steer(lab, "pause", id);
  assert.ok(!paused.ok);
  assert.match(paused.error.advice, /espalier resume lab-1/);
  assert.ok(steer(lab, "resume", id).ok);
  lab.pass(1_000);
  assert.equal(lab.summary(id).state, "completed");
});

Deno.test("what is over for other reasons is not resumed", () => {
  const lab = new Lab(() => scored(1));
  const id = lab.run();
  lab.pass(1_000);
  const reply = steer(lab, "resume", id);
  assert.ok(!reply.ok);
  assert.deepEqual([reply.error.code, reply.error.message], ["experiment_over", `${id} is completed`]);
});

Deno.test("an experiment that was paused and crashes begins again as paused", () => {
  const lab = new Lab(() => "later", 2);
  let throwsOnce = false;
  whileBroken("told", () => {
    const now = throwsOnce;
    throwsOnce = false;
    return now;
  }, () => {
    const id = lab.run();
    assert.ok(steer(lab, "pause", id).ok);
    throwsOnce = true;
    lab.finishHeld(() => scored(1));
    lab.pass(5_000);
    assert.equal(throwsOnce, false, "it crashed");
    assert.ok(lab.log.some((line) => /restarts experiment:/.test(line)));
    assert.equal(lab.summary(id).state, "paused");
    assert.deepEqual(lab.assigned, [1, 2], "a paused experiment proposes nothing");
    assert.ok(steer(lab, "resume", id).ok);
    lab.pass(100);
    assert.deepEqual(lab.assigned, [1, 2, 3, 4]);
  });
});

Deno.test("an evaluator that hangs pauses its experiment with the deadline's message, and resuming goes on", () => {
  const lab = new Lab(() => ({
    state: "failed",
    cause: "deadline",
    message: "it ran longer than its deadline of 1000 ms",
    final: false,
  }), 1);
  const id = lab.run({ budget: { trials: 8 }, retry: { limit: 0 } });
  lab.pass(10_000);
  const { state, reason, trials } = lab.summary(id);
  assert.equal(state, "paused");
  assert.equal(reason, "5 failures in a row: it ran longer than its deadline of 1000 ms");
  assert.equal(trials.failed, 5);
  lab.evaluate = () => scored(1);
  assert.ok(steer(lab, "resume", id).ok);
  lab.pass(10_000);
  assert.equal(lab.summary(id).state, "completed");
  assert.equal(lab.summary(id).trials.completed, 3);
});

Deno.test("an experiment has no more trials open than its maxConcurrent, and still ends", () => {
  const lab = new Lab(() => "later", 2);
  const id = lab.run({ maxConcurrent: 1, budget: { trials: 3 } });
  for (let trial = 1; trial <= 3; trial++) {
    lab.pass(1_000);
    assert.equal(lab.assigned.length, trial);
    lab.finishHeld(() => scored(1));
  }
  assert.equal(lab.summary(id).state, "completed");
});

Deno.test("a broken experiment whose stored spec fits no more is not resumed, and why is said", () => {
  const lab = new Lab(() => scored(1));
  whileBroken("propose", () => true, () => {
    const id = lab.run();
    lab.pass(PARKED_AFTER_MS);
    const stored = lab.disk.state.experiments.get(id);
    assert.ok(stored !== undefined);
    Object.assign(stored, { spec: '{"name":"lab"}' });
    const reply = steer(lab, "resume", id);
    assert.ok(!reply.ok);
    assert.match(reply.error.message, /the stored spec of lab-1 does not fit this version/);
    assert.equal(lab.summary(id).state, "broken");
  });
});
