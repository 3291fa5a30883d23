/**
 * The fold: a search that is rebuilt from its history is the search that lived.
 *
 * @module
 */
import assert from "node:assert/strict";
import { seededRandom } from "../../../shared/actor/random.ts";
import { type Spec, type SpecInput, specSchema } from "../../../shared/protocol/spec.ts";
import { SearchFold } from "../../../master/experiments/search_fold.ts";
import type { HistoryOutcome, HistoryTrial } from "../../../master/store/store.ts";

function specOf(part: Partial<SpecInput>): Spec {
  return specSchema.parse({
    name: "fold",
    space: {
      kind: "parameters",
      parameters: {
        a: { type: "real", min: 0, max: 1 },
        b: { type: "choice", options: ["x", "y", "z"] },
        n: { type: "integer", min: 1, max: 9 },
      },
    },
    optimizer: { kind: "genetic", seed: 7, population: 8 },
    evaluator: { kind: "builtin", name: "noop" },
    objectives: [{ metric: "score", direction: "maximize" }],
    budget: { trials: 200 },
    ...part,
  });
}

interface Lived {
  readonly fold: SearchFold;
  readonly trials: HistoryTrial[];
  readonly outcomes: HistoryOutcome[];
}

/** Lives through a search with several trials open at a time, ending in a seeded order. */
function live(spec: Spec, steps: number, slots: number, chance: string): Lived {
  const fold = new SearchFold(spec);
  const random = seededRandom(chance);
  const trials: HistoryTrial[] = [];
  const outcomes: HistoryOutcome[] = [];
  const open: number[] = [];
  for (let step = 0; step < steps; step++) {
    if (open.length < slots && (open.length === 0 || random.next() < 0.6)) {
      const next = fold.next();
      assert(typeof next === "object");
      trials.push({ number: next.number, ...next.row });
      open.push(next.number);
      continue;
    }
    const number = open.splice(random.integer(open.length), 1)[0];
    assert(number !== undefined);
    const state = random.next() < 0.2 ? "failed" : "completed";
    const metrics = state === "completed" ? { score: random.next() } : null;
    fold.ended(number, { state, metrics }, 1);
    outcomes.push({ number, state, metrics, cause: null, message: null, attempts: 1, atMs: 0 });
  }
  return { fold, trials, outcomes };
}

function rebuild(spec: Spec, lived: Lived): SearchFold {
  const fold = new SearchFold(spec);
  let told = 0;
  for (const trial of lived.trials) {
    for (; told < trial.toldBefore; told++) tell(fold, lived.outcomes[told]);
    fold.replayAsked(trial.number, trial);
  }
  for (; told < lived.outcomes.length; told++) tell(fold, lived.outcomes[told]);
  return fold;
}

function tell(fold: SearchFold, outcome: HistoryOutcome | undefined): void {
  assert(outcome !== undefined);
  fold.ended(outcome.number, outcome, outcome.attempts);
}

Deno.test("a rebuilt search proposes what the one that lived proposes next", () => {
  for (const kind of ["random", "genetic"] as const) {
    for (let chance = 0; chance < 20; chance++) {
      const spec = specOf({
        optimizer: kind === "random" ? { kind, seed: 3 } : { kind, seed: 3, population: 6 },
      });
      const lived = live(spec, 60, 5, `${kind} ${chance}`);
      const rebuilt = rebuild(spec, lived);
      assert.deepEqual(rebuilt.counts, lived.fold.counts);
      assert.deepEqual(rebuilt.best, lived.fold.best);
      assert.equal(rebuilt.openCount, lived.fold.openCount);
      assert.deepEqual(rebuilt.next(), lived.fold.next());
    }
  }
});

Deno.test("the same seed and one slot give the same trials", () => {
  const spec = specOf({});
  const first = live(spec, 100, 1, "same");
  const second = live(spec, 100, 1, "same");
  assert.deepEqual(first.trials, second.trials);
  assert.notDeepEqual(
    live(specOf({ optimizer: { kind: "genetic", seed: 8 } }), 100, 1, "same").trials,
    first.trials,
  );
});

Deno.test("no candidate is proposed twice, and a finite space ends the search", () => {
  const fold = new SearchFold(specOf({
    space: { kind: "parameters", parameters: { b: { type: "choice", options: ["x", "y", "z"] } } },
    optimizer: { kind: "random" },
  }));
  const seen = new Set<string>();
  for (let next = fold.next(); typeof next === "object"; next = fold.next()) {
    assert(!seen.has(next.row.candidate));
    seen.add(next.row.candidate);
    fold.ended(next.number, { state: "completed", metrics: { score: 1 } }, 1);
  }
  assert.equal(fold.next(), "exhausted");
  assert.equal(seen.size, 3);
});

Deno.test("a search that knows only its neighbourhood goes on elsewhere where all of that was tried", () => {
  const names = [..."abcde"];
  const parameters = Object.fromEntries(names.map((name) => [name, { type: "choice", options: names }]));
  const fold = new SearchFold(specOf({
    space: { kind: "parameters", parameters },
    optimizer: { kind: "simulated_annealing", starts: 1, temperature: 0 },
  }));
  let trials = 0;
  for (let next = fold.next(); typeof next === "object" && trials < 1_000; next = fold.next()) {
    trials += 1;
    fold.ended(next.number, { state: "completed", metrics: { score: -trials } }, 1);
  }
  assert.equal(trials, 1_000);
});

Deno.test("a trial without the objective's metric is no success and never the best", () => {
  const fold = new SearchFold(specOf({}));
  const trial = fold.next();
  assert(typeof trial === "object");
  assert.equal(fold.ended(trial.number, { state: "completed", metrics: { loss: 1 } }, 1), "score");
  assert.equal(fold.best, null);
});

Deno.test("the best of a minimised objective is the smallest", () => {
  const fold = new SearchFold(specOf({ objectives: [{ metric: "score", direction: "minimize" }] }));
  for (const score of [3, 1, 2]) {
    const trial = fold.next();
    assert(typeof trial === "object");
    fold.ended(trial.number, { state: "completed", metrics: { score } }, 1);
  }
  assert.equal(fold.best?.metrics.score, 1);
});
