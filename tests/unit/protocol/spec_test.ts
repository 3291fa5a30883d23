/**
 * Specs and durations.
 *
 * @module
 */
import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../../shared/protocol/duration.ts";
import { specSchema } from "../../../shared/protocol/spec.ts";

const MINIMAL = { name: "quick", space: { kind: "cnn", classes: 10 }, budget: { trials: 5 } };

Deno.test("durations are read as people write them", () => {
  assert.equal(parseDuration("1h 30m"), 5_400_000);
  assert.equal(parseDuration("90s"), 90_000);
  assert.equal(parseDuration("500ms"), 500);
  assert.equal(parseDuration("1.5h"), 5_400_000);
  for (const wrong of ["", "5", "h", "1 fortnight", "-1s", "1h30"]) {
    assert.equal(parseDuration(wrong), undefined);
  }
});

Deno.test("durations are written with their two largest units", () => {
  assert.equal(formatDuration(250), "250ms");
  assert.equal(formatDuration(61_000), "1m 1s");
  assert.equal(formatDuration(5_400_000), "1h 30m");
  assert.equal(formatDuration(2 * 86_400_000), "2d");
});

Deno.test("a minimal spec is completed with the defaults", () => {
  const spec = specSchema.parse(MINIMAL);
  assert.deepEqual(spec.evaluator, { kind: "builtin", name: "heuristic" });
  assert.deepEqual(spec.objectives, [{ metric: "score", direction: "maximize" }]);
  assert.equal(spec.optimizer.kind, "random");
  assert.equal(spec.retry.limit, 3);
  assert.equal(spec.maxFailures, 5);
});

Deno.test("durations in a spec are milliseconds once checked", () => {
  const spec = specSchema.parse({ ...MINIMAL, deadline: "2m", grace: 3, budget: { time: "1h" } });
  assert.equal(spec.deadline, 120_000);
  assert.equal(spec.grace, 3_000);
  assert.equal(spec.budget.time, 3_600_000);
});

Deno.test("each mistake is refused at its path", () => {
  const wrong: readonly [object, string][] = [
    [{ evaluator: { kind: "magic" } }, "evaluator"],
    [{ optimizer: { kind: "genetic", population: 1 } }, "optimizer"],
    [{ deadline: "soon" }, "deadline"],
    [{ budget: { trials: 0 } }, "budget"],
    [{ name: "a/b" }, "name"],
    [{ sapce: {} }, ""],
  ];
  for (const [part, path] of wrong) {
    const checked = specSchema.safeParse({ ...MINIMAL, ...part });
    assert(!checked.success, path);
    assert.equal(String(checked.error.issues[0]?.path[0] ?? ""), path);
  }
});
