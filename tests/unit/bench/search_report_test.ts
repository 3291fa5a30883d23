import assert from "node:assert/strict";
import { rowsOf, tableOf } from "../../../scripts/bench/search_report.ts";
import type { SearchRun } from "../../../scripts/bench/search_run.ts";

/** Searches for the largest, which is 10. */
function runs(...bests: readonly number[]): readonly SearchRun[] {
  return bests.map((best, seed) => ({
    seed,
    best,
    regret: 10 - best,
    improvements: [],
    trials: 5,
    seconds: 7_200,
    busy: 0.5,
  }));
}

const random = runs(1, 2, 6);
const ours = runs(2, 2, 8).map((run) => ({ ...run, testRegret: run.seed }));
const measured = [
  { optimizer: "random", runs: random, msPerTrial: 0.25 },
  { optimizer: "ours", runs: ours, msPerTrial: 1 },
];

Deno.test("a line has the mean and the sample deviation over the seeds, and the share won; a tie is half a win", () => {
  const [first, second] = rowsOf(measured, random);
  assert.deepEqual([first?.best.mean, first?.best.deviation, first?.won], [3, Math.sqrt(7), 0.5]);
  assert.deepEqual(second?.best, { mean: 4, deviation: Math.sqrt(12) });
  assert.deepEqual(second?.regret, { mean: 6, deviation: Math.sqrt(12) });
  assert.deepEqual(second?.won, 2.5 / 3);
  assert.deepEqual([first?.testRegret, second?.testRegret], [null, { mean: 1, deviation: 1 }]);
});

Deno.test("one seed has no deviation", () => {
  const [row] = rowsOf([{ optimizer: "random", runs: runs(3), msPerTrial: 1 }], runs(3));
  assert.deepEqual(row?.best, { mean: 3, deviation: 0 });
});

Deno.test("the table shows the lines in columns", () => {
  assert.deepEqual(tableOf(rowsOf(measured, random)), [
    "optimizer             best           regret      test regret     won  trials  hours    busy  ms a trial",
    "random     3.0000 ± 2.6458  7.0000 ± 2.6458                -  50.0 %       5    2.0  50.0 %       0.250",
    "ours       4.0000 ± 3.4641  6.0000 ± 3.4641  1.0000 ± 1.0000  83.3 %       5    2.0  50.0 %       1.000",
  ]);
});
