/**
 * One search on a problem, by the fold that a real experiment runs, on a virtual clock.
 *
 * Promise: proposals, duplicates and outcomes go the way that they go in an experiment; each trial takes its own time, a
 * worker that is free asks at once, and who finishes first is told first. The same seed gives the same search.
 *
 * @module
 */
import { SearchFold } from "../../master/experiments/search_fold.ts";
import type { OptimizerOptions } from "../../shared/model/optimizer_options.ts";
import { specSchema } from "../../shared/protocol/spec.ts";
import type { Candidate } from "../../shared/space/candidate.ts";
import type { SearchProblem } from "./search_problem.ts";

/** How a search is run. */
export interface SearchOptions {
  readonly seed: number;
  readonly trials: number;
  /** With one, each trial is told before the next is asked for. */
  readonly workers: number;
}

/** What came of a search. */
export interface SearchRun {
  readonly seed: number;
  /** The best value found. */
  readonly best: number;
  /** How far it is from the best that there is; 0 is perfect. */
  readonly regret: number;
  /** The same for the `test` of the candidate that has it, where the problem has tests. */
  readonly testRegret?: number;
  /** Each value that was better than all before it. */
  readonly improvements: readonly Improvement[];
  /** Fewer than were asked for where the optimizer had nothing more to try. */
  readonly trials: number;
  /** From the start to the last outcome, on the virtual clock. */
  readonly seconds: number;
  /** The share of its time that a worker was busy, until the last trial began. */
  readonly busy: number;
}

/** A search found something better. */
export interface Improvement {
  readonly best: number;
  /** How many trials had ended then, this one included. */
  readonly trials: number;
  /** When, on the virtual clock. */
  readonly seconds: number;
}

interface RunningTrial {
  readonly number: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly endsAt: number;
}

/** Runs a search to its end. */
export function runSearch(
  problem: SearchProblem,
  optimizer: OptimizerOptions,
  options: SearchOptions,
): SearchRun {
  const fold = foldOf(problem, optimizer, options);
  const clock = new WorkerClock(options.workers);
  const improvements: Improvement[] = [];
  let isExhausted = false;
  do {
    while (!isExhausted && clock.hasFree && fold.last < options.trials) {
      const next = fold.next();
      isExhausted = next === "exhausted";
      if (typeof next === "string") break;
      const candidate: Candidate = JSON.parse(next.row.candidate);
      const { value, test, seconds } = problem.evaluate(candidate);
      clock.start(next.number, test === undefined ? { value } : { value, test }, seconds);
    }
    const ended = clock.finishFirst();
    if (ended === undefined && !isExhausted) throw new Error(`${optimizer.kind} waits for nothing`);
    if (ended !== undefined) fold.ended(ended.number, { state: "completed", metrics: ended.metrics }, 1);
    const best = fold.best?.trial === ended?.number ? fold.best?.metrics["value"] : undefined;
    if (best !== undefined) improvements.push({ best, trials: fold.told, seconds: clock.now });
  } while (clock.isBusy || (!isExhausted && fold.last < options.trials));
  return { seed: options.seed, ...chosen(problem, fold), improvements, trials: fold.told, ...clock.times() };
}

function foldOf(
  problem: SearchProblem,
  optimizer: OptimizerOptions,
  { seed, trials }: SearchOptions,
): SearchFold {
  return new SearchFold(specSchema.parse({
    name: "bench",
    space: problem.space,
    optimizer: { ...optimizer, seed },
    evaluator: { kind: "builtin", name: "noop" },
    objectives: [{ metric: "value", direction: problem.direction }],
    budget: { trials },
  }));
}

function chosen(problem: SearchProblem, fold: SearchFold): Pick<SearchRun, "best" | "regret" | "testRegret"> {
  const { value, test } = fold.best?.metrics ?? {};
  if (value === undefined) throw new Error("no trial has completed");
  const regret = problem.direction === "maximize" ? problem.optimum - value : value - problem.optimum;
  if (test === undefined || problem.testOptimum === undefined) return { best: value, regret };
  return { best: value, regret, testRegret: problem.testOptimum - test };
}

/** Workers on a virtual clock. */
class WorkerClock {
  readonly #workers: number;
  /** Who ends first, first; of those that end together, who began first. */
  readonly #running: RunningTrial[] = [];
  /** Seconds from the start. */
  now = 0;
  #busySeconds = 0;
  #lastStart = { at: 0, busySeconds: 0 };

  constructor(workers: number) {
    this.#workers = workers;
  }

  get hasFree(): boolean {
    return this.#running.length < this.#workers;
  }

  get isBusy(): boolean {
    return this.#running.length > 0;
  }

  start(number: number, metrics: RunningTrial["metrics"], seconds: number): void {
    const endsAt = this.now + seconds;
    const later = this.#running.findIndex((other) => other.endsAt > endsAt);
    this.#running.splice(later < 0 ? this.#running.length : later, 0, { number, metrics, endsAt });
    this.#lastStart = { at: this.now, busySeconds: this.#busySeconds };
  }

  /** Goes on to the moment when the next trial ends. */
  finishFirst(): RunningTrial | undefined {
    const first = this.#running[0];
    if (first === undefined) return undefined;
    this.#busySeconds += this.#running.length * (first.endsAt - this.now);
    this.now = first.endsAt;
    return this.#running.shift();
  }

  times(): Pick<SearchRun, "seconds" | "busy"> {
    const { at, busySeconds } = this.#lastStart;
    return { seconds: this.now, busy: at === 0 ? 1 : busySeconds / (this.#workers * at) };
  }
}
