/**
 * Simple functions to search, and searches over them: whether an optimizer does better than drawing at random.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Optimizer } from "../../../master/search/optimizer.ts";
import { createOptimizer } from "../../../master/search/registry.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { type OptimizerInput, optimizerSchema } from "../../../shared/model/optimizer_options.ts";
import { choice, integer, optional, parameters, real, repeat } from "../../../shared/space/builders.ts";
import { type Candidate, compileSpace, type SearchSpace, type Space } from "../../../shared/space/space.ts";

/** A space, and the score of each of its candidates; larger is better. */
export interface Landscape {
  readonly name: string;
  readonly space: SearchSpace;
  readonly score: (candidate: Candidate) => number;
}

/** A space that is known to be a good one. */
export function compiled(space: Space): SearchSpace {
  const result = compileSpace(space);
  if (!result.ok) throw new Error("the space does not compile");
  return result.value;
}

/** An optimizer with no history. */
export function make(input: OptimizerInput, space: SearchSpace): Optimizer {
  return createOptimizer(optimizerSchema.parse(input), space, { objectives: 1 });
}

/** Numbers; options; and parts that come and go. */
export const LANDSCAPES: readonly Landscape[] = [
  {
    name: "a bowl in six dimensions",
    space: compiled(parameters(Object.fromEntries([..."abcdef"].map((name) => [name, real(-5, 5)])))),
    score: (candidate) => -sum(Object.values(candidate).map((value) => (Number(value) - 1) ** 2)),
  },
  {
    name: "options on ten places",
    space: compiled(parameters(
      Object.fromEntries([..."abcdefghij"].map((name) => [name, choice([0, 1, 2, 3, 4])])),
    )),
    score: (candidate) => Object.values(candidate).filter((value) => value === 3).length,
  },
  {
    name: "a list with optional parts",
    space: compiled(parameters({
      layers: repeat(1, 8, { units: integer(1, 100), dropout: optional(real(0, 1)) }),
    })),
    score: ({ layers }) =>
      Array.isArray(layers)
        ? sum(layers.map(({ units, dropout }) => units / 100 - Math.abs((dropout ?? 2) - 0.5)))
        : 0,
  },
];

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The best score after 200 trials, the oldest of those outstanding ending first. */
export function bestScore(
  input: OptimizerInput,
  { space, score }: Landscape,
  seed: number,
  slots = 1,
): number {
  const optimizer = make(input, space);
  const outstanding: { number: number; candidate: Candidate }[] = [];
  let best = -Infinity;
  for (let number = 1; number <= 200; number++) {
    const proposal = optimizer.propose(seededRandom(seed, number, 0));
    assert.ok(typeof proposal !== "string");
    const trial = { number, ...proposal };
    optimizer.asked(trial);
    outstanding.push(trial);
    const ended = outstanding.length >= slots ? outstanding.shift() : undefined;
    if (ended === undefined) continue;
    const scores = [score(ended.candidate)];
    best = Math.max(best, ...scores);
    optimizer.told({ ...ended, state: "completed", scores });
  }
  return best;
}

/** Registers a test for each landscape: its median over seeds is better than nine of ten random searches. */
export function testBeatsRandom(input: OptimizerInput): void {
  const seeds = Array.from({ length: 15 }, (_, seed) => seed);
  for (const landscape of LANDSCAPES) {
    for (const slots of [1, 16]) {
      Deno.test(`${input.kind} beats random search on ${landscape.name}, with ${slots} slots`, () => {
        const found = seeds.map((seed) => bestScore(input, landscape, seed, slots));
        const drawn = seeds.map((seed) => bestScore({ kind: "random" }, landscape, seed, slots));
        assert.ok(at(found, 0.5) > at(drawn, 0.9), `${at(found, 0.5)}, and random ${at(drawn, 0.9)}`);
      });
    }
  }
}

function at(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(part * values.length)] ?? NaN;
}

/** Registers a test that a proposal and an outcome stay cheap after 10,000 trials, with 100 outstanding. */
export function testStaysFast(input: OptimizerInput): void {
  Deno.test(`${JSON.stringify(input)} proposes in under 5 ms after 10,000 trials`, () => {
    const [landscape] = LANDSCAPES;
    assert.ok(landscape !== undefined);
    const optimizer = make(input, landscape.space);
    const trialOf = (number: number) => ({ number, candidate: landscape.space.sample(seededRandom(number)) });
    for (let number = 1; number <= 10_100; number++) {
      optimizer.asked(trialOf(number));
      const ended = trialOf(number - 100);
      if (ended.number < 1) continue;
      optimizer.told({ ...ended, state: "completed", scores: [landscape.score(ended.candidate)] });
    }
    const start = performance.now();
    for (let stream = 0; stream < 100; stream++) optimizer.propose(seededRandom(stream));
    const perProposalMs = (performance.now() - start) / 100;
    assert.ok(perProposalMs < 5, `${perProposalMs} ms`);
  });
}

/** The trials that proposals are made from, over many streams. */
export function parentsOf(optimizer: Optimizer, draws = 300): readonly number[] {
  const parents = Array.from({ length: draws }, (_, stream) => {
    const proposal = optimizer.propose(seededRandom(stream));
    return typeof proposal === "string" ? [] : proposal.parents ?? [];
  });
  return [...new Set(parents.flat())].toSorted((a, b) => a - b);
}
