/**
 * Progress of an experiment: a bar on a terminal, plain lines elsewhere.
 *
 * @module
 */
import { type ExperimentSummary, isOver } from "../../shared/model/experiment.ts";
import { formatDuration } from "../../shared/protocol/duration.ts";
import { describeBest, describeTrials, trialsCounted } from "./summary.ts";
import type { Terminal } from "./terminal.ts";

/** Cells of the bar, and those of one for a narrow terminal. */
const BAR_CELLS = 24;
const BAR_CELLS_NARROW = 8;
/** A bar of full length leaves no room for the rest on a terminal of fewer columns. */
const WIDE_COLUMNS = 110;
/** Where no bar is drawn, a line is printed each time so much of the budget is done. */
const LINE_EVERY_SHARE = 0.1;
/** A rate over less time than this says little. */
const RATE_AFTER_MS = 3_000;

/** How fast it goes: counted from when we began to look, since an experiment may have been paused before. */
export interface Pace {
  readonly sinceMs: number;
  /** Trials that were done then. */
  readonly doneBefore: number;
}

/** Trials a minute; undefined where it is too early to say. */
export function trialsPerMinute(summary: ExperimentSummary, pace: Pace, nowMs: number): number | undefined {
  const done = trialsCounted(summary) - pace.doneBefore;
  const elapsedMs = nowMs - pace.sinceMs;
  return done === 0 || elapsedMs < RATE_AFTER_MS ? undefined : done / elapsedMs * 60_000;
}

/**
 * The bar as one line.
 *
 * @example
 * ```text
 * digits-1 [##########..............] 17/40  best accuracy 0.9528 (trial 9)  23.1 trials/min  1m left
 * ```
 */
export function drawProgress(
  summary: ExperimentSummary,
  pace: Pace,
  nowMs: number,
  columns = WIDE_COLUMNS,
): string {
  const done = trialsCounted(summary);
  const total = summary.budgetTrials;
  const rate = trialsPerMinute(summary, pace, nowMs);
  const parts = [
    total === null ? `${done} trials` : `[${bar(done / total, columns)}] ${done}/${total}`,
    bestPart(summary, columns),
  ];
  if (rate !== undefined) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} trials/min`);
  if (rate !== undefined && total !== null && total > done) {
    parts.push(`${formatDuration(Math.ceil((total - done) / rate * 60) * 1_000)} left`);
  }
  if (summary.state !== "running") parts.push(summary.state);
  return `${summary.experiment} ${parts.join("  ")}`;
}

function bestPart(summary: ExperimentSummary, columns: number): string {
  if (summary.best === null) return "no result yet";
  const which = columns < WIDE_COLUMNS ? "" : ` (trial ${summary.best.trial})`;
  return `best ${describeBest(summary)}${which}`;
}

function bar(share: number, columns: number): string {
  const cells = columns < WIDE_COLUMNS ? BAR_CELLS_NARROW : BAR_CELLS;
  const full = Math.max(0, Math.min(cells, Math.floor(share * cells)));
  return "#".repeat(full) + ".".repeat(cells - full);
}

/** Shows progress as it comes. */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  #pace: Pace | undefined;
  #linesPrinted = 0;
  #bestTrial: number | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param nowMs milliseconds since 1970 */
  update(summary: ExperimentSummary, nowMs: number): void {
    this.#pace ??= { sinceMs: nowMs, doneBefore: trialsCounted(summary) };
    if (this.#terminal.isInteractive) {
      if (isOver(summary.state)) return;
      this.#terminal.draw(drawProgress(summary, this.#pace, nowMs, this.#terminal.columns));
    } else this.#printIfNew(summary, this.#pace, nowMs);
  }

  /** A line for each new best and for each part of the budget: enough for a log file, not too much for it. */
  #printIfNew(summary: ExperimentSummary, pace: Pace, nowMs: number): void {
    const { budgetTrials, best } = summary;
    const share = budgetTrials === null ? 0 : trialsCounted(summary) / budgetTrials;
    const lines = Math.floor(share / LINE_EVERY_SHARE);
    const isNewBest = best !== null && best.trial !== this.#bestTrial;
    if (!isNewBest && lines <= this.#linesPrinted) return;
    this.#bestTrial = best?.trial;
    this.#linesPrinted = lines;
    const rate = trialsPerMinute(summary, pace, nowMs);
    const parts = [`${summary.experiment}: ${describeTrials(summary)}`];
    if (best !== null) parts.push(`best ${describeBest(summary)} (trial ${best.trial})`);
    if (rate !== undefined) parts.push(`${rate.toFixed(1)} trials/min`);
    this.#terminal.note(parts.join(", "));
  }
}
