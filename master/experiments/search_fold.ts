/**
 * A search as a fold of its history: proposals, outcomes, and what follows from them.
 *
 * Promise: replaying the stored history gives the same state as living through it; nothing here grows with finished
 * trials but what the optimizer keeps.
 * Not here: messages, budgets, the store (experiment.ts).
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import type { BestTrial, TrialCounts } from "../../shared/model/experiment.ts";
import type { Metrics, Outcome } from "../../shared/model/outcome.ts";
import type { TaskInput } from "../../shared/model/task.ts";
import { encode } from "../../shared/protocol/codec.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import type { Candidate } from "../../shared/space/candidate.ts";
import { compileSpace, formatProblem, type SearchSpace } from "../../shared/space/space.ts";
import type { AskedTrial, Optimizer, Proposal } from "../search/optimizer.ts";
import { createOptimizer } from "../search/registry.ts";
import type { TrialRow } from "../store/store.ts";
import { trialLimit } from "./budget.ts";
import { finishedTrial, scoresOf } from "./scoring.ts";
import { SeenHashes } from "./seen_hashes.ts";

/** After so many proposals that were all seen before, candidates are drawn from the whole space instead. */
const PROPOSALS_MAX = 100;
/**
 * After so many tries that all gave what was seen before, a finite space counts as exhausted. The latter half are draws:
 * a search that knows only its neighbourhood must not end the experiment where all of that was tried.
 */
const TRIES_MAX = 200;

/** A trial that is to be submitted. */
export interface NewTrial {
  readonly number: number;
  readonly payload: Uint8Array;
  readonly row: TrialRow;
}

/** The state of a search. */
export class SearchFold {
  readonly #spec: Spec;
  readonly #space: SearchSpace;
  readonly #optimizer: Optimizer;
  readonly #seen: SeenHashes;
  readonly #open = new Map<number, AskedTrial>();
  readonly #counts: { -readonly [K in keyof TrialCounts]: number } = {
    completed: 0,
    failed: 0,
    cancelled: 0,
    pruned: 0,
  };
  #bestScore: number | undefined;
  /** The number of the last trial. */
  last = 0;
  /** Outcomes that the optimizer has been told. */
  told = 0;
  attempts = 0;
  best: BestTrial | null = null;

  constructor(spec: Spec) {
    const compiled = compileSpace(spec.space);
    if (!compiled.ok) {
      throw new Error(`the space does not compile: ${compiled.error.map(formatProblem).join("; ")}`);
    }
    this.#spec = spec;
    this.#space = compiled.value;
    this.#optimizer = createOptimizer(spec.optimizer, this.#space, {
      objectives: spec.objectives.length,
    });
    this.#seen = new SeenHashes(trialLimit(spec));
  }

  get counts(): TrialCounts {
    return this.#counts;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The best first score so far, turned so that larger is better. */
  get bestScore(): number | undefined {
    return this.#bestScore;
  }

  isOpen(number: number): boolean {
    return this.#open.has(number);
  }

  /** The next trial, asked; or why there is none now. */
  next(): NewTrial | "wait" | "exhausted" {
    const number = this.last + 1;
    const { seed } = this.#spec.optimizer;
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const random = seededRandom(seed, number, attempt);
      const proposal = attempt < PROPOSALS_MAX
        ? this.#optimizer.propose(random)
        : { candidate: this.#space.sample(random) };
      if (typeof proposal === "string") return proposal;
      const hash = this.#space.hash(proposal.candidate);
      const isLast = attempt === TRIES_MAX - 1;
      if (this.#seen.has(hash) && !(isLast && this.#space.size === Infinity)) continue;
      return this.#accept(number, proposal, hash);
    }
    return "exhausted";
  }

  #accept(number: number, proposal: Proposal, hash: string): NewTrial {
    const { candidate, parents = [] } = proposal;
    const problems = this.#space.validate(candidate);
    const problem = problems[0];
    if (problem !== undefined) throw new Error(`the optimizer left the space: ${formatProblem(problem)}`);
    const row = { candidate: JSON.stringify(candidate), hash, parents, toldBefore: this.told };
    const input: TaskInput = {
      candidate,
      architecture: this.#space.decode(candidate),
      seed: seededRandom(this.#spec.optimizer.seed, "trial", number).integer(2 ** 31),
    };
    this.#asked({ number, candidate, parents }, hash);
    return { number, payload: encode(input).slice(), row };
  }

  /** A trial from the history: it was proposed after `told` outcomes. */
  replayAsked(number: number, row: TrialRow): void {
    const candidate: Candidate = JSON.parse(row.candidate);
    this.#asked({ number, candidate, parents: row.parents }, row.hash);
  }

  #asked(trial: AskedTrial, hash: string): void {
    this.#seen.add(hash);
    this.#open.set(trial.number, trial);
    this.last = Math.max(this.last, trial.number);
    this.#optimizer.asked(trial);
  }

  /**
   * A trial has its durable outcome.
   *
   * @returns the name of the objective that a completed trial lacks
   */
  ended(
    number: number,
    outcome: Pick<Outcome, "state"> & { readonly metrics?: Metrics | null },
    attempts: number,
  ): string | undefined {
    const trial = this.#open.get(number);
    if (trial === undefined) return undefined;
    this.#open.delete(number);
    this.#counts[outcome.state] += 1;
    this.attempts += attempts;
    this.told += 1;
    this.#optimizer.told(finishedTrial(this.#spec.objectives, trial, outcome));
    if (outcome.state !== "completed") return undefined;
    return this.#rank(trial, outcome.metrics ?? {});
  }

  #rank(trial: AskedTrial, metrics: Metrics): string | undefined {
    const scored = scoresOf(this.#spec.objectives, metrics);
    if ("missing" in scored) return scored.missing;
    const score = scored.scores[0];
    if (score === undefined || (this.#bestScore !== undefined && score <= this.#bestScore)) return undefined;
    this.#bestScore = score;
    this.best = { trial: trial.number, metrics, candidate: trial.candidate };
    return undefined;
  }
}
