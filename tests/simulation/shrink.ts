/**
 * Shrinking: the shortest schedule of a seed that still breaks the same promise.
 *
 * Promise: what is answered was run and broke the same checker; it is 1-minimal unless the limit of runs was met (delta
 * debugging: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002).
 * Not here: how it is shown (campaign_words.ts).
 *
 * @module
 */
import { isPlain, PLAIN, plainer, type PlainName } from "./plain.ts";
import { drawPlan } from "./plan_draw.ts";
import { drawSchedule } from "./schedule.ts";
import { type Report, simulate, type SimulationOptions } from "./simulation.ts";

/** What is left of a failing seed. */
export interface Shrunk {
  readonly report: Report;
  /** Numbers of the events that are left. */
  readonly only: readonly number[];
  /** What could be made simpler besides. */
  readonly simpler: readonly PlainName[];
  readonly runs: number;
  /** Whether nothing more can be left out, as opposed to the limit having been met. */
  readonly isWhole: boolean;
}

/** How long it may take. */
export interface ShrinkLimits {
  readonly runsMax: number;
  /** Asked before each run. */
  readonly isLate: () => boolean;
}

/** Shrinks a seed; undefined where it breaks nothing. */
export function shrink(
  seed: string,
  options: Pick<SimulationOptions, "adjust" | "mutant">,
  limits: ShrinkLimits,
): Shrunk | undefined {
  return new Shrinking(seed, options, limits).shrink();
}

/** The numbers of a seed's schedule, but for some. */
export function allBut(
  seed: string,
  options: Pick<SimulationOptions, "adjust">,
  only: readonly number[],
): ReadonlySet<number> {
  const plan = drawPlan(seed);
  const kept = new Set(only);
  const schedule = drawSchedule(seed, options.adjust?.(plan) ?? plan);
  return new Set(schedule.map(({ number }) => number).filter((number) => !kept.has(number)));
}

class Shrinking {
  readonly #seed: string;
  readonly #options: Pick<SimulationOptions, "adjust" | "mutant">;
  readonly #limits: ShrinkLimits;
  #simpler: PlainName[] = [];
  #best: Report | undefined;
  #checker = "";
  #runs = 0;

  constructor(seed: string, options: Pick<SimulationOptions, "adjust" | "mutant">, limits: ShrinkLimits) {
    this.#seed = seed;
    this.#options = options;
    this.#limits = limits;
  }

  shrink(): Shrunk | undefined {
    const first = this.#run(undefined, []);
    const broken = first.violations[0];
    if (broken === undefined) return undefined;
    this.#best = first;
    this.#checker = broken.checker;
    let only = first.happened.map(({ number }) => number);
    // What struck after the end, or struck nothing, is mostly not needed.
    if (!this.#stillBreaks(only, [])) only = this.#all();
    only = this.#withoutChunks(only);
    this.#makePlainer(only);
    only = this.#withoutChunks(only);
    return {
      report: this.#best,
      only,
      simpler: this.#simpler,
      runs: this.#runs,
      isWhole: !this.#isOverLimit,
    };
  }

  #all(): number[] {
    const plan = drawPlan(this.#seed);
    return drawSchedule(this.#seed, this.#options.adjust?.(plan) ?? plan).map(({ number }) => number);
  }

  /** Leaves out halves, quarters, and in the end single ones. */
  #withoutChunks(from: readonly number[]): number[] {
    let left = [...from];
    if (left.length > 0 && this.#stillBreaks([], this.#simpler)) return [];
    let chunks = 2;
    while (left.length > 1 && !this.#isOverLimit) {
      const size = Math.ceil(left.length / chunks);
      const smaller = this.#firstThatBreaks(left, size);
      if (smaller !== undefined) {
        left = smaller;
        chunks = Math.max(2, chunks - 1);
      } else if (size === 1) break;
      else chunks = Math.min(left.length, chunks * 2);
    }
    return left;
  }

  #firstThatBreaks(left: readonly number[], size: number): number[] | undefined {
    for (let from = 0; from < left.length; from += size) {
      const rest = [...left.slice(0, from), ...left.slice(from + size)];
      if (this.#stillBreaks(rest, this.#simpler)) return rest;
    }
    return undefined;
  }

  #makePlainer(only: readonly number[]): void {
    for (const name of Object.keys(PLAIN)) {
      if (!isPlain(name)) continue;
      if (this.#stillBreaks(only, [...this.#simpler, name])) this.#simpler = [...this.#simpler, name];
    }
  }

  get #isOverLimit(): boolean {
    return this.#runs >= this.#limits.runsMax || this.#limits.isLate();
  }

  #stillBreaks(only: readonly number[], simpler: readonly PlainName[]): boolean {
    if (this.#isOverLimit) return false;
    const report = this.#run(only, simpler);
    if (report.violations[0]?.checker !== this.#checker) return false;
    this.#best = report;
    return true;
  }

  #run(only: readonly number[] | undefined, simpler: readonly PlainName[]): Report {
    this.#runs += 1;
    return simulate(this.#seed, {
      ...this.#options,
      adjust: (plan) => plainer(this.#options.adjust?.(plan) ?? plan, simpler),
      ...only === undefined ? {} : { without: allBut(this.#seed, this.#options, only) },
    });
  }
}
