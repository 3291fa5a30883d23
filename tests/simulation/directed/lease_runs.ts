/**
 * All directed runs about leases and workers' sessions.
 *
 * @module
 */
import type { DirectedRun } from "./directed_run.ts";
import { CHECKPOINT_RUNS } from "./lease_checkpoints.ts";
import { END_RUNS } from "./lease_ends.ts";
import { LIFE_RUNS } from "./lease_lives.ts";
import { RETURN_RUNS } from "./lease_returns.ts";

/** Each brings one scenario about. */
export const LEASE_RUNS: readonly DirectedRun[] = [
  ...RETURN_RUNS,
  ...LIFE_RUNS,
  ...END_RUNS,
  ...CHECKPOINT_RUNS,
];
