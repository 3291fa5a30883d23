/**
 * Pace: how many trials of an experiment end per minute, and how long the rest will take.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";

/** The pace is that of the last minute: what was long ago says little about what is to come. */
const WINDOW_MS = 60_000;
/** Less than this says nothing about a minute. */
const WINDOW_MIN_MS = 5_000;
/** Points that are kept; values come at most ten times a second. */
const POINTS_MAX = 600;

interface Point {
  readonly atMs: number;
  readonly ended: number;
}

/** Watches one experiment. */
export class Pace {
  #points: Point[] = [];

  /** Takes in the newest summary. */
  notice(summary: ExperimentSummary, atMs: number): void {
    const ended = endedTrials(summary);
    if (this.#points.at(-1)?.ended !== ended) this.#points.push({ atMs, ended });
    const since = atMs - WINDOW_MS;
    while (this.#points.length > POINTS_MAX || (this.#points[1]?.atMs ?? Infinity) < since) {
      this.#points.shift();
    }
  }

  /** Trials per minute; that of its whole life where the page has not watched for long. */
  perMinute(summary: ExperimentSummary, nowMs: number): number {
    const first = this.#points[0];
    const spanMs = first === undefined ? 0 : nowMs - Math.max(first.atMs, nowMs - WINDOW_MS);
    if (first !== undefined && this.#points.length > 1 && spanMs >= WINDOW_MIN_MS) {
      return (endedTrials(summary) - first.ended) / spanMs * 60_000;
    }
    return summary.seconds > 0 ? endedTrials(summary) / summary.seconds * 60 : 0;
  }
}

/** Trials that have an outcome. */
export function endedTrials({ trials }: ExperimentSummary): number {
  return trials.completed + trials.pruned + trials.failed + trials.cancelled;
}

/** Trials that count against the budget: every outcome but cancelled. */
export function spentTrials({ trials }: ExperimentSummary): number {
  return trials.completed + trials.pruned + trials.failed;
}

/** How long the rest of the budget takes at this pace; undefined where nobody can say. */
export function leftMs(summary: ExperimentSummary, perMinute: number): number | undefined {
  if (summary.state !== "running" || summary.budgetTrials === null || perMinute <= 0) return undefined;
  return Math.max(0, summary.budgetTrials - spentTrials(summary)) / perMinute * 60_000;
}
