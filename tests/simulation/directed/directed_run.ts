/**
 * A directed run: one interleaving, brought about on purpose in a cluster that is otherwise well.
 *
 * Promise: `run` throws where its scenario did not come about, or where a user would have seen something else than is
 * promised.
 * Not here: the runs themselves, listed by those who own their subject.
 *
 * @module
 */
import type { ScenarioName } from "../scenarios.ts";
import type { Report } from "../simulation.ts";

/** A run that a campaign counts for its scenario. */
export interface DirectedRun {
  readonly scenario: ScenarioName;
  /** Runs it, asserts what a user would observe, and gives the report. */
  readonly run: () => Report;
}
