/**
 * The tree-structured Parzen estimator: the best trials so far and all others are each made into a density over the
 * space, and of some candidates drawn from the density of the good ones, that is proposed which is likeliest there
 * against the density of the others.
 *
 * Source: Bergstra, Bardenet, Bengio and Kegl (2011), "Algorithms for hyper-parameter optimization", NIPS 24; both
 * densities over all values at once, as in Falkner, Klein and Hutter (2018), "BOHB", ICML, with the bandwidths of
 * Watanabe (2023), arXiv 2304.11127 (parzen/mixture.ts).
 *
 * Promise: a trial that is outstanding counts as one of the others, so that candidates asked for at the same time
 * differ; so does one that failed, was cancelled or has no number for a score. What it keeps is bounded: the
 * `GOOD_MAX` best trials, the newest of the others, and the outstanding ones; older ones are forgotten.
 * With several objectives it looks at the first one only.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { TpeOptions } from "../../../shared/model/optimizer_options.ts";
import type { Candidate } from "../../../shared/space/candidate.ts";
import { canonicalText } from "../../../shared/space/canonical.ts";
import type { SearchSpace } from "../../../shared/space/space.ts";
import { type Code, SpaceCoding } from "../parzen/coding.ts";
import { ParzenMixture } from "../parzen/mixture.ts";
import type { AskedTrial, FinishedTrial, Optimizer, Proposal } from "../optimizer.ts";
import { scoredTrial } from "../scored_trial.ts";

/** The most trials that count as good, as in the authors' own implementation: more would blur the best region. */
const GOOD_MAX = 25;
/** The most others that are kept. */
const OTHERS_MAX = 1_000;
/** The most values in the density of the others, newest first: a proposal's time grows with them. */
const VALUES_MAX = 12_000;

/** A trial as the densities need it. */
interface Observation {
  readonly number: number;
  readonly code: Code;
  /** Equal for equal candidates. */
  readonly text: string;
}

interface Scored extends Observation {
  readonly score: number;
}

/** Models where the good candidates are. */
export class TpeOptimizer implements Optimizer {
  readonly #options: TpeOptions;
  readonly #space: SearchSpace;
  readonly #coding: SpaceCoding;
  /** The best, best first: the good ones, and those that become good when there are more trials. */
  #best: readonly Scored[] = [];
  /** Finished and not among the best, in the order in which they came here. */
  readonly #others: Observation[] = [];
  readonly #outstanding = new Map<number, Observation>();
  /** How many trials had a score. */
  #scored = 0;

  constructor(options: TpeOptions, space: SearchSpace) {
    this.#options = options;
    this.#space = space;
    this.#coding = new SpaceCoding(space.root);
  }

  propose(random: Random): Proposal {
    if (this.#scored < this.#options.startup) return { candidate: this.#space.sample(random) };
    const { good, others } = this.#sets();
    const known = new Set([...good, ...others].map(({ text }) => text));
    return { candidate: this.#likeliest(good, others, known, random) ?? this.#space.sample(random) };
  }

  asked(trial: AskedTrial): void {
    this.#outstanding.set(trial.number, this.#observed(trial));
  }

  told(trial: FinishedTrial): void {
    const observation = this.#outstanding.get(trial.number) ?? this.#observed(trial);
    this.#outstanding.delete(trial.number);
    const score = scoredTrial(trial)?.score;
    if (score === undefined) {
      this.#addOther(observation);
      return;
    }
    this.#scored += 1;
    const ranked = [...this.#best, { ...observation, score }].sort(inOrder);
    this.#best = ranked.slice(0, GOOD_MAX);
    ranked.slice(GOOD_MAX).forEach((loser) => this.#addOther(loser));
  }

  #observed({ number, candidate }: AskedTrial): Observation {
    return { number, code: this.#coding.encode(candidate), text: canonicalText(candidate) };
  }

  #addOther(observation: Observation): void {
    this.#others.push(observation);
    if (this.#others.length > OTHERS_MAX) this.#others.shift();
  }

  #sets(): { readonly good: readonly Observation[]; readonly others: readonly Observation[] } {
    const count = Math.min(GOOD_MAX, Math.ceil(this.#options.gamma * this.#scored));
    const all = [...this.#others, ...this.#best.slice(count), ...this.#outstanding.values()];
    return { good: this.#best.slice(0, count), others: newestWithin(all, VALUES_MAX) };
  }

  /** The best of the drawn candidates that were not asked before; undefined where all were. */
  #likeliest(
    good: readonly Observation[],
    others: readonly Observation[],
    known: ReadonlySet<string>,
    random: Random,
  ): Candidate | undefined {
    const kinds = this.#coding.sites.kinds;
    const goodDensity = new ParzenMixture(good.map(({ code }) => code), kinds);
    const otherDensity = new ParzenMixture(others.map(({ code }) => code), kinds);
    let best: { readonly candidate: Candidate; readonly ratio: number } | undefined;
    for (let i = 0; i < this.#options.candidates; i++) {
      const candidate = this.#coding.draw(goodDensity.chooser(random));
      if (known.has(canonicalText(candidate))) continue;
      const code = this.#coding.encode(candidate);
      const ratio = goodDensity.logDensity(code) - otherDensity.logDensity(code);
      if (best === undefined || ratio > best.ratio) best = { candidate, ratio };
    }
    return best?.candidate;
  }
}

/** The last of some observations that have no more values than a limit, at least one of them. */
function newestWithin(observations: readonly Observation[], valuesMax: number): readonly Observation[] {
  let values = 0;
  let first = observations.length;
  while (first > 0) {
    values += observations[first - 1]?.code.values.length ?? 0;
    if (values > valuesMax && first < observations.length) break;
    first -= 1;
  }
  return observations.slice(first);
}

/** Best first; of equals the earlier trial first, so that the order in which results came in does not matter. */
function inOrder(a: Scored, b: Scored): number {
  // Two equal infinities have no difference, so they are compared before they are subtracted.
  return a.score === b.score ? a.number - b.number : b.score - a.score;
}
