/**
 * An experiment in a form to print.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import { formatDuration } from "../../shared/protocol/duration.ts";
import type { Answer } from "./output.ts";
import { formatMetrics, table } from "./table.ts";

/** What `run` and `show` print as JSON: its keys are a promise to scripts. */
export function summaryJson(summary: ExperimentSummary): Readonly<Record<string, unknown>> {
  const { experiment, state, trials, attempts, best, seconds } = summary;
  const { completed, failed, cancelled, pruned } = trials;
  return {
    experiment,
    state,
    trials: { completed, failed, cancelled, pruned },
    attempts,
    best: best === null ? null : { trial: best.trial, metrics: best.metrics, candidate: best.candidate },
    seconds,
  };
}

/** An experiment as an answer. */
export function summaryAnswer(summary: ExperimentSummary): Answer {
  return {
    json: summaryJson(summary),
    table: () => describeSummary(summary),
    quiet: () => summary.experiment,
  };
}

/** An experiment in a few lines. */
export function describeSummary(summary: ExperimentSummary): string {
  const { experiment, state, reason, attempts, best, seconds } = summary;
  const lines = [
    `experiment  ${experiment}`,
    `state       ${state}${reason === "" ? "" : `: ${reason}`}`,
    `trials      ${describeTrials(summary)}`,
    `attempts    ${attempts}`,
    `time        ${formatDuration(seconds * 1_000)}`,
    `best        ${best === null ? "none yet" : `trial ${best.trial}: ${formatMetrics(best.metrics)}`}`,
  ];
  return lines.join("\n");
}

/** Such as `38 completed, 2 failed of 40`. */
export function describeTrials({ trials, open, budgetTrials }: ExperimentSummary): string {
  const parts = Object.entries(trials).filter(([name, count]) => name === "completed" || count > 0)
    .map(([name, count]) => `${count} ${name}`);
  if (open > 0) parts.push(`${open} open`);
  return `${parts.join(", ")}${budgetTrials === null ? "" : ` of ${budgetTrials}`}`;
}

/** How many trials count towards the budget. */
export function trialsCounted({ trials }: ExperimentSummary): number {
  return trials.completed + trials.failed + trials.pruned;
}

/** Experiments as a table. */
export function experimentsTable(experiments: readonly ExperimentSummary[]): string {
  if (experiments.length === 0) return "no experiments yet; start one with: espalier run SPEC";
  return table(
    ["EXPERIMENT", "STATE", "TRIALS", "BEST", "TIME", "STARTED"],
    experiments.map((summary) => [
      summary.experiment,
      summary.state,
      `${trialsCounted(summary)}${summary.budgetTrials === null ? "" : `/${summary.budgetTrials}`}`,
      describeBest(summary),
      formatDuration(summary.seconds * 1_000),
      new Date(summary.createdAtMs).toISOString().slice(0, 16).replace("T", " "),
    ]),
  );
}

/** The best value by the first objective, such as `accuracy 0.98`. */
export function describeBest({ best, objectives }: ExperimentSummary): string {
  const [objective] = objectives;
  const value = objective === undefined ? undefined : best?.metrics[objective.metric];
  return objective === undefined || value === undefined ? "-" : formatMetrics({ [objective.metric]: value });
}
