/**
 * Whether groups count what their rows add up to: summaries are read from these counters.
 *
 * @module
 */
import { Cursor } from "./cursor.ts";
import type { Findings } from "./findings.ts";
import type { GroupCounts, GroupRow } from "./store_rows.ts";

const NOTHING: GroupCounts = {
  last_number: 0,
  submitted: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  pruned: 0,
  told: 0,
  attempts: 0,
};

/** Compares counters with sums. @param sums of the groups that have tasks, in the order of groups */
export function checkGroups(
  groups: Iterable<GroupRow>,
  sums: Iterable<{ readonly seq: number; readonly counts: GroupCounts }>,
  findings: Findings,
): void {
  const cursor = new Cursor(sums, ({ seq }) => seq);
  const strays = (seq: number) => {
    for (const stray of cursor.below(seq)) {
      findings.expect(
        "counters_fit",
        false,
        () => [`tasks are of group row ${stray.seq}, which is not there`, stray],
      );
    }
  };
  for (const { seq, id, counts } of groups) {
    strays(seq);
    const sum = cursor.at(seq)[0]?.counts ?? NOTHING;
    findings.expect(
      "counters_fit",
      same(counts, sum),
      () => [`${id} does not count what its rows add up to`, { group: id, counts, rows: sum }],
    );
  }
  strays(Infinity);
}

function same(one: GroupCounts, other: GroupCounts): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
