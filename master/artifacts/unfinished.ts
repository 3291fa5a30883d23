/**
 * Uploads that are not whole and not under way: what a break left, to be gone on from.
 *
 * Promise: they are bounded in number, and those that rest make way where the disk is short; one that is continued within
 * minutes is not touched for another one's room.
 *
 * @module
 */
import type { ArtifactFolder, KeptFile } from "./artifact_folder.ts";

/** Beyond so many the oldest is forgotten. */
export const UNFINISHED_MAX = 1_000;
/** One that nobody continued for so long makes way where the disk is short. */
export const UNFINISHED_REST_MS = 600_000;

/** The unfinished uploads of a room. */
export class Unfinished {
  readonly #folder: ArtifactFolder;
  readonly #most: number;
  readonly #isUnderWay: (sha256: string) => boolean;

  constructor(
    folder: ArtifactFolder,
    options: { readonly most?: number | undefined; readonly isUnderWay: (sha256: string) => boolean },
  ) {
    this.#folder = folder;
    this.#most = options.most ?? UNFINISHED_MAX;
    this.#isUnderWay = options.isUnderWay;
  }

  /** Before another one begins. */
  async makePlace(): Promise<void> {
    let count = 0;
    for await (const _ of Deno.readDir(`${this.#folder.root}/unfinished`)) count += 1;
    if (count >= this.#most) await this.#removeOldest(Infinity);
  }

  /**
   * Removes the one that has rested longest.
   *
   * @param spared the one that room is made for
   * @returns whether there was one that rested long enough
   */
  async removeRested(spared: string): Promise<boolean> {
    return await this.#removeOldest(Date.now() - UNFINISHED_REST_MS, spared);
  }

  async #removeOldest(beforeMs: number, spared?: string): Promise<boolean> {
    let oldest: KeptFile | undefined;
    for await (const each of this.#folder.allUnfinished()) {
      if (each.sha256 === spared || this.#isUnderWay(each.sha256) || each.touchedAtMs >= beforeMs) continue;
      if (oldest === undefined || each.touchedAtMs < oldest.touchedAtMs) oldest = each;
    }
    if (oldest === undefined) return false;
    await this.#folder.removeUnfinished(oldest.sha256);
    return true;
  }
}
