/**
 * Torture's own books: which evaluation may be repeated, and which may not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Evaluation, explainReruns } from "../../../scripts/torture/evaluations.ts";
import type { Fault } from "../../../scripts/torture/fault_log.ts";

function evaluation(place: string, startedAtMs: number): Evaluation {
  return { task: "t1/1", lease: `t1/1 ${startedAtMs}`, place, startedAtMs, state: "completed" };
}

const again = [evaluation("w1", 1_000), evaluation("w2", 5_000)];
const fault = (victim: Fault["victim"], fromMs: number, toMs: number): Fault => ({
  kind: "hold",
  victim,
  fromMs,
  toMs,
});

Deno.test("a task that is evaluated again has a reason where something was done to its worker, or to all", () => {
  for (const victim of ["w1", "cluster"] as const) {
    const { because, unexplained } = explainReruns(again, [fault(victim, 2_000, 4_000)]);
    assert.deepEqual([...because], [["hold", 1]]);
    assert.deepEqual(unexplained, []);
  }
});

Deno.test("a task that is evaluated again for no reason is a violation", () => {
  const others = [fault("w2", 2_000, 4_000), fault("client", 2_000, 4_000), fault("w1", 6_000, 7_000)];
  const longBefore = fault("w1", -60_000, -50_000);
  for (const faults of [[], others, [longBefore]]) {
    const { because, unexplained } = explainReruns(again, faults);
    assert.equal(because.size, 0);
    assert.match(unexplained.join(), /t1\/1 ran at w1 and again at w2, and nothing had happened/);
  }
});
