/**
 * The filter of seen candidates.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SeenHashes } from "../../../master/experiments/seen_hashes.ts";
import { seededRandom } from "../../../shared/actor/random.ts";

const random = seededRandom("hashes");

function hash(): string {
  return Array.from({ length: 4 }, () => random.integer(2 ** 32).toString(16).padStart(8, "0")).join("");
}

Deno.test("what was seen is always recognised, what was not is rarely taken for it", () => {
  const seen = new SeenHashes(20_000);
  const had = Array.from({ length: 20_000 }, hash);
  for (const each of had) seen.add(each);
  assert(had.every((each) => seen.has(each)));
  const wrong = Array.from({ length: 20_000 }, hash).filter((each) => seen.has(each)).length;
  assert(wrong < 40, `${wrong} of 20,000`);
});

Deno.test("an experiment of unknown length gets a filter that holds a hundred thousand", () => {
  const seen = new SeenHashes(undefined);
  for (let i = 0; i < 100_000; i++) seen.add(hash());
  const wrong = Array.from({ length: 10_000 }, hash).filter((each) => seen.has(each)).length;
  assert(wrong < 20, `${wrong} of 10,000`);
});
