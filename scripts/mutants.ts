/**
 * Hunts the mutants: deliberate faults in a copy of the source, each of which a checker of the simulator must catch;
 * `--help` tells how.
 *
 * @module
 */
import { mutantOf, MUTANTS } from "../tests/simulation/mutants/catalogue.ts";
import { hunt, type Hunted } from "../tests/simulation/mutants/hunt.ts";
import { placeOf } from "../tests/simulation/mutants/named_mutant.ts";
import { asked, misused, wholeNumber } from "./asked.ts";

const SEEDS_DEFAULT = "200";
const USAGE =
  `Makes deliberate faults in a copy of the source, one at a time, and shows which checker catches each.

deno task mutants                    all ${MUTANTS.length}, each in up to ${SEEDS_DEFAULT} seeds
deno task mutants third_lease        some, by name (tests/simulation/mutants/ has them)
deno task mutants --seeds 1000       in more seeds
deno task mutants --record           all of them, and writes down where each was caught, for the tests' short form

Ends with 0 where all were caught, 1 where one survived, 2 for wrong usage.`;
const FIRST_SEEDS = new URL("../tests/simulation/mutants/first_seeds.json", import.meta.url);

async function main(): Promise<number> {
  const { values, positionals } = asked(USAGE, {
    options: {
      seeds: { type: "string", default: SEEDS_DEFAULT },
      record: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown.length > 0) return misused(USAGE, `there is no mutant ${unknown.join(", ")}`);
  const seedsMax = wholeNumber(USAGE, "--seeds", values.seeds, 1);
  const mutants = positionals.length === 0 ? MUTANTS : positionals.map(mutantOf);
  const startedMs = performance.now();
  console.log(line("mutant", "where", "seed", "caught by", "seconds"));
  const hunted = await hunt({ mutants, seedsMax, told: show });
  const survivors = hunted.filter(({ caught }) => caught === undefined);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  console.log(
    `\n${hunted.length - survivors.length} of ${hunted.length} mutants were caught, in ${seconds} s`,
  );
  for (const { mutant, why } of survivors) console.log(`survived: ${mutant.name} (${mutant.fault}): ${why}`);
  if (values.record && positionals.length === 0) record(hunted);
  return survivors.length === 0 ? 0 : 1;
}

function show({ mutant, caught, ms }: Hunted): void {
  const seconds = (ms / 1_000).toFixed(1);
  const seed = caught === undefined ? "-" : String(caught.seed);
  console.log(line(mutant.name, placeOf(mutant), seed, caught?.checker ?? "SURVIVED", seconds));
}

function line(name: string, place: string, seed: string, checker: string, seconds: string): string {
  return `${name.padEnd(38)} ${place.padEnd(36)} ${seed.padStart(4)}  ${checker.padEnd(24)} ${
    seconds.padStart(7)
  }`;
}

function record(hunted: readonly Hunted[]): void {
  const seeds = hunted.flatMap(({ mutant, caught }) =>
    caught === undefined ? [] : [[mutant.name, caught.seed]]
  );
  Deno.writeTextFileSync(FIRST_SEEDS, JSON.stringify(Object.fromEntries(seeds), null, 2) + "\n");
}

if (import.meta.main) Deno.exit(await main());
