/**
 * Budgets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { counted, reachesTarget, trialLimit } from "../../../master/experiments/budget.ts";
import { type SpecInput, specSchema } from "../../../shared/protocol/spec.ts";

const specOf = (part: Partial<SpecInput>) =>
  specSchema.parse({ name: "b", space: { kind: "cnn", classes: 10 }, budget: { trials: 5 }, ...part });

Deno.test("generations count in populations, and the smaller limit holds", () => {
  const optimizer = { kind: "genetic", population: 10 } as const;
  assert.equal(trialLimit(specOf({ optimizer, budget: { generations: 3 } })), 30);
  assert.equal(trialLimit(specOf({ optimizer, budget: { generations: 3, trials: 12 } })), 12);
  assert.equal(trialLimit(specOf({ budget: { time: "1h" } })), undefined);
});

Deno.test("every outcome counts but cancelled", () => {
  assert.equal(counted({ completed: 1, failed: 2, cancelled: 4, pruned: 8 }), 11);
});

Deno.test("a target is reached from its own side", () => {
  const maximize = specOf({ budget: { target: 0.9 }, objectives: [{ metric: "a", direction: "maximize" }] });
  assert(
    reachesTarget(maximize, 0.9) && !reachesTarget(maximize, 0.89) && !reachesTarget(maximize, undefined),
  );
  const minimize = specOf({ budget: { target: 0.1 }, objectives: [{ metric: "a", direction: "minimize" }] });
  assert(reachesTarget(minimize, -0.05) && !reachesTarget(minimize, -0.2));
});

Deno.test("a spec without an end is refused", () => {
  assert.throws(() => specOf({ budget: {} }), /a search needs an end/);
});
