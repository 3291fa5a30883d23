/**
 * The tail of a log: what to leave out when a commit that was cut in two by a break is told again from its beginning.
 *
 * The master puts a large commit into several envelopes, names in each the last commit that was told as a whole, and how
 * many of its changes belong to the next one. A log that begins again behind that commit repeats those.
 *
 * Changes are counted and not compared: two commits may tell the same in the same words.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";

/** How much was told of the commit that is not complete, and how much of that is still to be told again. */
export class LogTail {
  /** Changes of the commit that is not complete: told in all sessions, and sent in this one. */
  #told = 0;
  #sent = 0;
  /** What comes first is a repetition. */
  #repeated = 0;

  /** The connection broke: the commit that is not complete comes from its beginning. */
  broke(): void {
    this.#repeated = this.#told;
    this.#sent = 0;
  }

  /**
   * @param begun how many of the last changes belong to a commit that is not complete
   * @param isNewCommit whether a commit was completed with these changes
   * @returns those that were not told before
   */
  fresh(changes: readonly Change[], begun: number, isNewCommit: boolean): readonly Change[] {
    const repeated = Math.min(this.#repeated, changes.length);
    this.#repeated -= repeated;
    this.#sent = isNewCommit ? begun : this.#sent + begun;
    this.#told = isNewCommit ? begun : Math.max(this.#told, this.#sent);
    return repeated === 0 ? changes : changes.slice(repeated);
  }
}
