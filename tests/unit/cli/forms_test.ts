import assert from "node:assert/strict";
import { drawArchitecture, spaceOf } from "../../../client/cli/architecture.ts";
import { csvLine, orderColumns, rowOf } from "../../../client/cli/csv.ts";
import { summaryJson } from "../../../client/cli/summary.ts";
import { formatBytes, formatMetrics, table } from "../../../client/cli/table.ts";
import { isSameSpec } from "../../../client/cli/unfinished.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import type { TrialSummary } from "../../../shared/model/experiment.ts";
import { groupId } from "../../../shared/model/ids.ts";
import { specSchema } from "../../../shared/protocol/spec.ts";
import { compileSpace } from "../../../shared/space/space.ts";

const TRIAL: TrialSummary = {
  trial: 3,
  state: "completed",
  attempts: 1,
  metrics: { loss: 0.5, accuracy: 0.9 },
  candidate: { blocks: [{ filters: 8 }], rate: 0.1, note: 'a "quoted", one', none: null },
  cause: null,
  message: null,
  worker: "w",
  elapsedMs: 12,
  endedAtMs: 5,
  parents: [],
};

Deno.test("an experiment as JSON has the promised keys and no others", () => {
  const json = summaryJson({
    experiment: groupId("a-1"),
    name: "a",
    state: "completed",
    reason: "",
    trials: { completed: 1, failed: 0, cancelled: 0, pruned: 0 },
    open: 0,
    attempts: 1,
    budgetTrials: 1,
    objectives: [],
    best: { trial: 1, metrics: { score: 1 }, candidate: { x: 1 } },
    seconds: 2,
    createdAtMs: 0,
  });
  assert.deepEqual(json, {
    experiment: "a-1",
    state: "completed",
    trials: { completed: 1, failed: 0, cancelled: 0, pruned: 0 },
    attempts: 1,
    best: { trial: 1, metrics: { score: 1 }, candidate: { x: 1 } },
    seconds: 2,
  });
});

Deno.test("a trial becomes a row with a column for each metric and each value of its candidate", () => {
  const row = rowOf(TRIAL);
  assert.equal(row.get("metric.accuracy"), "0.9");
  assert.equal(row.get("param.blocks.0.filters"), "8");
  assert.equal(row.get("param.none"), "");
});

Deno.test("columns are ordered by what they are, then by name, numbers as numbers", () => {
  const columns = orderColumns(["param.b.10", "param.b.9", "metric.z", "param.a", "metric.a", "trial"]);
  assert.deepEqual(columns.slice(8), ["metric.a", "metric.z", "param.a", "param.b.9", "param.b.10"]);
  assert.equal(columns[0], "trial");
});

Deno.test("cells with commas, quotes and line ends are quoted", () => {
  assert.equal(csvLine(["a", 'say "x"', "b,c", "d\ne"]), 'a,"say ""x""","b,c","d\ne"');
});

Deno.test("a table sets words to the left and numbers to the right", () => {
  assert.equal(table(["NAME", "N"], [["a", "5"], ["long", "12"]]), "NAME   N\na      5\nlong  12");
});

Deno.test("numbers are short enough to read", () => {
  assert.equal(formatMetrics({ accuracy: 0.94722222, n: 7 }), "accuracy 0.94722, n 7");
  assert.equal(formatMetrics({ "\x1b[2Jloss\n": 1 }), "\ufffd[2Jloss\ufffd 1");
  assert.equal(table(["RESULT"], [["\x1b]0;title\x07 red"]]), "RESULT\n\ufffd]0;title\ufffd red");
  assert.equal(formatBytes(1_500_000), "1.5 MB");
});

Deno.test("the best candidate is drawn where its space has an architecture, and only there", () => {
  const space = { kind: "cnn", classes: 10 };
  const compiled = compileSpace(space);
  assert.ok(compiled.ok);
  const candidate = compiled.value.sample(seededRandom(1));
  assert.match(
    drawArchitecture(spaceOf(JSON.stringify({ space })), candidate) ?? "",
    /layers, .* parameters/,
  );
  assert.equal(drawArchitecture(space, { nonsense: 1 }), undefined);
  assert.equal(drawArchitecture(undefined, candidate), undefined);
});

Deno.test("a stored spec is the same whatever the order of its keys and whether its defaults are written", () => {
  const written = { name: "a", space: { kind: "cnn", classes: 10 }, budget: { trials: 5 } };
  const spec = specSchema.parse(written);
  const reordered = { budget: { trials: 5 }, space: { classes: 10, kind: "cnn" }, name: "a", priority: 0 };
  assert.equal(isSameSpec(JSON.stringify(reordered), spec), true);
  assert.equal(isSameSpec({ ...written, budget: { trials: 6 } }, spec), false);
  assert.equal(isSameSpec("no json", spec), false);
});
