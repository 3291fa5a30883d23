/**
 * Every directed run about leases brings its scenario about, and its users see what is promised.
 *
 * @module
 */
import { SCENARIOS } from "../scenarios.ts";
import { LEASE_RUNS } from "./lease_runs.ts";

for (const { scenario, run } of LEASE_RUNS) {
  Deno.test(`a user sees what is promised where ${SCENARIOS[scenario]}`, () => void run());
}
