/**
 * What every optimizer keeps, whoever wrote it. Run it over a new optimizer with one call:
 *
 * ```ts
 * testOptimizer("mine", (space) => new MyOptimizer(space));
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../../master/search/optimizer.ts";
import { type Random, seededRandom } from "../../shared/actor/random.ts";
import { choice, integer, option, optional, parameters, real, repeat } from "../../shared/space/builders.ts";
import {
  cnnSpace,
  compileSpace,
  formatProblem,
  type SearchSpace,
  type Space,
} from "../../shared/space/space.ts";

/** How a tested optimizer is made: with no history. */
export type MakeOptimizer = (space: SearchSpace) => Optimizer;

/** What happened to an optimizer, in order. */
type Event = { readonly type: "asked"; readonly trial: AskedTrial } | {
  readonly type: "told";
  readonly trial: FinishedTrial;
};

/** Spaces of different kinds: conditions and nesting, an architecture, a handful of candidates. */
const SPACES: readonly (readonly [string, Space])[] = [
  [
    "a nested space",
    parameters({
      rate: real(1e-4, 1, { log: true }),
      momentum: real(0, 1, { when: { parameter: "optimizer", equals: "sgd" } }),
      optimizer: choice(["adam", "sgd"]),
      layers: repeat(1, 4, { units: integer(8, 256, { log: true }), dropout: optional(real(0, 0.5)) }),
      head: choice(["linear", option("mlp", { units: integer(1, 9) })]),
    }),
  ],
  ["a cnn space", cnnSpace({ classes: 10 })],
  ["a tiny space", parameters({ a: choice([1, 2]), b: choice([true, false]) })],
];

/** Registers the suite for one optimizer. */
export function testOptimizer(name: string, make: MakeOptimizer): void {
  for (const [kind, written] of SPACES) {
    const compiled = compileSpace(written);
    if (!compiled.ok) throw new Error(compiled.error.map(formatProblem).join("\n"));
    const test: Test = (sentence, body) => Deno.test(`${name}, over ${kind}: ${sentence}`, body);
    testProgress(test, make, compiled.value);
    testFold(test, make, compiled.value);
  }
}

type Test = (sentence: string, body: () => void | Promise<void>) => void;

function testProgress(test: Test, make: MakeOptimizer, space: SearchSpace): void {
  test("every proposal is in the space, whichever order results come in", () => {
    for (const order of [first, last, anyOne]) {
      const search = new Search(space, make(space), { order });
      search.run(300);
      assert.equal(search.finished, 300);
    }
  });

  test("many trials may be outstanding, and it never waits with none", () => {
    const search = new Search(space, make(space), { slots: 200, order: anyOne });
    search.run(1_000);
    assert.equal(search.finished, 1_000);
  });

  test("failures and cancellations do not stop it, and are no scores", () => {
    const half = new Search(space, make(space), { fails: (number) => number % 2 === 0 });
    half.run(300);
    const all = new Search(space, make(space), { fails: () => true });
    all.run(300);
    assert.deepEqual([half.finished, all.finished], [300, 300]);
  });

  test("a score that is no number, or is missing, does not stop it", () => {
    for (const scores of [[NaN], [], [Infinity], [-Infinity]]) {
      const search = new Search(space, make(space), {
        scores: (number) => number % 3 === 0 ? scores : [number % 7],
      });
      search.run(200);
      assert.equal(search.finished, 200);
    }
  });
}

function testFold(test: Test, make: MakeOptimizer, space: SearchSpace): void {
  test("the same seed and history give the same proposals", () => {
    const runs = [1, 1, 2].map((seed) => {
      const search = new Search(space, make(space), { slots: 5, seed, order: anyOne });
      search.run(200);
      return search.proposals;
    });
    assert.deepEqual(runs[0], runs[1]);
    if (space.size > 100) assert.notDeepEqual(runs[0], runs[2]);
  });

  test("propose changes nothing: asked again with the same stream, it answers the same", () => {
    const quiet = new Search(space, make(space), { slots: 5, order: anyOne });
    const curious = new Search(space, make(space), { slots: 5, order: anyOne, extraCalls: 3 });
    quiet.run(200);
    curious.run(200);
    assert.deepEqual(curious.proposals, quiet.proposals);
  });

  test("rebuilt from its history, it goes on as it would have", () => {
    for (const length of [1, 30, 170]) {
      const search = new Search(space, make(space), {
        slots: 7,
        order: anyOne,
        fails: (number) => number % 5 === 0,
      });
      search.run(length);
      const rebuilt = make(space);
      for (const event of search.history) {
        if (event.type === "asked") rebuilt.asked(structuredClone(event.trial));
        else rebuilt.told(structuredClone(event.trial));
      }
      for (let stream = 0; stream < 20; stream++) {
        assert.deepEqual(
          rebuilt.propose(seededRandom(stream)),
          search.optimizer.propose(seededRandom(stream)),
        );
      }
    }
  });

  test("parents are trials that have finished with scores", () => {
    const search = new Search(space, make(space), {
      slots: 5,
      order: anyOne,
      fails: (number) => number % 4 === 0,
    });
    search.run(300);
    for (const { proposal, completed } of search.proposals) {
      for (const parent of proposal.parents ?? []) assert.ok(parent <= completed && parent % 4 !== 0);
    }
  });

  test("what it keeps does not grow with history", async () => {
    const search = new Search(space, make(space), { slots: 20, order: anyOne });
    search.run(1_000);
    const after1000 = await search.heldCandidates();
    search.run(3_000);
    const after4000 = await search.heldCandidates();
    assert.ok(after4000 <= after1000 * 1.2 + 20, `${after1000} candidates, then ${after4000}`);
  });
}

interface SearchOptions {
  readonly slots: number;
  readonly seed: number;
  /** Which of the outstanding trials ends next. */
  readonly order: (outstanding: readonly AskedTrial[], random: Random) => number;
  readonly fails: (number: number) => boolean;
  readonly scores: (number: number, candidate: AskedTrial["candidate"]) => readonly number[];
  /** How often `propose` is called beside the call that counts. */
  readonly extraCalls: number;
}

const first = () => 0;
const last = (outstanding: readonly AskedTrial[]) => outstanding.length - 1;
const anyOne = (outstanding: readonly AskedTrial[], random: Random) => random.integer(outstanding.length);

/** An experiment in miniature: keeps the slots full, ends trials in some order, checks what it is proposed. */
class Search {
  readonly history: Event[] = [];
  readonly proposals: { readonly proposal: Proposal; readonly completed: number }[] = [];
  finished = 0;
  readonly #options: SearchOptions;
  readonly #outstanding: AskedTrial[] = [];
  readonly #handedOver: WeakRef<object>[] = [];
  readonly #order: Random;

  constructor(
    private readonly space: SearchSpace,
    readonly optimizer: Optimizer,
    options: Partial<SearchOptions>,
  ) {
    const scores = (number: number) => [seededRandom("score", number).next()];
    this.#options = {
      slots: 1,
      seed: 1,
      order: first,
      fails: () => false,
      scores,
      extraCalls: 0,
      ...options,
    };
    this.#order = seededRandom(this.#options.seed, "order");
  }

  /** Goes on until that many more trials have ended. */
  run(trials: number): void {
    const goal = this.finished + trials;
    while (this.finished < goal) {
      this.#fill();
      assert.ok(this.#outstanding.length > 0, "it waits, with nothing outstanding");
      this.#finishOne();
    }
  }

  /** How many of the candidates that the optimizer was given are still in memory. */
  async heldCandidates(): Promise<number> {
    this.history.length = 0;
    this.proposals.length = 0;
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    assert.ok(typeof collect === "function");
    // What a weak reference was made for stays until the end of its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    collect();
    return this.#handedOver.filter((reference) => reference.deref() !== undefined).length;
  }

  #fill(): void {
    while (this.#outstanding.length < this.#options.slots) {
      const number = this.finished + this.#outstanding.length + 1;
      for (let call = 0; call < this.#options.extraCalls; call++) {
        this.optimizer.propose(seededRandom(this.#options.seed, number, call));
      }
      const proposal = this.optimizer.propose(seededRandom(this.#options.seed, number, 0));
      if (typeof proposal === "string") return;
      assert.deepEqual(this.space.validate(proposal.candidate).map(formatProblem), []);
      this.proposals.push({ proposal, completed: this.finished + this.#outstanding.length });
      const trial = { number, ...proposal };
      this.#outstanding.push(trial);
      this.history.push({ type: "asked", trial });
      this.optimizer.asked(this.#handOver(trial));
    }
  }

  #finishOne(): void {
    const [trial] = this.#outstanding.splice(this.#options.order(this.#outstanding, this.#order), 1);
    assert.ok(trial !== undefined);
    const finished: FinishedTrial = this.#options.fails(trial.number)
      ? { ...trial, state: trial.number % 3 === 0 ? "cancelled" : "failed" }
      : { ...trial, state: "completed", scores: this.#options.scores(trial.number, trial.candidate) };
    this.history.push({ type: "told", trial: finished });
    this.optimizer.told(this.#handOver(finished));
    this.finished += 1;
  }

  /** A copy, as if it came from the store, by which one can see whether it is kept. */
  #handOver<T extends AskedTrial>(trial: T): T {
    const copy = structuredClone(trial);
    this.#handedOver.push(new WeakRef(copy.candidate));
    return copy;
  }
}
