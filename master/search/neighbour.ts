/**
 * Neighbours: candidates a step away from another, for searches that walk.
 *
 * Promise: at least one value is another one, where the space leaves a choice, and every candidate can be reached.
 * Not here: whether a neighbour was tried before (experiments/).
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { Candidate } from "../../shared/space/candidate.ts";
import type { SearchSpace } from "../../shared/space/space.ts";

/**
 * Probability of each further step. A search that has one place only would otherwise be stuck where every candidate one
 * step away was tried; with far more of them it would hardly look at those.
 */
const FURTHER_STEP = 0.1;

/**
 * A candidate near another.
 *
 * @param rate the probability of each value to change, beside the one that changes in any case
 */
export function neighbourOf(
  space: SearchSpace,
  candidate: Candidate,
  random: Random,
  rate: number,
): Candidate {
  let neighbour = space.mutate(candidate, random, { rate, atLeastOne: true });
  while (random.next() < FURTHER_STEP) {
    neighbour = space.mutate(neighbour, random, { rate, atLeastOne: true });
  }
  return neighbour;
}
