/**
 * Shrinking, shown on bugs that are planted on purpose.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Epoch } from "../../shared/model/ids.ts";
import { shrunkWords } from "./campaign_words.ts";
import { WatchedDisk } from "./disk.ts";
import type { Mutant } from "./mutant.ts";
import { drawPlan } from "./plan_draw.ts";
import { drawSchedule } from "./schedule.ts";
import { allBut, shrink } from "./shrink.ts";
import { simulate } from "./simulation.ts";

const UNLIMITED = { runsMax: 1_000, isLate: () => false };

/** Takes the first epoch again after a restart. */
class OldEpochDisk extends WatchedDisk {
  override addEpoch(epoch: Epoch): void {
    super.addEpoch(this.state.epochs[0] ?? epoch);
  }
}

const mutant: Mutant = { disk: (observer, state) => new OldEpochDisk(observer, state) };

/** The first seed with a long schedule that the planted bug breaks. */
function brokenSeed(): string {
  for (let seed = 1; seed < 100; seed++) {
    const isLong = drawSchedule(String(seed), drawPlan(String(seed))).length >= 20;
    if (isLong && simulate(String(seed), { mutant }).violations.length > 0) return String(seed);
  }
  assert.fail("no seed is broken by the planted bug");
}

Deno.test("a long schedule shrinks to the few events that a planted bug needs, and those break it again", () => {
  const seed = brokenSeed();
  const shrunk = shrink(seed, { mutant }, UNLIMITED);
  assert(shrunk !== undefined && shrunk.isWhole);
  const { only, report } = shrunk;
  // One more life of the cluster is all it takes.
  assert(only.length <= 2, `${only.length} events are left`);
  assert.equal(report.violations[0]?.checker, "epoch_new");
  const without = allBut(seed, {}, only);
  const whole = simulate(seed, { mutant });
  const again = simulate(seed, { mutant, without });
  assert.equal(again.violations[0]?.checker, whole.violations[0]?.checker);
  assert(again.happened.length <= only.length);
});

Deno.test("what is left of a schedule is told in words, one line an event, with the way to run it again", () => {
  const seed = brokenSeed();
  const shrunk = shrink(seed, { mutant }, UNLIMITED);
  assert(shrunk !== undefined);
  const lines = shrunkWords(seed, shrunk);
  const events = lines.filter((line) => /^ +\d+ +\d+\.\d{3} s {2}\S/.test(line));
  assert.equal(events.length, shrunk.report.happened.length);
  assert.match(lines.at(-1) ?? "", new RegExp(`simulate --seed ${seed} --only `));
});

Deno.test("a seed that breaks nothing cannot be shrunk", () => {
  assert.equal(shrink("1", {}, UNLIMITED), undefined);
});

Deno.test("shrinking ends at its limit of runs, and says so", () => {
  const shrunk = shrink(brokenSeed(), { mutant }, { runsMax: 2, isLate: () => false });
  assert(shrunk !== undefined);
  assert.equal(shrunk.isWhole, false);
  assert(shrunk.runs <= 2);
  assert.equal(shrunk.report.violations[0]?.checker, "epoch_new");
});

Deno.test("leaving events out changes neither the numbers nor the times of the others", () => {
  const seed = "7";
  const whole = simulate(seed);
  const [first, ...rest] = whole.happened;
  assert(first !== undefined && rest.length > 3);
  const less = simulate(seed, { without: new Set([first.number]) });
  const schedule = new Map(drawSchedule(seed, drawPlan(seed)).map((each) => [each.number, each]));
  for (const { number, atMs, kind } of less.happened) {
    assert.notEqual(number, first.number);
    assert.deepEqual({ number, atMs, kind }, schedule.get(number));
  }
});
