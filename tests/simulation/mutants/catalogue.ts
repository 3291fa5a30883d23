/**
 * All mutants.
 *
 * @module
 */
import { DEVICE_MUTANTS } from "./devices.ts";
import { CHECKPOINT_MUTANTS } from "./checkpoints.ts";
import { DURABILITY_MUTANTS } from "./durability.ts";
import { LEASE_MUTANTS } from "./leases.ts";
import type { NamedMutant, SourceMutant } from "./named_mutant.ts";
import { PEER_MUTANTS } from "./peers.ts";
import { RESULT_MUTANTS } from "./results.ts";
import { WORLD_MUTANTS } from "./world.ts";

/** Changes to the source. */
export const SOURCE_MUTANTS: readonly SourceMutant[] = [
  ...LEASE_MUTANTS,
  ...RESULT_MUTANTS,
  ...DURABILITY_MUTANTS,
  ...PEER_MUTANTS,
  ...CHECKPOINT_MUTANTS,
  ...DEVICE_MUTANTS,
];

/** All of them. */
export const MUTANTS: readonly NamedMutant[] = [...SOURCE_MUTANTS, ...WORLD_MUTANTS];

/** @throws where there is none of this name */
export function mutantOf(name: string): NamedMutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  return mutant;
}
