/**
 * Findings: what was looked at, what does not hold, and with what evidence.
 *
 * Promise: bounded, however much is wrong: the first violations of each check, and how many there are.
 *
 * @module
 */
import { CHECK_NAMES, type CheckName, CHECKS } from "./checks.ts";

/** So many violations of one check are told; the rest is counted. */
export const VIOLATIONS_TOLD_MAX = 20;

/** Rows and ids that a violation shows. */
export type Evidence = Readonly<Record<string, unknown>>;

/** A promise that does not hold. */
export interface Violation {
  readonly message: string;
  readonly evidence: Evidence;
}

/** What one check found. */
export interface CheckReport {
  readonly name: CheckName;
  /** What holds where it found nothing. */
  readonly promise: string;
  /** How many things it looked at. */
  readonly looked: number;
  readonly violations: number;
  /** The first of them. */
  readonly first: readonly Violation[];
}

/** What could not be checked, and why. */
export interface NotChecked {
  readonly what: string;
  readonly why: string;
}

interface Tally {
  looked: number;
  violations: number;
  readonly first: Violation[];
}

/** Gathers what the checks find. */
export class Findings {
  readonly notChecked: NotChecked[] = [];
  readonly #tallies = new Map<CheckName, Tally>(
    CHECK_NAMES.map((name) => [name, { looked: 0, violations: 0, first: [] }]),
  );

  /** Notes a violation where a claim does not hold. @param told only made where it is needed */
  expect(check: CheckName, holds: boolean, told: () => readonly [message: string, evidence: Evidence]): void {
    const tally = this.#tallies.get(check);
    if (tally === undefined) return;
    tally.looked += 1;
    if (holds) return;
    tally.violations += 1;
    if (tally.first.length >= VIOLATIONS_TOLD_MAX) return;
    const [message, evidence] = told();
    tally.first.push({ message, evidence });
  }

  /** One report a check. */
  reports(): readonly CheckReport[] {
    return [...this.#tallies].map(([name, { looked, violations, first }]) => {
      return { name, promise: CHECKS[name], looked, violations, first };
    });
  }
}
