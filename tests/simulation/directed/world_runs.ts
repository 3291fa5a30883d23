/**
 * Directed runs of the world around the cluster: its network, its clocks, its store.
 *
 * @module
 */
import type { DirectedRun } from "./directed_run.ts";
import { CLOCK_RUNS } from "./world_clocks.ts";
import { NETWORK_RUNS } from "./world_network.ts";
import { STORE_RUNS } from "./world_store.ts";

/** All of them. */
export const WORLD_RUNS: readonly DirectedRun[] = [...NETWORK_RUNS, ...CLOCK_RUNS, ...STORE_RUNS];
