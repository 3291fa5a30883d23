import assert from "node:assert/strict";
import { nasBench201Problem, syntheticNasBench201 } from "../../../scripts/bench/search_nas_bench_201.ts";
import { runSearch } from "../../../scripts/bench/search_run.ts";
import { nasBench201, TABLE_VARIABLE } from "../../../scripts/bench/search_table_file.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { optimizerSchema } from "../../../shared/model/optimizer_options.ts";
import type { Candidate } from "../../../shared/space/candidate.ts";
import { nasBench201Space } from "../../../shared/space/nas_bench_201.ts";
import { compileSpace } from "../../../shared/space/space.ts";

const twin = syntheticNasBench201(1);
const [header = "", ...rows] = twin.trimEnd().split("\n");
const problem = nasBench201Problem("twin", twin);

const CELL: Candidate = {
  edge_0_1: "avg_pool_3x3",
  edge_0_2: "conv_3x3",
  edge_1_2: "skip_connect",
  edge_0_3: "none",
  edge_1_3: "conv_1x1",
  edge_2_3: "conv_3x3",
};

function rowOf(ops: string) {
  const row = rows.find((each) => each.startsWith(`${ops},`)) ?? "";
  const [, seeds = "", test, seconds] = row.split(",");
  const values = seeds.split(";").map(Number);
  return {
    value: values.reduce((sum, value) => sum + value) / values.length,
    test: Number(test),
    seconds: Number(seconds),
  };
}

Deno.test("the same seed makes the same twin, a row for each cell", () => {
  assert.equal(syntheticNasBench201(1), twin);
  assert.notEqual(syntheticNasBench201(2), twin);
  assert.equal(new Set(rows.map((row) => row.slice(0, 6))).size, 15_625);
});

Deno.test("a candidate is looked up by the digits of its operations", () => {
  assert.deepEqual(problem.evaluate(CELL), rowOf("431023"));
});

Deno.test("the value is the mean over two seeds as over three, wherever the columns stand", () => {
  const columns = "index,train_seconds_200,ops,test_accuracy_200,val_accuracy_200_seeds";
  const lines = rows.map((row, index) => `${index},100,${row.slice(0, 6)},92,${index};${index + 1}`);
  const { evaluate, optimum, testOptimum } = nasBench201Problem("moved", [columns, ...lines].join("\r\n"));
  // 431023 to the base of five.
  assert.deepEqual(evaluate(CELL), { value: 14_513.5, test: 92, seconds: 100 });
  assert.deepEqual([optimum, testOptimum], [15_624.5, 92]);
});

Deno.test("what is no such table is refused with the reason", () => {
  const reads = (csv: string) => () => nasBench201Problem("wrong", csv);
  assert.throws(
    reads("ops,accuracy\n000000,1\n"),
    /lacks the columns val_accuracy_200_seeds, test_accuracy_200/,
  );
  assert.throws(reads(twin.split("\n").slice(0, 100).join("\n")), /has 99 cells, not 15625/);
  assert.throws(reads(`${header}\n000000,91;x,92,100\n`), /row 1 of the table is not one of a cell/);
});

Deno.test("a random search on the twin comes to what its rows say", () => {
  const compiled = compileSpace(nasBench201Space());
  assert.ok(compiled.ok);
  const seed = 3, trials = 20;
  const drawn = Array.from({ length: trials }, (_, index) => {
    const candidate = compiled.value.sample(seededRandom(seed, index + 1, 0));
    return problem.evaluate(candidate);
  });
  assert.equal(new Set(drawn).size, trials, "a duplicate would be drawn again");
  const [best] = drawn.toSorted((a, b) => b.value - a.value);
  const run = runSearch(problem, optimizerSchema.parse({ kind: "random" }), { seed, trials, workers: 1 });
  assert.equal(run.best, best?.value);
  assert.equal(run.regret, problem.optimum - (best?.value ?? NaN));
  assert.equal(run.testRegret, (problem.testOptimum ?? NaN) - (best?.test ?? NaN));
  assert.equal(run.seconds, drawn.reduce((sum, { seconds }) => sum + seconds, 0));
});

Deno.test("a file that is named is read, or the user is told", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const packed = new Blob([twin]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(`${folder}/table.csv.gz`, packed);
    const notes: string[] = [];
    const read = await nasBench201(`${folder}/table.csv.gz`, (text) => notes.push(text));
    assert.deepEqual([read.name, read.optimum, notes], ["nasbench201", problem.optimum, []]);
    await assert.rejects(nasBench201(`${folder}/absent.csv`, () => {}), /absent\.csv/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const table = Deno.env.get(TABLE_VARIABLE) ?? "";

Deno.test(`the published table has the optimum that is known (${TABLE_VARIABLE})`, {
  ignore: table === "",
}, async () => {
  const { optimum, testOptimum } = await nasBench201(table, () => {});
  assert.deepEqual([optimum.toFixed(3), testOptimum?.toFixed(2)], ["91.607", "94.37"]);
});
