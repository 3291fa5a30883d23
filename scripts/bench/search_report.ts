/**
 * What many searches come to: means, deviations, and how they fare beside random search.
 *
 * @module
 */
import type { SearchRun } from "./search_run.ts";

/** The mean of a figure over the seeds, and its sample deviation. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** The searches of one optimizer on one problem, a seed each. */
export interface MeasuredOptimizer {
  readonly optimizer: string;
  readonly runs: readonly SearchRun[];
  /** What a trial cost the optimizer and the fold, on this machine's clock. */
  readonly msPerTrial: number;
}

/** A line of the table. */
export interface SearchRow {
  readonly optimizer: string;
  readonly best: Spread;
  readonly regret: Spread;
  /** `null` where the problem has no tests. */
  readonly testRegret: Spread | null;
  /** The share of the seeds on which it is nearer to the optimum than random search is; a tie is half a win. */
  readonly won: number;
  readonly trials: Spread;
  readonly hours: Spread;
  readonly busy: Spread;
  readonly msPerTrial: number;
  readonly runs: readonly SearchRun[];
}

/**
 * A line for each optimizer.
 *
 * @param random the runs of random search, with the same seeds in the same order
 */
export function rowsOf(
  measured: readonly MeasuredOptimizer[],
  random: readonly SearchRun[],
): readonly SearchRow[] {
  return measured.map(({ optimizer, runs, msPerTrial }) => {
    const testRegrets = runs.map(({ testRegret }) => testRegret).filter((regret) => regret !== undefined);
    return {
      optimizer,
      best: spread(runs.map(({ best }) => best)),
      regret: spread(runs.map(({ regret }) => regret)),
      testRegret: testRegrets.length === 0 ? null : spread(testRegrets),
      won: shareWon(runs, random),
      trials: spread(runs.map(({ trials }) => trials)),
      hours: spread(runs.map(({ seconds }) => seconds / 3_600)),
      busy: spread(runs.map(({ busy }) => busy)),
      msPerTrial,
      runs,
    };
  });
}

function shareWon(runs: readonly SearchRun[], random: readonly SearchRun[]): number {
  const wins = runs.map(({ regret }, index) => {
    const other = random[index]?.regret ?? NaN;
    return regret < other ? 1 : regret === other ? 0.5 : 0;
  });
  return spread(wins).mean;
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: 0 };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

const HEADINGS = [
  "optimizer",
  "best",
  "regret",
  "test regret",
  "won",
  "trials",
  "hours",
  "busy",
  "ms a trial",
];

/** The table as lines of text. */
export function tableOf(rows: readonly SearchRow[]): readonly string[] {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    )
      .join("  ")
  );
}

function cellsOf(row: SearchRow): string[] {
  return [
    row.optimizer,
    shown(row.best),
    shown(row.regret),
    row.testRegret === null ? "-" : shown(row.testRegret),
    percent(row.won),
    row.trials.mean.toFixed(0),
    row.hours.mean.toFixed(1),
    percent(row.busy.mean),
    row.msPerTrial.toFixed(3),
  ];
}

function shown({ mean, deviation }: Spread): string {
  return `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
