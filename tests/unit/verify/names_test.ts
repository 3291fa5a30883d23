/**
 * One name, one promise: in the simulator, in `verify` and in the docs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CHECK_NAMES } from "../../../master/verify/checks.ts";
import { CHECKERS } from "../../simulation/findings.ts";

/** What only the file shows: the simulator's disk keeps no file, and no counters beside its rows. */
const OF_THE_FILE = ["file_sound", "outcome_whole", "counters_fit", "trials_ordered", "states_agree"];

Deno.test("verify's checks have the names of the simulator's checkers, where both watch a promise", () => {
  const alone = CHECK_NAMES.filter((name) => !(name in CHECKERS));
  assert.deepEqual(alone.toSorted(), OF_THE_FILE.toSorted());
});

Deno.test("every check is in the index of promises, and in the section on verify", () => {
  for (const page of ["correctness", "cli"]) {
    const text = Deno.readTextFileSync(new URL(`../../../docs/${page}.md`, import.meta.url));
    assert.deepEqual(CHECK_NAMES.filter((name) => !text.includes(`\`${name}\``)), [], page);
  }
});

Deno.test("the index of promises names every checker of the simulator, and none that is not there", () => {
  const text = Deno.readTextFileSync(new URL("../../../docs/correctness.md", import.meta.url));
  assert.deepEqual(Object.keys(CHECKERS).filter((name) => !text.includes(`\`${name}\``)), []);
  const named = [...text.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = ""]) => name);
  const known = new Set<string>([...Object.keys(CHECKERS), ...CHECK_NAMES, "third_lease"]);
  assert.deepEqual(named.filter((name) => !known.has(name)), []);
});
