/**
 * Looks for the first seed in which a mutant is noticed. Runs in a process of its own, in the copy that holds the fault.
 *
 * `seek.ts NAME SEED…` prints one line of JSON, a `Sighting`.
 *
 * @module
 */
import { simulate } from "../simulation.ts";
import { mutantOf } from "./catalogue.ts";

/** What came of looking. */
export interface Sighting {
  /** In which seed it was noticed, and by whom; absent where it was not. */
  readonly caught: { readonly seed: number; readonly checker: string; readonly message: string } | undefined;
  /** Checkers that found something and whose word does not count, with the number of seeds. */
  readonly others: Readonly<Record<string, number>>;
}

/** The name of a seed in which mutants are sought. */
export function seedName(seed: number): string {
  return `mutant ${seed}`;
}

function seek(name: string, seeds: readonly number[]): Sighting {
  const mutant = mutantOf(name);
  const others: Record<string, number> = {};
  for (const seed of seeds) {
    const { violations } = simulate(seedName(seed), {
      ...(mutant.adjust === undefined ? {} : { adjust: mutant.adjust }),
      ...("world" in mutant ? { mutant: mutant.world } : {}),
    });
    const found = violations.find(({ checker }) => mutant.caughtBy.includes(checker));
    if (found !== undefined) {
      return { caught: { seed, checker: found.checker, message: found.message }, others };
    }
    for (const checker of new Set(violations.map((each) => each.checker))) {
      others[checker] = (others[checker] ?? 0) + 1;
    }
  }
  return { caught: undefined, others };
}

if (import.meta.main) {
  const [name = "", ...seeds] = Deno.args;
  console.log(JSON.stringify(seek(name, seeds.map(Number))));
}
