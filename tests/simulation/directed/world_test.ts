/**
 * Every directed run brings its scenario about, and its users see what is promised.
 *
 * @module
 */
import { WORLD_RUNS } from "./world_runs.ts";
import assert from "node:assert/strict";
import { SCENARIOS } from "../scenarios.ts";

for (const { scenario, run } of WORLD_RUNS) {
  Deno.test(`nothing is lost and nothing counts twice where ${SCENARIOS[scenario]}`, () => {
    const { reached } = run();
    assert((reached[scenario] ?? 0) > 0, `${scenario} did not come about`);
  });
}
