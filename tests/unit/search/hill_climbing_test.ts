import assert from "node:assert/strict";
import type { Optimizer } from "../../../master/search/optimizer.ts";
import { parameters, real } from "../../../shared/space/builders.ts";
import { compiled, make, parentsOf, testBeatsRandom, testStaysFast } from "./landscapes.ts";

const line = compiled(parameters({ x: real(0, 1) }));
const candidate = { x: 0.5 };

testBeatsRandom({ kind: "hill_climbing" });
testStaysFast({ kind: "hill_climbing" });

function ask(optimizer: Optimizer, number: number): void {
  optimizer.asked({ number, candidate });
}

function end(optimizer: Optimizer, number: number, score: number): void {
  optimizer.told({ number, candidate, state: "completed", scores: [score] });
}

function askAndEnd(optimizer: Optimizer, number: number, score: number): void {
  ask(optimizer, number);
  end(optimizer, number, score);
}

Deno.test("it begins at the best of its starts, and steps to what is no worse", () => {
  const optimizer = make({ kind: "hill_climbing", starts: 3 }, line);
  askAndEnd(optimizer, 1, 5);
  askAndEnd(optimizer, 2, 7);
  assert.deepEqual(parentsOf(optimizer), []);
  askAndEnd(optimizer, 3, 6);
  assert.deepEqual(parentsOf(optimizer), [2]);
  askAndEnd(optimizer, 4, 6);
  assert.deepEqual(parentsOf(optimizer), [2]);
  askAndEnd(optimizer, 5, 7);
  assert.deepEqual(parentsOf(optimizer), [5]);
});

Deno.test("after so many that lead no higher, failures among them, it begins anew", () => {
  const optimizer = make({ kind: "hill_climbing", starts: 1, patience: 3 }, line);
  askAndEnd(optimizer, 1, 5);
  askAndEnd(optimizer, 2, 4);
  ask(optimizer, 3);
  optimizer.told({ number: 3, candidate, state: "failed" });
  ask(optimizer, 4);
  optimizer.told({ number: 4, candidate, state: "cancelled" });
  assert.deepEqual(parentsOf(optimizer), [1]);
  askAndEnd(optimizer, 5, NaN);
  assert.deepEqual(parentsOf(optimizer), []);
  askAndEnd(optimizer, 6, -100);
  assert.deepEqual(parentsOf(optimizer), [6]);
});

Deno.test("what was asked before an improvement does not try its patience", () => {
  const optimizer = make({ kind: "hill_climbing", starts: 1, patience: 2 }, line);
  askAndEnd(optimizer, 1, 5);
  for (let number = 2; number <= 10; number++) ask(optimizer, number);
  end(optimizer, 2, 6);
  for (let number = 3; number <= 10; number++) end(optimizer, number, 0);
  assert.deepEqual(parentsOf(optimizer), [2]);
});

Deno.test("a straggler of an earlier climb does not pull it back", () => {
  const optimizer = make({ kind: "hill_climbing", starts: 1, patience: 1 }, line);
  askAndEnd(optimizer, 1, 5);
  ask(optimizer, 2);
  askAndEnd(optimizer, 3, 4);
  askAndEnd(optimizer, 4, 1);
  end(optimizer, 2, 9);
  assert.deepEqual(parentsOf(optimizer), [4]);
});
