import assert from "node:assert/strict";
import { ANALYTIC_PROBLEMS } from "../../../scripts/bench/search_analytic.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import type { Candidate } from "../../../shared/space/candidate.ts";
import { compileSpace } from "../../../shared/space/space.ts";

/** Where each function is least. */
const BEST: Readonly<Record<string, Candidate>> = {
  sphere: { x1: -3.1, x2: 1.7, x3: 0.4, x4: 4.2, x5: -1.3 },
  branin: { x1: Math.PI, x2: 2.275 },
  hartmann6: { x1: 0.20169, x2: 0.150011, x3: 0.476874, x4: 0.275332, x5: 0.311652, x6: 0.6573 },
  mixed: { x1: Math.PI, x2: 2.275, method: "corrected", correction: 0.3, steps: 8 },
};

for (const [name, problem] of Object.entries(ANALYTIC_PROBLEMS)) {
  Deno.test(`${name} has its optimum where it is known, and nothing drawn lies below`, () => {
    const compiled = compileSpace(problem.space);
    assert.ok(compiled.ok);
    const best = BEST[name] ?? {};
    assert.deepEqual(compiled.value.validate(best), []);
    assert.ok(Math.abs(problem.evaluate(best).value - problem.optimum) < 1e-6);
    const random = seededRandom(name);
    for (let i = 0; i < 1_000; i++) {
      const { value, seconds } = problem.evaluate(compiled.value.sample(random));
      assert.ok(value >= problem.optimum);
      assert.ok(seconds >= 30 && seconds < 90);
    }
  });
}
