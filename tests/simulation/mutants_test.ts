/**
 * Checkers that never find anything prove nothing: each mutant must be noticed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulation.ts";

/** Not every seed brings a mutant to its fault; one of so many must. */
const SEEDS_MAX = 40;

for (const { name, mutant, caughtBy, adjust } of MUTANTS) {
  Deno.test(`${name} is noticed`, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = simulate(`mutant ${seed}`, { mutant, adjust });
      for (const { checker } of violations) seen.add(checker);
      if (caughtBy.some((checker) => seen.has(checker))) return;
    }
    assert.fail(
      `none of ${caughtBy.join(", ")} noticed it in ${SEEDS_MAX} seeds; others: ${[...seen].join(", ")}`,
    );
  });
}
