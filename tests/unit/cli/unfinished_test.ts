import assert from "node:assert/strict";
import { findUnfinished } from "../../../client/cli/unfinished.ts";
import type { ExperimentSummary } from "../../../shared/model/experiment.ts";
import { specSchema } from "../../../shared/protocol/spec.ts";
import { summaryOf } from "./summaries.ts";

const STORED = { name: "x", space: { kind: "cnn", classes: 10 }, budget: { trials: 4 } };

async function find(...experiments: readonly ExperimentSummary[]) {
  const { same, others } = await findUnfinished({
    experiments: () => Promise.resolve([...experiments]),
    details: () => Promise.resolve({ summary: summaryOf("x-1"), spec: STORED }),
  }, specSchema.parse(STORED));
  return { same: same?.experiment, others: others.map(({ experiment }) => experiment) };
}

Deno.test("the newest of several unfinished experiments goes on, in whatever order they are listed", async () => {
  const older = summaryOf("x-1", { createdAtMs: 1 }), newer = summaryOf("x-2", { createdAtMs: 2 });
  assert.deepEqual(await find(older, newer), { same: "x-2", others: ["x-1"] });
  assert.deepEqual(await find(newer, older), { same: "x-2", others: ["x-1"] });
});

Deno.test("a paused experiment is one that can go on; another that is paused stays where it is", async () => {
  const paused = summaryOf("x-1", { state: "paused" });
  assert.deepEqual(await find(paused), { same: "x-1", others: [] });
  assert.deepEqual(await find(summaryOf("y-1", { state: "paused" })), { same: undefined, others: [] });
});

Deno.test("an experiment that is over does not go on", async () => {
  assert.deepEqual(await find(summaryOf("x-1", { state: "completed" })), { same: undefined, others: [] });
});
