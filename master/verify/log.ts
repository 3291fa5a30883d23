/**
 * Whether the log of commits is whole: lives, commits, and what each of them told.
 *
 * @module
 */
import { Cursor } from "./cursor.ts";
import type { Findings } from "./findings.ts";
import type { CommitRow, EpochRow, FactRow, StoreIdRow } from "./store_rows.ts";

/** The tables that the feed is made from, with the mark that a commit keeps of each. */
export interface Facts {
  readonly table: string;
  readonly rows: Iterable<FactRow>;
  readonly mark: (commit: CommitRow) => number;
}

const STORE_ID = /^[0-9a-f]{32}$/;
const MARK = /^[0-9a-f]{8}$/;

/** The store's ids, and lives that are numbered from 1, each with a mark of its own. @returns the newest life */
export function checkEpochs(
  ids: readonly StoreIdRow[],
  epochs: Iterable<EpochRow>,
  findings: Findings,
): number {
  findings.expect("epoch_new", ids[0]?.firstEpoch === 1, () => ["the store's first life has no id", { ids }]);
  for (const [index, { id, firstEpoch }] of ids.entries()) {
    const isNew = ids.findIndex((each) => each.id === id || each.firstEpoch === firstEpoch) === index;
    findings.expect(
      "epoch_new",
      isNew && STORE_ID.test(id),
      () => [`the store's id from epoch ${firstEpoch} on is no new one`, { ids }],
    );
  }
  const marks = new Map<string, number>();
  let last = 0;
  for (const { number, mark } of epochs) {
    const known = marks.get(mark);
    findings.expect(
      "epoch_new",
      number === last + 1 && known === undefined && MARK.test(mark),
      () => [`epoch ${number} follows epoch ${last}`, { number, mark, sameMarkAs: known ?? null }],
    );
    marks.set(mark, number);
    last = number;
  }
  return last;
}

/** Commits without gap, in lives that rise, each with exactly the facts that it counts. @returns the last commit */
export function checkCommits(
  commits: Iterable<CommitRow>,
  newestEpoch: number,
  tables: readonly Facts[],
  findings: Findings,
): number {
  const cursors = tables.map(({ rows, mark, table }) => {
    return { table, mark, next: 1, facts: new Cursor(rows, ({ fact }) => fact) };
  });
  let last = 0, epoch = 1;
  for (const commit of commits) {
    const { number } = commit;
    findings.expect(
      "log_complete",
      number === last + 1,
      () => [`commit ${number} follows commit ${last}`, { number, last }],
    );
    findings.expect(
      "epoch_new",
      commit.epoch >= epoch && commit.epoch <= newestEpoch,
      () => [`commit ${number} is of epoch ${commit.epoch}, after one of epoch ${epoch}`, { ...commit }],
    );
    const told: { readonly table: string; readonly fact: number; readonly place: number }[] = [];
    for (const cursor of cursors) {
      const mark = cursor.mark(commit);
      findings.expect(
        "log_complete",
        mark >= cursor.next,
        () => [`commit ${number} says that ${cursor.table} went back from ${cursor.next} to ${mark}`, {
          ...commit,
        }],
      );
      for (const row of cursor.facts.below(mark)) told.push({ table: cursor.table, ...row });
      cursor.next = mark;
    }
    told.sort((one, other) => one.place - other.place);
    findings.expect(
      "log_complete",
      told.length === commit.changes && told.every(({ place }, index) => place === index),
      () => [
        `commit ${number} counts ${commit.changes} changes, and the tables have ${told.length} of it`,
        { commit: { ...commit }, found: told.slice(0, 20) },
      ],
    );
    last = number;
    epoch = Math.max(epoch, commit.epoch);
  }
  for (const { table, facts, next } of cursors) {
    const [first, ...more] = facts.rest();
    findings.expect(
      "log_complete",
      first === undefined,
      () => [`${table} has ${more.length + 1} rows that no commit knows of`, { first, next }],
    );
  }
  return last;
}

/** Numbers of a table's rows follow one another: what is not there is gone. */
export function checkNumbers(table: string, rows: Iterable<FactRow>, findings: Findings): void {
  let last = 0;
  for (const { fact } of rows) {
    findings.expect(
      "log_complete",
      fact === last + 1,
      () => [`${table} has row ${fact} after row ${last}`, { table, row: fact, after: last }],
    );
    last = fact;
  }
}
