import assert from "node:assert/strict";
import { whyNoResult } from "../../../client/cli/no_result.ts";
import { exitCodeOf, whyNotCompleted } from "../../../client/cli/watch.ts";
import type { ExperimentSummary, TrialSummary } from "../../../shared/model/experiment.ts";
import { summaryOf, trialOf } from "./summaries.ts";

const COUNTS = { completed: 0, failed: 0, cancelled: 0, pruned: 0 };

async function why(trials: readonly TrialSummary[], other: Partial<ExperimentSummary> = {}) {
  const completed = trials.filter(({ state }) => state === "completed").length;
  const counts = { ...COUNTS, completed, failed: trials.length - completed };
  const summary = summaryOf("x-1", { state: "completed", trials: counts, ...other });
  async function* read() {
    await Promise.resolve();
    yield* trials;
  }
  return { exitCode: exitCodeOf(summary), text: await whyNoResult({ trials: read }, summary) };
}

Deno.test("an experiment whose trials all failed is a failure with the most common message", async () => {
  assert.deepEqual(await why([trialOf(1, "no data"), trialOf(2, "odd"), trialOf(3, "no data\nat x")]), {
    exitCode: 1,
    text: "no trial of x-1 completed; the most common failure, of 2: no data",
  });
});

Deno.test("an experiment without any trial has no failure to tell", async () => {
  assert.equal((await why([])).text, "no trial of x-1 completed");
});

Deno.test("a metric of the objectives that no trial has is named beside those that there are", async () => {
  assert.deepEqual(await why([trialOf(1, { accuracy: 1, seconds: 2 })]), {
    exitCode: 1,
    text: 'no trial of x-1 has the metric "loss" of its objectives; the evaluator returns: accuracy, seconds',
  });
});

Deno.test("an experiment with a best trial is a success, and its trials are not read", async () => {
  const best = { trial: 1, metrics: { loss: 1 }, candidate: {} };
  assert.deepEqual(await why([trialOf(1, { loss: 1 })], { best }), { exitCode: 0, text: undefined });
});

Deno.test("who paused by itself is resumed, or run again where its master has ended with it", () => {
  const paused = summaryOf("x-1", { state: "paused", reason: "5 failures in a row: no data" });
  assert.equal(
    whyNotCompleted(paused),
    "x-1 is paused: 5 failures in a row: no data; when it is mended: espalier resume x-1",
  );
  assert.match(whyNotCompleted(paused, "run it again") ?? "", /: no data; run it again$/);
});
