import assert from "node:assert/strict";
import { drawProgress, ProgressDisplay, trialsPerMinute } from "../../../client/cli/progress.ts";
import { type ExperimentSummary, NO_TRIALS } from "../../../shared/model/experiment.ts";
import { groupId } from "../../../shared/model/ids.ts";
import { FakeTerminal } from "./fake_terminal.ts";

function summary(completed: number, more: Partial<ExperimentSummary> = {}): ExperimentSummary {
  return {
    experiment: groupId("digits-1"),
    name: "digits",
    state: "running",
    reason: "",
    trials: { ...NO_TRIALS, completed },
    open: 2,
    attempts: completed + 2,
    budgetTrials: 40,
    objectives: [{ metric: "accuracy", direction: "maximize" }],
    best: null,
    seconds: 10,
    createdAtMs: 0,
    ...more,
  };
}

const best = (trial: number, accuracy: number) => ({ trial, metrics: { accuracy, loss: 1 }, candidate: {} });

Deno.test("the bar tells how much is done, the best so far, the pace and the time left", () => {
  const line = drawProgress(summary(10, { best: best(7, 0.95) }), { sinceMs: 0, doneBefore: 0 }, 60_000);
  assert.equal(
    line,
    "digits-1 [######..................] 10/40  best accuracy 0.95 (trial 7)  10 trials/min  3m left",
  );
});

Deno.test("without a number of trials to reach there is no bar and no time left", () => {
  const line = drawProgress(summary(10, { budgetTrials: null }), { sinceMs: 0, doneBefore: 0 }, 60_000);
  assert.equal(line, "digits-1 10 trials  no result yet  10 trials/min");
});

Deno.test("the pace counts what was done since we looked, not what an earlier run did", () => {
  assert.equal(trialsPerMinute(summary(30), { sinceMs: 0, doneBefore: 24 }, 120_000), 3);
  assert.equal(trialsPerMinute(summary(30), { sinceMs: 0, doneBefore: 24 }, 100), undefined);
});

Deno.test("failed and pruned trials count towards the budget, cancelled ones do not", () => {
  const trials = { completed: 5, failed: 3, pruned: 2, cancelled: 9 };
  assert.match(drawProgress(summary(0, { trials }), { sinceMs: 0, doneBefore: 0 }, 0), / 10\/40 /);
});

Deno.test("a terminal gets a bar, and nobody else does", () => {
  const terminal = new FakeTerminal(true);
  const display = new ProgressDisplay(terminal);
  display.update(summary(1), 0);
  display.update(summary(2), 1);
  assert.equal(terminal.drawn.length, 2);
  assert.deepEqual(terminal.notes, []);
});

Deno.test("a log file gets a line for each new best and each tenth, and no more", () => {
  const terminal = new FakeTerminal(false);
  const display = new ProgressDisplay(terminal);
  for (let done = 0; done <= 40; done++) {
    display.update(summary(done, { best: best(done < 20 ? 3 : 18, 0.9) }), done * 1_000);
    display.update(summary(done, { best: best(done < 20 ? 3 : 18, 0.9) }), done * 1_000 + 1);
  }
  assert.ok(terminal.notes.length <= 12, `${terminal.notes.length} lines`);
  assert.deepEqual(terminal.drawn, []);
});
