/**
 * A campaign's tally: what its runs met, in how many of them.
 *
 * Promise: tallies of parts add up to the tally of the whole, also as JSON.
 * Not here: which runs there are (campaign.ts).
 *
 * @module
 */
import { FAULTS } from "./faults.ts";
import { CHECKERS } from "./findings.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Report } from "./simulation.ts";

/** In how many runs something came about, and how often in all. */
export interface Count {
  runs: number;
  times: number;
}

/** What is counted, by kind and name. */
export type Counts = Record<string, Count>;

/** What some runs met. */
export interface Tally {
  seeds: number;
  virtualMs: number;
  /** Time of the runs on the machine's clock. */
  realMs: number;
  events: number;
  readonly faults: Counts;
  readonly scenarios: Counts;
  readonly checkers: Counts;
  readonly broken: string[];
}

/** Nothing was run. */
export function emptyTally(): Tally {
  return {
    seeds: 0,
    virtualMs: 0,
    realMs: 0,
    events: 0,
    faults: zeros(FAULTS),
    scenarios: zeros(SCENARIOS),
    checkers: zeros(CHECKERS),
    broken: [],
  };
}

/** Counts a run. */
export function addReport(tally: Tally, report: Report, realMs: number): void {
  tally.seeds += 1;
  tally.virtualMs += report.virtualMs;
  tally.realMs += realMs;
  tally.events += report.steps;
  addTimes(tally.faults, report.faults);
  addTimes(tally.scenarios, report.reached);
  addTimes(tally.checkers, report.looked);
  if (report.violations.length > 0) tally.broken.push(report.seed);
}

/** Adds what another part of the campaign met. */
export function addTally(tally: Tally, other: Tally): void {
  tally.seeds += other.seeds;
  tally.virtualMs += other.virtualMs;
  tally.realMs += other.realMs;
  tally.events += other.events;
  for (const kind of ["faults", "scenarios", "checkers"] as const) {
    for (const [name, { runs, times }] of Object.entries(other[kind])) {
      const count = tally[kind][name] ??= { runs: 0, times: 0 };
      count.runs += runs;
      count.times += times;
    }
  }
  tally.broken.push(...other.broken);
}

function zeros(names: Readonly<Record<string, string>>): Counts {
  return Object.fromEntries(Object.keys(names).map((name) => [name, { runs: 0, times: 0 }]));
}

function addTimes(counts: Counts, met: Readonly<Partial<Record<string, number>>>): void {
  for (const [name, times = 0] of Object.entries(met)) {
    const count = counts[name] ??= { runs: 0, times: 0 };
    count.runs += 1;
    count.times += times;
  }
}
