/**
 * One run of the simulator, looked at.
 *
 * @module
 */
import { shrunkWords, violationWords } from "../../tests/simulation/campaign_words.ts";
import { plainer, type PlainName } from "../../tests/simulation/plain.ts";
import { allBut, shrink } from "../../tests/simulation/shrink.ts";
import { type Report, simulate } from "../../tests/simulation/simulation.ts";

/** How long a failing seed is shrunk, in runs and in milliseconds. */
const SHRINK_RUNS_MAX = 400;
const SHRINK_MS_MAX = 60_000;

/** What is run. */
export interface OneRun {
  readonly seed: string;
  readonly isTraced: boolean;
  readonly stepsMax: number;
  /** Numbers of events that are left out. */
  readonly without: readonly number[] | undefined;
  /** Numbers of events beside which all are left out. */
  readonly only: readonly number[] | undefined;
  readonly plain: readonly PlainName[];
}

/** Runs it and shows what came of it. @returns the exit code */
export function runOne({ seed, isTraced, stepsMax, without, only, plain }: OneRun): number {
  const report = simulate(seed, {
    stepsMax,
    adjust: (plan) => plainer(plan, plain),
    without: only === undefined ? new Set(without) : allBut(seed, {}, only),
    ...isTraced ? { print: (line: string) => console.log(line) } : {},
  });
  const { hash, steps, virtualMs, faults, looked, reached, happened, violations } = report;
  console.log(
    `seed ${seed}: hash ${hash}, ${steps} events, ${(virtualMs / 1_000).toFixed(1)} s of virtual time`,
  );
  console.log(`events of the schedule: ${happened.length}`);
  console.log(`faults: ${counts(faults) || "none"}`);
  console.log(`scenarios: ${counts(reached) || "none"}`);
  console.log(`checks: ${counts(looked)}`);
  if (violations.length === 0) {
    console.log("every promise held");
    return 0;
  }
  showFailure(report, without === undefined && only === undefined && plain.length === 0);
  return 1;
}

/** Shows a failing seed, and what it can be shrunk to. */
export function showFailure(report: Report, isToShrink: boolean): void {
  for (const line of violationWords(report)) console.log(line);
  if (!isToShrink) return;
  const startedMs = performance.now();
  const isLate = () => performance.now() - startedMs > SHRINK_MS_MAX;
  const shrunk = shrink(report.seed, {}, { runsMax: SHRINK_RUNS_MAX, isLate });
  if (shrunk === undefined) return;
  for (const line of shrunkWords(report.seed, shrunk)) console.log(line);
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of).map(([name, count]) => `${name} ${count}`).join(", ");
}
