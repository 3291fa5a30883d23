/**
 * The tail of a log: what to leave out when a commit that was cut in two by a break is told again from its beginning.
 *
 * The master puts a large commit into several envelopes, and names in each the last commit that was told as a whole. A
 * log that begins again behind that one repeats what was told of the next.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";

/** What was told since the last commit but one, and how much of it is being told again. */
export class LogTail {
  /** Told last; it ends with the part of a commit that may be repeated. */
  #told: (readonly Change[])[] = [];
  /** What is expected to be repeated: undefined until the first envelope after a break. */
  #expected: readonly string[] | undefined;
  #isAfterBreak = false;

  /** The connection broke: what comes next may repeat the tail's end. */
  broke(): void {
    this.#isAfterBreak = this.#told.length > 0;
    this.#expected = undefined;
  }

  /**
   * @param isNewCommit whether a commit was completed with these changes
   * @returns those that were not told before
   */
  fresh(changes: readonly Change[], isNewCommit: boolean): readonly Change[] {
    const fresh = this.#isAfterBreak ? this.#withoutRepeated(changes) : changes;
    if (isNewCommit) this.#told = [];
    this.#told.push(fresh);
    return fresh;
  }

  #withoutRepeated(changes: readonly Change[]): readonly Change[] {
    const keys = changes.map((change) => JSON.stringify(change));
    const expected = this.#expected ??
      overlap(this.#told.flat().map((change) => JSON.stringify(change)), keys);
    const repeated = Math.min(expected.length, keys.length);
    this.#expected = expected.slice(repeated);
    this.#isAfterBreak = this.#expected.length > 0;
    return changes.slice(repeated);
  }
}

/** The longest end of what was told with which what comes now begins, as far as both reach. */
function overlap(told: readonly string[], now: readonly string[]): readonly string[] {
  for (let from = 0; from < told.length; from++) {
    const length = Math.min(told.length - from, now.length);
    let same = 0;
    while (same < length && told[from + same] === now[same]) same += 1;
    if (same === length) return told.slice(from);
  }
  return [];
}
