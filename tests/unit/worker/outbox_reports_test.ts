import assert from "node:assert/strict";
import fc from "fast-check";
import type { Lease } from "../../../shared/model/task.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Report } from "../../../shared/protocol/worker_envelopes.ts";
import {
  ATTEMPT_REPORTS_KEPT_MAX,
  KeptReports,
  REPORT_VALUES_KEPT_MAX,
} from "../../../worker/outbox_reports.ts";
import { leaseOf } from "./rig.ts";

/** Metrics of many values, so that few reports fill the room. */
const MANY = Object.fromEntries(Array.from({ length: 199 }, (_, index) => [`m${index}`, index]));

/** A master that takes reports in order and asks again, and a connection that breaks. */
class Peer {
  readonly kept = new KeptReports(() => {});
  /** What was sent under each number. */
  readonly #sent = new Map<string, Report>();
  readonly #stored = new Map<string, Report[]>();
  isConnected = true;

  add(lease: Lease, steps: readonly number[], metrics: Report["metrics"]): void {
    this.#hear(
      this.kept.add(lease, steps.map((step) => ({ step, metrics })), this.isConnected),
      this.isConnected,
    );
  }

  reattach(isHeard: boolean): void {
    this.isConnected = true;
    this.#hear(this.kept.resend(), isHeard);
  }

  /** Tells what it has, or less, as a word that was under way does. */
  take(lease: Lease, less: number, again: boolean): void {
    const last = Math.max(0, (this.#stored.get(leaseKey(lease))?.length ?? 0) - less);
    this.#hear(this.kept.taken(lease, last, again ? 0 : null), true);
  }

  stored(lease: Lease): readonly Report[] {
    return this.#stored.get(leaseKey(lease)) ?? [];
  }

  /** @param isHeard whether it gets what is sent */
  #hear(reports: readonly Report[], isHeard: boolean): void {
    if (!this.isConnected) assert.deepEqual(reports, []);
    for (const report of reports) {
      const key = `${leaseKey(report)} ${report.number}`;
      assert.deepEqual(this.#sent.get(key) ?? report, report, "a number never changes what it means");
      this.#sent.set(key, report);
      const stored = this.#stored.get(leaseKey(report)) ?? [];
      if (isHeard && report.number === stored.length + 1) stored.push(report);
      this.#stored.set(leaseKey(report), stored);
    }
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("add" as const), lease: fc.nat(2), count: fc.nat(400) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("take" as const),
      lease: fc.nat(2),
      less: fc.nat(3),
      again: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("break" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("reattach" as const), isHeard: fc.boolean() }) },
);

Deno.test("however connections break, a master that takes in order gets a curve without gap that ends with the newest", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, isWide) => {
    const peer = new Peer();
    const next = [0, 0, 0];
    for (const each of steps) {
      if (each.type === "break") peer.isConnected = false;
      else if (each.type === "reattach") peer.reattach(each.isHeard);
      else if (each.type === "take") {
        if (peer.isConnected) peer.take(leaseOf(each.lease + 1), each.less, each.again);
      } else {
        const from = next[each.lease] ?? 0;
        next[each.lease] = from + each.count;
        const reported = Array.from({ length: each.count }, (_, index) => from + index);
        peer.add(leaseOf(each.lease + 1), reported, isWide ? MANY : {});
      }
    }
    peer.reattach(true);
    for (const [index, count] of next.entries()) {
      const lease = leaseOf(index + 1);
      for (let round = 0; round < 3; round++) {
        for (const each of [1, 2, 3]) peer.take(leaseOf(each), 0, false);
      }
      const stored = peer.stored(lease).map((report) => report.step);
      assert.deepEqual(stored, stored.toSorted((a, b) => a - b));
      assert.equal(stored.at(-1) ?? -1, count - 1);
      assert.deepEqual(peer.kept.of(lease), []);
    }
  }));
});

Deno.test("what is kept is bounded, for one attempt and for all of them together", () => {
  const kept = new KeptReports(() => {});
  let values = 0;
  for (let number = 1; number <= 20; number++) {
    const lease = leaseOf(number);
    for (let step = 0; step < 2 * ATTEMPT_REPORTS_KEPT_MAX; step++) {
      kept.add(lease, [{ step, metrics: MANY }], number % 2 === 0);
    }
    const reports = kept.of(lease);
    assert.ok(reports.length <= ATTEMPT_REPORTS_KEPT_MAX + 1);
    assert.equal(reports.at(-1)?.step, 2 * ATTEMPT_REPORTS_KEPT_MAX - 1);
    values += reports.length * 200;
  }
  assert.ok(values <= REPORT_VALUES_KEPT_MAX + 20 * 200, `${values}`);
});

Deno.test("it is told once that reports of an attempt are thinned out", () => {
  const thinned: Lease[] = [];
  const kept = new KeptReports((lease) => thinned.push(lease));
  for (let step = 0; step < ATTEMPT_REPORTS_KEPT_MAX + 50; step++) {
    for (const number of [1, 2]) kept.add(leaseOf(number), [{ step, metrics: {} }], false);
  }
  assert.deepEqual(thinned.map((lease) => lease.task), [leaseOf(1).task, leaseOf(2).task]);
});
