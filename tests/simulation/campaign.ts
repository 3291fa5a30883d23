/**
 * Campaigns: many seeds and all directed runs, and whether they met everything that they should.
 *
 * Promise: what was never met fails a campaign as a broken promise does: a checker that never saw its case proves nothing.
 * Not here: how a campaign is spread over processes and shown (scripts/simulate.ts).
 *
 * @module
 */
import { DIRECTED_RUNS } from "./directed/runs.ts";
import { FAULTS } from "./faults.ts";
import { CHECKERS } from "./findings.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type Report, simulate } from "./simulation.ts";
import { addReport, type Counts, emptyTally, type Tally } from "./tally.ts";

/** What the seeds must meet by chance, as a part of them, where no directed run brings it about. */
export const MET_PART_MIN = 0.01;
/** Fewer seeds than these say nothing about what is rare. */
export const SEEDS_TO_JUDGE = 400;

/** What came of a campaign. */
export interface Campaign {
  readonly seeds: Tally;
  readonly directed: Tally;
  /** What a directed run said that did not hold. */
  readonly failures: readonly string[];
}

/** Runs seeds one after the other. @param broke is told of each that broke a promise */
export function runSeeds(
  seeds: readonly string[],
  now: () => number,
  broke: (report: Report) => void = () => {},
): Tally {
  const tally = emptyTally();
  for (const seed of seeds) {
    const startedMs = now();
    const report = simulate(seed);
    addReport(tally, report, now() - startedMs);
    if (report.violations.length > 0) broke(report);
  }
  return tally;
}

/** Runs all directed runs. */
export function runDirected(now: () => number): Pick<Campaign, "directed" | "failures"> {
  const directed = emptyTally();
  const failures: string[] = [];
  for (const { scenario, run } of DIRECTED_RUNS) {
    const startedMs = now();
    try {
      const report = run();
      addReport(directed, report, now() - startedMs);
      if (report.violations.length > 0) failures.push(`${scenario}: ${JSON.stringify(report.violations[0])}`);
      if ((report.reached[scenario] ?? 0) === 0) {
        failures.push(`${scenario} did not come about in its directed run`);
      }
    } catch (error) {
      failures.push(`${scenario}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { directed, failures };
}

/**
 * What a campaign should have met and did not; nothing where it had too few seeds to say.
 *
 * @param partMin the part of the seeds that must meet what no directed run brings about
 */
export function neverMet({ seeds, directed }: Campaign, partMin = MET_PART_MIN): readonly string[] {
  const missing: string[] = [];
  const isJudged = seeds.seeds >= SEEDS_TO_JUDGE;
  const look = (what: string, names: Readonly<Record<string, string>>, bySeed: Counts, byHand: Counts) => {
    for (const name of Object.keys(names)) {
      const part = (bySeed[name]?.runs ?? 0) / Math.max(1, seeds.seeds);
      const isMet = part >= partMin || (byHand[name]?.runs ?? 0) > 0;
      if (!isMet && isJudged) {
        missing.push(`${what} ${name} came about in ${(part * 100).toFixed(2)} % of the seeds`);
      }
    }
  };
  look("fault", FAULTS, seeds.faults, directed.faults);
  look("scenario", SCENARIOS, seeds.scenarios, directed.scenarios);
  look("checker", CHECKERS, seeds.checkers, directed.checkers);
  return missing;
}
