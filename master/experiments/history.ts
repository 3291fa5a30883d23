/**
 * Reading an experiment's history, page by page, into its fold.
 *
 * Promise: trials and outcomes are folded in the order in which they were lived: before each trial, as many outcomes as
 * its row says.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import type { QueryAnswer, StoreMessage } from "../store/messages.ts";
import type { HistoryOutcome, HistoryTrial } from "../store/store.ts";
import type { ExperimentMessage } from "./messages.ts";
import type { SearchFold } from "./search_fold.ts";

/** Rows of one page. */
const PAGE_ROWS = 1_000;
/** How long to wait before a question that failed is asked again. */
export const ASK_AGAIN_MS = 500;

/** Folds the stored history; `done` when all of it is in. */
export class HistoryReader {
  readonly #context: Context<ExperimentMessage>;
  readonly #store: Ref<StoreMessage>;
  readonly #experiment: GroupId;
  readonly #fold: SearchFold;
  #trials: HistoryTrial[] = [];
  #outcomes: HistoryOutcome[] = [];
  #lastTrial = 0;
  #outcomesRead = 0;
  #moreTrials = true;
  #moreOutcomes = true;
  done = false;

  constructor(
    context: Context<ExperimentMessage>,
    store: Ref<StoreMessage>,
    experiment: GroupId,
    fold: SearchFold,
  ) {
    this.#context = context;
    this.#store = store;
    this.#experiment = experiment;
    this.#fold = fold;
  }

  /** Asks for what is needed next. */
  ask(): void {
    const base = { type: "query", from: this.#context.self, token: 0 } as const;
    if (this.#trials.length === 0 && this.#moreTrials) {
      const ask = { experiment: this.#experiment, after: this.#lastTrial, limit: PAGE_ROWS };
      return this.#context.send(this.#store, { ...base, kind: "history_trials", ask });
    }
    if (this.#outcomes.length === 0 && this.#moreOutcomes) {
      const ask = { experiment: this.#experiment, after: this.#outcomesRead, limit: PAGE_ROWS };
      return this.#context.send(this.#store, { ...base, kind: "history_outcomes", ask });
    }
    const left = this.#trials[0];
    if (left !== undefined) {
      throw new Error(
        `trial ${left.number} was proposed after ${left.toldBefore} outcomes, the store has fewer`,
      );
    }
    this.done = true;
  }

  /** Takes a page in. @returns false where the store could not answer: ask again later */
  answered(answer: QueryAnswer): boolean {
    if (!answer.result.ok) return false;
    if (answer.kind === "history_trials" && answer.result.ok) {
      this.#trials = [...answer.result.value];
      this.#moreTrials = this.#trials.length === PAGE_ROWS;
      this.#lastTrial = this.#trials.at(-1)?.number ?? this.#lastTrial;
    }
    if (answer.kind === "history_outcomes" && answer.result.ok) {
      this.#outcomes = [...answer.result.value];
      this.#moreOutcomes = this.#outcomes.length === PAGE_ROWS;
      this.#outcomesRead += this.#outcomes.length;
    }
    this.#advance();
    this.ask();
    return true;
  }

  #advance(): void {
    let outcome = 0;
    let trial = 0;
    for (;;) {
      const nextTrial = this.#trials[trial];
      const nextOutcome = this.#outcomes[outcome];
      if (nextTrial !== undefined && nextTrial.toldBefore <= this.#fold.told) {
        this.#fold.replayAsked(nextTrial.number, nextTrial);
        trial += 1;
      } else if (nextOutcome !== undefined && (nextTrial !== undefined || !this.#moreTrials)) {
        this.#fold.ended(nextOutcome.number, nextOutcome, nextOutcome.attempts);
        outcome += 1;
      } else break;
    }
    this.#trials = this.#trials.slice(trial);
    this.#outcomes = this.#outcomes.slice(outcome);
  }
}
