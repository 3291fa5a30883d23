/**
 * Recent commits: what can be told to log subscribers without asking the store.
 *
 * Promise: it holds every change of the commits after `from`, up to `to`, and never more than a fixed number of them.
 *
 * @module
 */
import type { Change } from "../../shared/model/change.ts";

/** Changes that are kept: half a second of the busiest master, a few megabytes. */
export const RECENT_CHANGES_MAX = 16_384;

/** A commit as the feed tells of it. */
export interface FeedCommit {
  readonly commit: number;
  readonly changes: readonly Change[];
}

/** The newest commits, in order. */
export class RecentCommits {
  readonly #changesMax: number;
  #commits: FeedCommit[] = [];
  #head = 0;
  #changes = 0;
  #from: number | undefined;
  #to = 0;

  constructor(changesMax: number = RECENT_CHANGES_MAX) {
    this.#changesMax = changesMax;
  }

  /** The newest commit that was added; 0 where none was. */
  get to(): number {
    return this.#to;
  }

  /** Whether all that was committed after this commit is here. */
  covers(commit: number): boolean {
    return this.#from !== undefined && commit >= this.#from;
  }

  /** Adds the next commit. Numbers rise; those of commits that tell nothing may be missing. */
  add(added: FeedCommit, keep: boolean): void {
    // Whoever attaches to the store is told of every commit from then on, so nothing lies between two of them.
    this.#from ??= added.commit - 1;
    this.#to = Math.max(this.#to, added.commit);
    if (!keep) return this.#forgetAll();
    if (added.changes.length === 0) return;
    this.#commits.push(added);
    this.#changes += added.changes.length;
    while (this.#changes > this.#changesMax) this.#forgetFirst();
    this.#compact();
  }

  /** The commits after one that is covered: about `limit` changes, whole commits only. */
  after(commit: number, limit: number): { readonly commits: readonly FeedCommit[]; readonly upTo: number } {
    const commits: FeedCommit[] = [];
    let changes = 0;
    for (let index = this.#indexAfter(commit); index < this.#commits.length; index++) {
      const each = this.#commits[index];
      if (each === undefined) break;
      commits.push(each);
      changes += each.changes.length;
      if (changes >= limit) return { commits, upTo: each.commit };
    }
    return { commits, upTo: Math.max(commit, this.#to) };
  }

  /** The first one that is newer: a binary search, for subscribers lag by different lengths. */
  #indexAfter(commit: number): number {
    let low = this.#head;
    let high = this.#commits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#commits[middle]?.commit ?? 0) > commit) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #forgetFirst(): void {
    const first = this.#commits[this.#head];
    if (first === undefined) return;
    this.#head += 1;
    this.#changes -= first.changes.length;
    this.#from = first.commit;
  }

  #forgetAll(): void {
    this.#commits = [];
    this.#head = 0;
    this.#changes = 0;
    this.#from = this.#to;
  }

  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#commits.length) return;
    this.#commits = this.#commits.slice(this.#head);
    this.#head = 0;
  }
}
