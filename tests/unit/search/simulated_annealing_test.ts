import assert from "node:assert/strict";
import type { Optimizer } from "../../../master/search/optimizer.ts";
import type { OptimizerInput } from "../../../shared/model/optimizer_options.ts";
import { parameters, real } from "../../../shared/space/builders.ts";
import { compiled, make, parentsOf, testBeatsRandom, testStaysFast } from "./landscapes.ts";

const line = compiled(parameters({ x: real(0, 1) }));
const candidate = { x: 0.5 };

testBeatsRandom({ kind: "simulated_annealing" });
testStaysFast({ kind: "simulated_annealing" });

type Input = Partial<Extract<OptimizerInput, { kind: "simulated_annealing" }>>;

/** One that has begun at trial 3: the spread of its first scores, 0, 10 and 20, is 10. */
function begun(input: Input): Optimizer {
  const optimizer = make({ kind: "simulated_annealing", starts: 3, ...input }, line);
  [0, 10, 20].forEach((score, index) => tell(optimizer, index + 1, score));
  return optimizer;
}

function tell(optimizer: Optimizer, number: number, score: number): void {
  optimizer.asked({ number, candidate });
  optimizer.told({ number, candidate, state: "completed", scores: [score] });
}

/** How many of 1,000 searches with different seeds step to a neighbour that is worse by 10, as trial `number`. */
function stepsDown(input: Input, coolBefore = 0): number {
  return Array.from({ length: 1_000 }, (_, seed) => {
    const optimizer = begun({ ...input, seed });
    for (let cooled = 0; cooled < coolBefore; cooled++) {
      optimizer.told({ number: 4 + cooled, candidate, state: "failed" });
    }
    tell(optimizer, 1_000, 10);
    return parentsOf(optimizer, 1).includes(1_000) ? 1 : 0;
  }).reduce<number>((sum, stepped) => sum + stepped, 0);
}

Deno.test("a worse neighbour is stepped to with the probability of Metropolis", () => {
  const share = (temperature: number) => stepsDown({ temperature }) / 1_000;
  assert.ok(Math.abs(share(1) - Math.exp(-1)) < 0.05, `${share(1)}`);
  assert.ok(Math.abs(share(0.5) - Math.exp(-2)) < 0.05, `${share(0.5)}`);
  assert.equal(share(0), 0);
});

Deno.test("it cools with each neighbour that ends, and is heated when nothing better comes", () => {
  const input = { temperature: 1, cooling: 0.5, patience: 4 };
  const share = stepsDown(input, 1) / 1_000;
  assert.ok(Math.abs(share - Math.exp(-2)) < 0.05, `${share}`);
  assert.ok(stepsDown(input, 3) < 10);
  assert.equal(stepsDown(input, 4), stepsDown(input));
});

Deno.test("a neighbour that is no worse is always stepped to, a failure never", () => {
  const optimizer = begun({ temperature: 0 });
  tell(optimizer, 4, 20);
  assert.deepEqual(parentsOf(optimizer), [4]);
  optimizer.told({ number: 5, candidate, state: "failed" });
  tell(optimizer, 6, NaN);
  assert.deepEqual(parentsOf(optimizer), [4]);
});

Deno.test("the unit of the objective does not matter", () => {
  const walk = (unit: number) => {
    const optimizer = make({ kind: "simulated_annealing", starts: 3, temperature: 1 }, line);
    return [0, 10, 20, 12, 15, 3, 18, 9].map((score, index) => {
      tell(optimizer, index + 1, score * unit);
      return parentsOf(optimizer, 1);
    });
  };
  assert.deepEqual(walk(2 ** 20), walk(1));
});
