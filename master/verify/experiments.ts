/**
 * What must hold of an experiment: its states, its history, its budget, its end.
 *
 * @module
 */
import { isOver } from "../../shared/model/experiment.ts";
import { EXPERIMENT_STATES } from "../../shared/model/experiment.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import { counted, reachesTarget, trialLimit } from "../experiments/budget.ts";
import type { HistoryTrial } from "../store/store.ts";
import type { Findings } from "./findings.ts";
import type { ToldOutcome } from "./history.ts";
import { type Replay, replaySearch } from "./search.ts";
import type { ExperimentRow, StateRow } from "./store_rows.ts";

/** What is stored of one experiment. */
export interface ExperimentFacts {
  readonly experiment: ExperimentRow;
  readonly states: readonly StateRow[];
  /** Undefined where this program cannot read it. */
  readonly spec: Spec | undefined;
  readonly trials: Iterable<HistoryTrial>;
  readonly told: Iterable<ToldOutcome>;
}

/** Checks one experiment. */
export function checkExperiment(facts: ExperimentFacts, findings: Findings): void {
  const { experiment, spec } = facts;
  checkStates(facts, findings);
  const trials = orderedTrials(experiment.id, facts.trials, findings);
  const told = orderedOutcomes(experiment.id, facts.told, findings);
  const replay = replaySearch(experiment, spec, trials, told, findings);
  if (spec !== undefined) checkBudget(experiment, spec, replay, findings);
}

function checkStates({ experiment, states }: ExperimentFacts, findings: Findings): void {
  const { id, state, reason, endedAtMs } = experiment;
  const last = states.at(-1);
  const known = EXPERIMENT_STATES.find((each) => each === state);
  findings.expect(
    "states_agree",
    known !== undefined && last?.state === state && last.reason === reason &&
      (endedAtMs !== null) === isOver(known),
    () => [`${id} is ${state}, and the last state that was stored is ${last?.state}`, {
      ...experiment,
      last,
      spec: "",
    }],
  );
}

/** Trials one after the other, each proposed after no fewer outcomes than the one before. */
function* orderedTrials(
  id: string,
  trials: Iterable<HistoryTrial>,
  findings: Findings,
): Generator<HistoryTrial> {
  let last = 0, toldBefore = 0;
  for (const trial of trials) {
    findings.expect(
      "trials_ordered",
      trial.number === last + 1 && trial.toldBefore >= toldBefore && trial.toldBefore <= last,
      () => [
        `trial ${trial.number} of ${id} was proposed after ${trial.toldBefore} outcomes, trial ${last} after ${toldBefore}`,
        { experiment: id, trial },
      ],
    );
    yield trial;
    last = trial.number;
    toldBefore = Math.max(toldBefore, trial.toldBefore);
  }
}

/** Outcomes in the order in which they became durable, each the outcome of the trial that it was told as. */
function* orderedOutcomes(
  id: string,
  told: Iterable<ToldOutcome>,
  findings: Findings,
): Generator<ToldOutcome> {
  let place = 0, outcome = 0;
  for (const each of told) {
    const expected = place;
    findings.expect(
      "told_once",
      each.place === expected && each.outcome > outcome && each.number === each.ofTask,
      () => [`${id} was told the outcome of trial ${each.number} out of order, or of another`, {
        experiment: id,
        told: each,
        expected: { place: expected },
      }],
    );
    yield each;
    place = each.place + 1;
    outcome = each.outcome;
  }
}

function checkBudget(experiment: ExperimentRow, spec: Spec, replay: Replay, findings: Findings): void {
  const { id, state, reason } = experiment;
  const limit = trialLimit(spec) ?? Infinity;
  const used = counted(replay.counts);
  const evidence = { experiment: id, state, reason, budget: limit, counts: replay.counts, open: replay.open };
  findings.expect(
    "budget_kept",
    used + replay.open <= limit,
    () => [`${id} has ${used} trials that count and ${replay.open} open, its budget is ${limit}`, evidence],
  );
  if (state !== "completed") return;
  findings.expect(
    "budget_kept",
    replay.open === 0 && (used >= limit || isReason(spec, replay)),
    () => [`${id} is completed after ${used} of ${limit} trials, and nothing else ended it`, evidence],
  );
}

/** Whether a search may end before its budget of trials is used. */
function isReason(spec: Spec, replay: Replay): boolean {
  // Its end by the clock cannot be made again: clocks jump.
  if (spec.budget.time !== undefined) return true;
  // What could not be replayed may have been exhausted.
  if (replay.next === undefined || replay.next === "exhausted") return true;
  return reachesTarget(spec, replay.bestScore);
}
