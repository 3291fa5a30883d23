/**
 * Folds an experiment's history anew, and compares what it leads to with what was proposed.
 *
 * Not here: optimizers that this program does not have; their experiments are told as not checked.
 *
 * @module
 */
import type { TrialCounts } from "../../shared/model/experiment.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import { SearchFold } from "../experiments/search_fold.ts";
import type { HistoryTrial } from "../store/store.ts";
import type { Findings } from "./findings.ts";
import type { ToldOutcome } from "./history.ts";
import type { ExperimentRow } from "./store_rows.ts";

/** Where a history ends. */
export interface Replay {
  readonly counts: TrialCounts;
  /** Trials without an outcome. */
  readonly open: number;
  /** Undefined where the search could not be made again. */
  readonly next: "trial" | "wait" | "exhausted" | undefined;
  /** Turned so that larger is better. */
  readonly bestScore: number | undefined;
}

/** Goes through a history once, whether or not its search can be made again. */
export function replaySearch(
  experiment: ExperimentRow,
  spec: Spec | undefined,
  trials: Iterable<HistoryTrial>,
  told: Iterable<ToldOutcome>,
  findings: Findings,
): Replay {
  const counts = { completed: 0, failed: 0, cancelled: 0, pruned: 0 };
  const search = new Search(experiment, spec, findings);
  const outcomes = told[Symbol.iterator]();
  let submitted = 0, ended = 0;
  const tell = (): boolean => {
    const { value, done } = outcomes.next();
    if (done === true) return false;
    counts[value.state] += 1;
    ended += 1;
    search.told(value);
    return true;
  };
  for (const trial of trials) {
    submitted += 1;
    while (ended < trial.toldBefore && tell());
    const count = ended;
    findings.expect(
      "trials_ordered",
      count >= trial.toldBefore,
      () => [
        `trial ${trial.number} of ${experiment.id} was proposed after ${trial.toldBefore} outcomes, of which ${count} are there`,
        { experiment: experiment.id, trial },
      ],
    );
    search.proposed(trial);
  }
  while (tell());
  return { counts, open: submitted - ended, next: search.end(), bestScore: search.bestScore };
}

/** A search that is made again for as long as it goes the way of its history. */
class Search {
  readonly #experiment: ExperimentRow;
  readonly #findings: Findings;
  #fold: SearchFold | undefined;
  /** The row of the best trial's outcome, by the fold. */
  #best: number | null = null;

  constructor(experiment: ExperimentRow, spec: Spec | undefined, findings: Findings) {
    this.#experiment = experiment;
    this.#findings = findings;
    if (spec === undefined) {
      this.#giveUp("this program cannot read its spec: is its optimizer or its space a newer one?");
    } else this.#try(() => this.#fold = new SearchFold(spec));
  }

  get bestScore(): number | undefined {
    return this.#fold?.bestScore;
  }

  told(outcome: ToldOutcome): void {
    this.#try(() => {
      const before = this.#fold?.best;
      this.#fold?.ended(outcome.number, outcome, outcome.attempts);
      if (this.#fold?.best !== before) this.#best = outcome.outcome;
    });
  }

  proposed(trial: HistoryTrial): void {
    const fold = this.#fold;
    if (fold === undefined) return;
    this.#try(() => {
      const next = fold.next();
      const proposed = typeof next === "string" ? next : describe(next.number, next.row);
      const stored = describe(trial.number, trial);
      this.#findings.expect(
        "search_replays",
        proposed === stored,
        () => [`the history of ${this.#experiment.id} leads to ${proposed}, but ${stored} was proposed`, {
          experiment: this.#experiment.id,
          proposed,
          stored,
          toldBefore: trial.toldBefore,
        }],
      );
      // From here on it goes another way: all that follows would differ as well.
      if (proposed !== stored) this.#fold = undefined;
    });
  }

  /** What would come next. */
  end(): Replay["next"] {
    const fold = this.#fold;
    if (fold === undefined) return undefined;
    const { id, bestOutcome } = this.#experiment;
    const best = this.#best;
    this.#findings.expect(
      "search_replays",
      best === bestOutcome,
      () => [`the best outcome of ${id} is another than the one that is stored as the best`, {
        experiment: id,
        bestOutcome,
        byHistory: best,
      }],
    );
    let end: Replay["next"];
    this.#try(() => {
      const next = fold.next();
      end = typeof next === "string" ? next : "trial";
    });
    return end;
  }

  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fold = undefined;
      const message = error instanceof Error ? error.message : String(error);
      // One that is broken is so because its search fails: it does here too.
      if (this.#experiment.state === "broken") return this.#giveUp(`it is broken: ${message}`);
      this.#findings.expect("search_replays", false, () => [
        `the search of ${this.#experiment.id} fails: ${message}`,
        { experiment: this.#experiment.id },
      ]);
    }
  }

  #giveUp(why: string): void {
    this.#findings.notChecked.push({ what: `the search of ${this.#experiment.id}`, why });
  }
}

function describe(
  number: number,
  { candidate, hash, parents }: Omit<HistoryTrial, "number" | "toldBefore">,
): string {
  return `trial ${number} ${candidate} (${hash}, of ${JSON.stringify(parents)})`;
}
