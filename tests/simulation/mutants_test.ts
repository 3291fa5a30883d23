/**
 * Checkers that never find anything prove nothing: each mutant must be caught.
 *
 * The short form of `deno task mutants`: each is looked for first where it was caught last.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CHECKERS } from "./findings.ts";
import { MUTANTS, SOURCE_MUTANTS } from "./mutants/catalogue.ts";
import firstSeeds from "./mutants/first_seeds.json" with { type: "json" };
import { hunt, type Hunted } from "./mutants/hunt.ts";
import { mutated, type SourceMutant } from "./mutants/named_mutant.ts";

const SEEDS_MAX = 200;
/** One in so many is hunted here, or the tests would take minutes. */
const PART = 3;
const ROOT = new URL("../../", import.meta.url);

/** Changes nothing that anybody could see; looked for as the mutant of its name is. */
const HARMLESS: SourceMutant = {
  name: "third_lease",
  fault: "none",
  file: "master/cluster/live_task.ts",
  find: "const NONE: readonly never[] = [];",
  replace: "const NONE: readonly never[] = [].slice();",
  caughtBy: ["lease_once"],
};

Deno.test("each third mutant is caught by a checker of the promise that it breaks", async () => {
  const mutants = MUTANTS.filter((_, index) => index % PART === 0);
  const hunted = await hunt({ mutants, seedsMax: SEEDS_MAX, hints: firstSeeds });
  const survived = hunted.filter(({ caught }) => caught === undefined);
  assert.equal(survived.map(told).join("\n"), "");
  assert.equal(hunted.length, mutants.length);
});

Deno.test("a change that breaks no promise is caught by nobody", async () => {
  const [hunted] = await hunt({ mutants: [HARMLESS], seedsMax: 3 });
  assert(hunted !== undefined);
  assert.equal(hunted.caught, undefined);
});

Deno.test("a mutant whose text is gone, or is there twice, is told as such and not as caught", async () => {
  const gone = { ...HARMLESS, find: "this text is nowhere" };
  const [hunted] = await hunt({ mutants: [gone], seedsMax: 1 });
  assert.equal(hunted?.caught, undefined);
  assert.match(hunted?.why ?? "", /not there any more in master\/cluster\/live_task\.ts/);
  assert.throws(() => mutated("one two one", { ...HARMLESS, find: "one" }), /is there 2 times/);
});

Deno.test("every mutant has a name of its own, a place in the source, and a checker that is there", () => {
  assert(SOURCE_MUTANTS.length >= 24);
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  for (const mutant of SOURCE_MUTANTS) {
    const text = Deno.readTextFileSync(new URL(mutant.file, ROOT));
    assert.notEqual(mutated(text, mutant), text, mutant.name);
  }
  for (const { name, caughtBy } of MUTANTS) {
    assert(caughtBy.length > 0, name);
    for (const checker of caughtBy) {
      assert(checker in CHECKERS && checker !== "no_crash", `${name}: ${checker}`);
    }
  }
});

function told({ mutant, why }: Hunted): string {
  return `${mutant.name} (${mutant.fault}) survived: ${why}`;
}
