/**
 * All directed runs.
 *
 * @module
 */
import type { DirectedRun } from "./directed_run.ts";
import { LEASE_RUNS } from "./lease_runs.ts";
import { WORLD_RUNS } from "./world_runs.ts";

/** Each brings one scenario about. */
export const DIRECTED_RUNS: readonly DirectedRun[] = [...LEASE_RUNS, ...WORLD_RUNS];
