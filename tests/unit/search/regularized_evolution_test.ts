import assert from "node:assert/strict";
import type { Optimizer } from "../../../master/search/optimizer.ts";
import { parameters, real } from "../../../shared/space/builders.ts";
import { compiled, make, parentsOf, testBeatsRandom, testStaysFast } from "./landscapes.ts";

const line = compiled(parameters({ x: real(0, 1) }));
const candidate = { x: 0.5 };

testBeatsRandom({ kind: "regularized_evolution" });
testStaysFast({ kind: "regularized_evolution" });
testStaysFast({ kind: "regularized_evolution", population: 10_000, sample: 2_500 });

/** Asks for trials `from` to `to` and tells their scores. */
function tell(optimizer: Optimizer, from: number, to: number, scoreOf: (number: number) => number): void {
  for (let number = from; number <= to; number++) {
    optimizer.asked({ number, candidate });
    optimizer.told({ number, candidate, state: "completed", scores: [scoreOf(number)] });
  }
}

Deno.test("the oldest member leaves, even if it is the best", () => {
  const optimizer = make({ kind: "regularized_evolution", population: 4, sample: 1 }, line);
  tell(optimizer, 1, 6, (number) => -number);
  assert.deepEqual(parentsOf(optimizer), [3, 4, 5, 6]);
});

Deno.test("of the members drawn the best becomes the parent", () => {
  const optimizer = make({ kind: "regularized_evolution", population: 4, sample: 50 }, line);
  tell(optimizer, 1, 6, (number) => number === 4 ? 1 : 0);
  assert.deepEqual(parentsOf(optimizer), [4]);
});

Deno.test("a failed or cancelled trial is no member and makes nobody older", () => {
  const optimizer = make({ kind: "regularized_evolution", population: 3, sample: 1 }, line);
  tell(optimizer, 1, 3, () => 0);
  for (let number = 4; number <= 9; number++) {
    optimizer.asked({ number, candidate });
    optimizer.told({ number, candidate, state: number % 2 === 0 ? "failed" : "cancelled" });
  }
  assert.deepEqual(parentsOf(optimizer), [1, 2, 3]);
});

Deno.test("breeding begins once half of the population has ended and the rest is under way", () => {
  const optimizer = make({ kind: "regularized_evolution", population: 10, sample: 1 }, line);
  tell(optimizer, 1, 5, () => 0);
  assert.deepEqual(parentsOf(optimizer), []);
  for (let number = 6; number <= 10; number++) optimizer.asked({ number, candidate });
  assert.deepEqual(parentsOf(optimizer), [1, 2, 3, 4, 5]);
});

Deno.test("the more trials are under way, the more members compete", () => {
  const shareOfBest = (outstanding: number) => {
    const optimizer = make({ kind: "regularized_evolution", population: 20, sample: 4 }, line);
    tell(optimizer, 1, 20, (number) => number);
    for (let number = 21; number < 21 + outstanding; number++) optimizer.asked({ number, candidate });
    return parentsOf(optimizer, 1_000).length;
  };
  assert.ok(shareOfBest(0) > shareOfBest(20));
  assert.equal(shareOfBest(200), shareOfBest(2_000));
});
