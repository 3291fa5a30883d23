/**
 * What a campaign counts, and when it fails.
 *
 * @module
 */
import assert from "node:assert/strict";
import { neverMet, runSeeds, SEEDS_TO_JUDGE } from "./campaign.ts";
import { campaignWords } from "./campaign_words.ts";
import { FAULTS } from "./faults.ts";
import { SCENARIOS } from "./scenarios.ts";
import { addTally, emptyTally, type Tally } from "./tally.ts";

const SEEDS = ["1", "2", "3", "4"];
const now = () => performance.now();

/** Everything was met, in so many of the seeds. */
function metIn(runs: number) {
  const seeds = emptyTally();
  seeds.seeds = SEEDS_TO_JUDGE;
  for (const kind of ["faults", "scenarios", "checkers"] as const) {
    for (const name of Object.keys(seeds[kind])) seeds[kind][name] = { runs, times: runs };
  }
  return { seeds, directed: emptyTally(), failures: [] };
}

/** Without the machine's time, and the virtual one as far as sums of fractions agree. */
function comparable(tally: Tally): Tally {
  return { ...tally, realMs: 0, virtualMs: Math.round(tally.virtualMs) };
}

Deno.test("the tallies of two halves add up to the tally of the whole, also as JSON", () => {
  const whole = runSeeds(SEEDS, now);
  const sum = emptyTally();
  for (const half of [SEEDS.slice(0, 2), SEEDS.slice(2)]) {
    addTally(sum, JSON.parse(JSON.stringify(runSeeds(half, now))));
  }
  assert.deepEqual(comparable(sum), comparable(whole));
  assert.equal(whole.seeds, SEEDS.length);
  assert(whole.virtualMs > 0 && whole.events > 0);
});

Deno.test("a campaign fails for a scenario that no run has met, and names it", () => {
  const campaign = metIn(SEEDS_TO_JUDGE);
  assert.deepEqual(neverMet(campaign), []);
  campaign.seeds.scenarios["late_frame"] = { runs: 0, times: 0 };
  assert.deepEqual(neverMet(campaign).map((each) => each.split(" ").slice(0, 2)), [[
    "scenario",
    "late_frame",
  ]]);
});

Deno.test("what less than one in a hundred seeds meets is not met, unless a directed run brings it about", () => {
  const campaign = metIn(SEEDS_TO_JUDGE);
  campaign.seeds.faults["twin"] = { runs: SEEDS_TO_JUDGE / 100 - 1, times: 1_000 };
  assert.equal(neverMet(campaign).length, 1);
  campaign.directed.faults["twin"] = { runs: 1, times: 1 };
  assert.deepEqual(neverMet(campaign), []);
});

Deno.test("the table has a row for every fault and every scenario, met or not, and the ratio of virtual to real time", () => {
  const campaign = { seeds: runSeeds(SEEDS, now), directed: emptyTally(), failures: [] };
  const lines = campaignWords(campaign, 1_000);
  for (const name of [...Object.keys(FAULTS), ...Object.keys(SCENARIOS)]) {
    assert(lines.some((line) => line.startsWith(`${name} `)), `${name} has no row`);
  }
  assert(lines.some((line) => /virtual time ran \d+ times faster than real time/.test(line)));
});
