import assert from "node:assert/strict";
import { seededRandom } from "../../../shared/actor/random.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";

/** Timers that set timers, many of them at one instant: what happened when. */
function trace(seed: number): string[] {
  const loop = new VirtualLoop(seededRandom(seed));
  const seen: string[] = [];
  for (let i = 0; i < 10; i++) {
    loop.timer(5 * (i % 2), () => {
      seen.push(`${i} at ${loop.now()}`);
      loop.soon(() => seen.push(`after ${i} at ${loop.now()}`));
    });
  }
  loop.runFor(100);
  return seen;
}

Deno.test("the same seed gives the same order of events, another seed another one", () => {
  assert.deepEqual(trace(1), trace(1));
  assert.notDeepEqual(trace(1), trace(2));
  assert.deepEqual(trace(1).toSorted(), trace(2).toSorted(), "only the order differs");
});

Deno.test("time passes from event to event and never goes back", () => {
  const loop = new VirtualLoop(seededRandom(1), 1_000);
  const seen: number[] = [];
  for (const delayMs of [30, 10, 20, -5]) loop.timer(delayMs, () => seen.push(loop.now()));
  assert.equal(loop.runUntil(() => seen.length === 4, 1_000), true);
  assert.deepEqual(seen, [0, 10, 20, 30]);
  assert.equal(loop.wallClock(), 1_030);
  assert.equal(loop.runUntil(() => false, 50), false);
  assert.equal(loop.now(), 50);
  assert.equal(loop.step(), false);
});

Deno.test("cancelled events do not come, and do not fill the memory of whoever moves a deadline for ever", () => {
  const loop = new VirtualLoop(seededRandom(1));
  const seen: string[] = [];
  const kept = [7, 3, 5].map((delayMs) => loop.timer(delayMs, () => seen.push(`kept ${delayMs}`)));
  for (let i = 0; i < 100_000; i++) loop.timer(10, () => seen.push("cancelled"))();
  kept[2]?.();
  kept[2]?.();
  loop.runFor(100);
  kept[0]?.();
  assert.deepEqual(seen, ["kept 3", "kept 7"]);
  assert.ok(loop.size < 3_000, `${loop.size} events are kept`);
});

Deno.test("work that yields for ever lets time pass", () => {
  const loop = new VirtualLoop(seededRandom(1));
  const again = () => loop.yield(again);
  again();
  loop.runFor(10);
  assert.equal(loop.now(), 10);
});
