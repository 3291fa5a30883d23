import assert from "node:assert/strict";
import type { Optimizer } from "../../../master/search/optimizer.ts";
import { createOptimizer } from "../../../master/search/registry.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { type OptimizerInput, optimizerSchema } from "../../../shared/model/optimizer_options.ts";
import { parameters, real } from "../../../shared/space/builders.ts";
import { heuristicScore } from "../../../shared/space/heuristic.ts";
import {
  type Candidate,
  cnnSpace,
  compileSpace,
  type SearchSpace,
  type Space,
} from "../../../shared/space/space.ts";

function compiled(space: Space): SearchSpace {
  const result = compileSpace(space);
  if (!result.ok) throw new Error("the space does not compile");
  return result.value;
}

const line = compiled(parameters({ x: real(0, 1) }));
const cnn = compiled(cnnSpace({ classes: 10 }));
const cube = compiled(parameters(Object.fromEntries([..."abcdefgh"].map((name) => [name, real(-5, 5)]))));

function make(input: OptimizerInput, space: SearchSpace = line): Optimizer {
  return createOptimizer(optimizerSchema.parse(input), space, { objectives: 1 });
}

/** The best score after 800 trials on 8 slots, the oldest of them ending first. */
function best(
  input: OptimizerInput,
  space: SearchSpace,
  score: (candidate: Candidate) => number,
  seed: number,
): number {
  const optimizer = make(input, space);
  const outstanding: { number: number; candidate: Candidate }[] = [];
  let most = -Infinity;
  for (let number = 1; number <= 800; number++) {
    const proposal = optimizer.propose(seededRandom(seed, number, 0));
    if (typeof proposal !== "string") {
      const trial = { number, ...proposal };
      optimizer.asked(trial);
      outstanding.push(trial);
    }
    const ended = outstanding.length >= 8 || proposal === "wait" ? outstanding.shift() : undefined;
    if (ended === undefined) continue;
    const scores = [score(ended.candidate)];
    most = Math.max(most, ...scores);
    optimizer.told({ ...ended, state: "completed", scores });
  }
  return most;
}

const landscapes: readonly (readonly [string, SearchSpace, (candidate: Candidate) => number])[] = [
  ["the heuristic of architectures", cnn, (candidate) => {
    const graph = cnn.decode(candidate);
    return graph === undefined ? 0 : heuristicScore(graph).score;
  }],
  [
    "a bowl in eight dimensions",
    cube,
    (candidate) =>
      -Object.values(candidate).reduce<number>((sum, value) => sum + (Number(value) - 1) ** 2, 0),
  ],
];

for (const [name, space, score] of landscapes) {
  for (const mode of ["steady", "generational"] as const) {
    Deno.test(`a ${mode} genetic search beats random search on ${name}`, () => {
      const seeds = Array.from({ length: 10 }, (_, seed) => seed);
      const wins = seeds.filter((seed) =>
        best({ kind: "genetic", mode }, space, score, seed) > best({ kind: "random" }, space, score, seed)
      );
      assert.ok(wins.length >= 9, `${wins.length} of 10`);
    });
  }
}

/** Asks for trials 1 to `count` and tells their scores. */
function tell(optimizer: Optimizer, count: number, scoreOf: (number: number) => number, from = 1): void {
  for (let number = from; number < from + count; number++) {
    const trial = { number, candidate: { x: number / 1_000 } };
    optimizer.asked(trial);
    optimizer.told({ ...trial, state: "completed", scores: [scoreOf(number)] });
  }
}

function parentsOf(optimizer: Optimizer, draws: number): ReadonlySet<number> {
  const parents = Array.from({ length: draws }, (_, stream) => {
    const proposal = optimizer.propose(seededRandom(stream));
    return typeof proposal === "string" ? [] : proposal.parents ?? [];
  });
  return new Set(parents.flat());
}

Deno.test("parents come from the best members, and the worst have left", () => {
  const optimizer = make({ kind: "genetic", population: 10, tournament: 1 });
  tell(optimizer, 100, (number) => -Math.abs(number - 50));
  assert.deepEqual([...parentsOf(optimizer, 300)].toSorted((a, b) => a - b), [
    45,
    46,
    47,
    48,
    49,
    50,
    51,
    52,
    53,
    54,
  ]);
});

Deno.test("children are bred once half of the population is there and the other half is under way", () => {
  const optimizer = make({ kind: "genetic", population: 10 });
  tell(optimizer, 5, (number) => number);
  assert.equal(parentsOf(optimizer, 50).size, 0);
  for (let number = 6; number <= 10; number++) optimizer.asked({ number, candidate: { x: 0 } });
  assert.ok(parentsOf(optimizer, 50).size > 1);
});

Deno.test("failed trials are neither members nor in the way of others", () => {
  const optimizer = make({ kind: "genetic", population: 4 });
  for (let number = 1; number <= 20; number++) {
    optimizer.asked({ number, candidate: { x: 0 } });
    optimizer.told({ number, candidate: { x: 0 }, state: "failed" });
  }
  assert.equal(parentsOf(optimizer, 50).size, 0);
  tell(optimizer, 4, (number) => number, 21);
  assert.ok([...parentsOf(optimizer, 50)].every((number) => number > 20));
});

Deno.test("a generation waits for its last trial, and a failed one's place is proposed again", () => {
  const optimizer = make({ kind: "genetic", mode: "generational", population: 3, elitism: 1 });
  tell(optimizer, 2, (number) => number);
  optimizer.asked({ number: 3, candidate: { x: 0 } });
  assert.equal(optimizer.propose(seededRandom(1)), "wait");
  optimizer.told({ number: 3, candidate: { x: 0 }, state: "failed" });
  assert.notEqual(optimizer.propose(seededRandom(1)), "wait");
  tell(optimizer, 1, (number) => number, 4);
  assert.deepEqual([...parentsOf(optimizer, 100)].toSorted(), [1, 2, 4]);
});

Deno.test("the elite of a generation stays, so the second one needs fewer trials", () => {
  const optimizer = make({ kind: "genetic", mode: "generational", population: 4, elitism: 2, tournament: 1 });
  tell(optimizer, 4, (number) => 10 - number);
  tell(optimizer, 2, () => -1, 5);
  assert.deepEqual([...parentsOf(optimizer, 200)].toSorted(), [1, 2, 5, 6]);
});

Deno.test("a child with one parent differs from it", () => {
  const optimizer = make({ kind: "genetic", population: 2, crossover: 0, mutation: 0 });
  tell(optimizer, 2, (number) => number);
  for (let stream = 0; stream < 50; stream++) {
    const proposal = optimizer.propose(seededRandom(stream));
    assert.ok(typeof proposal !== "string" && proposal.parents?.length === 1);
    assert.notEqual(proposal.candidate["x"], Number(proposal.parents[0]) / 1_000);
  }
});

Deno.test("the options have defaults, and mistakes in them are named", () => {
  assert.deepEqual(optimizerSchema.parse({ kind: "genetic" }), {
    kind: "genetic",
    seed: 0,
    population: 50,
    tournament: 3,
    crossover: 0.8,
    mutation: 0.2,
    elitism: 5,
    mode: "steady",
  });
  assert.deepEqual(optimizerSchema.parse({ kind: "random", seed: 7 }), { kind: "random", seed: 7 });
  assert.equal(optimizerSchema.safeParse({ kind: "random", population: 5 }).success, false);
  const unknown = optimizerSchema.safeParse({ kind: "genetics" });
  assert.match(unknown.error?.issues[0]?.message ?? "", /^expected one of the kinds random, genetic,/);
});
