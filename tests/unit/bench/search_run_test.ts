import assert from "node:assert/strict";
import type { SearchProblem } from "../../../scripts/bench/search_problem.ts";
import { runSearch } from "../../../scripts/bench/search_run.ts";
import { type OptimizerInput, optimizerSchema } from "../../../shared/model/optimizer_options.ts";
import { choice, parameters } from "../../../shared/space/builders.ts";

/** Four candidates; the one that looks best is not the one that is best in the test. */
const WORTH: Readonly<Record<string, { value: number; test: number; seconds: number }>> = {
  a: { value: 1, test: 5, seconds: 10 },
  b: { value: 4, test: 7, seconds: 20 },
  c: { value: 3, test: 9, seconds: 30 },
  d: { value: 2, test: 6, seconds: 40 },
};

const four: SearchProblem = {
  name: "four",
  space: parameters({ letter: choice(Object.keys(WORTH)) }),
  direction: "maximize",
  optimum: 4,
  testOptimum: 9,
  evaluate: ({ letter }) => WORTH[String(letter)] ?? { value: NaN, seconds: NaN },
};
const random = optimizer({ kind: "random" });

function optimizer(options: OptimizerInput) {
  return optimizerSchema.parse(options);
}

Deno.test("a search that sees every candidate finds the best, and is told no duplicate", () => {
  const { improvements, ...run } = runSearch(four, random, { seed: 1, trials: 4, workers: 1 });
  assert.deepEqual(improvements.at(-1)?.best, 4);
  assert.deepEqual(run, { seed: 1, best: 4, regret: 0, testRegret: 2, trials: 4, seconds: 100, busy: 1 });
});

Deno.test("what has nothing more to try ends early", () => {
  assert.equal(runSearch(four, random, { seed: 1, trials: 9, workers: 3 }).trials, 4);
});

Deno.test("where less is better, regret is what the value lies above the optimum", () => {
  const run = runSearch({ ...four, direction: "minimize", optimum: 0.5 }, random, {
    seed: 1,
    trials: 4,
    workers: 1,
  });
  assert.deepEqual([run.best, run.regret], [1, 0.5]);
});

Deno.test("workers run beside one another on the virtual clock", () => {
  const even = { ...four, evaluate: () => ({ value: 1, seconds: 10 }) };
  const run = runSearch(even, random, { seed: 1, trials: 4, workers: 2 });
  assert.deepEqual([run.seconds, run.busy, run.testRegret], [20, 1, undefined]);
  // The first two end after 10 s and 30 s, as the search has it; the third begins when the shorter one ends.
  const lengths = [10, 30, 25, 5];
  const uneven = { ...four, evaluate: () => ({ value: 1, seconds: lengths.shift() ?? NaN }) };
  assert.equal(runSearch(uneven, random, { seed: 1, trials: 4, workers: 2 }).seconds, 35);
});

Deno.test("what was better than all before it is kept, with its time", () => {
  const values = [1, 3, 2, 4], lengths = [10, 30, 5, 5];
  const climbing = {
    ...four,
    evaluate: () => ({ value: values.shift() ?? NaN, seconds: lengths.shift() ?? NaN }),
  };
  // The second trial ends last: by then there is something better.
  assert.deepEqual(runSearch(climbing, random, { seed: 1, trials: 4, workers: 2 }).improvements, [
    { best: 1, trials: 1, seconds: 10 },
    { best: 2, trials: 2, seconds: 15 },
    { best: 4, trials: 3, seconds: 20 },
  ]);
});

Deno.test("an optimizer that waits for a generation leaves workers idle until the longest trial ends", () => {
  const generational = optimizer({ kind: "genetic", mode: "generational", population: 2, elitism: 0 });
  const lengths = [10, 30, 10, 10];
  const uneven = { ...four, evaluate: () => ({ value: 1, seconds: lengths.shift() ?? NaN }) };
  const run = runSearch(uneven, generational, { seed: 1, trials: 4, workers: 2 });
  // Until the second generation begins, after 30 s, one worker is busy for 10 s and the other for 30 s.
  assert.deepEqual([run.seconds, run.busy], [40, 40 / 60]);
});
