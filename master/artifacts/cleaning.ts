/**
 * Removes artifacts that nobody needs, and uploads that nobody continued.
 *
 * Promise: what is named by the store, or was kept or asked for a moment ago, stays; where the store cannot say, all stays.
 *
 * @module
 */
import type { LogLevel } from "../../shared/actor/actor.ts";
import type { ArtifactRoom } from "./artifact_room.ts";

/** An artifact that nobody names is removed after this time: whoever uploaded it had time to name it. */
export const UNUSED_ARTIFACT_DEFAULT_MS = 24 * 3_600_000;
/** An upload that nobody continued is forgotten after this time. */
export const UNFINISHED_MS = 24 * 3_600_000;
/** How often it is looked for what nobody needs. */
export const CLEANING_EVERY_MS = 600_000;
/** Hashes in one question to the store. */
const ASK_ROWS_MAX = 500;

/** What cleaning needs to know. */
export interface CleaningOptions {
  readonly room: ArtifactRoom;
  /** Those among some hashes that are needed; rejects where nobody can say. */
  readonly used: (hashes: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly unusedMs?: number | undefined;
  readonly unfinishedMs?: number | undefined;
  readonly everyMs?: number | undefined;
  readonly log: (level: LogLevel, text: string) => void;
}

/** What was removed. */
export interface Cleaned {
  readonly artifacts: number;
  readonly bytes: number;
  readonly uploads: number;
}

/** Cleans a room from time to time. */
export class Cleaning {
  readonly #options: CleaningOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #now: Promise<unknown> = Promise.resolve();
  #isEnded = false;
  readonly #ended = Promise.withResolvers<undefined>();

  constructor(options: CleaningOptions) {
    this.#options = options;
  }

  /** Cleans now, and then from time to time. */
  begin(): void {
    if (this.#isEnded || this.#timer !== undefined) return;
    const round = () => {
      this.#now = this.#cleanAndTell();
      this.#timer = setTimeout(round, this.#options.everyMs ?? CLEANING_EVERY_MS);
    };
    round();
  }

  /** Cleans no more. */
  async end(): Promise<void> {
    this.#isEnded = true;
    // A store that is let go of may owe an answer for ever.
    this.#ended.resolve(undefined);
    clearTimeout(this.#timer);
    await this.#now;
  }

  /** Cleans once. @throws where the disk or the store fails */
  async clean(): Promise<Cleaned> {
    const uploads = await this.#cleanUnfinished();
    const { unusedMs = UNUSED_ARTIFACT_DEFAULT_MS, room } = this.#options;
    const sinceMs = Date.now() - unusedMs;
    const removed = { artifacts: 0, bytes: 0, uploads };
    let old: string[] = [];
    for await (const { sha256, touchedAtMs } of room.folder.all()) {
      if (this.#isEnded) return removed;
      if (touchedAtMs < sinceMs) old.push(sha256);
      if (old.length < ASK_ROWS_MAX) continue;
      await this.#removeUnused(old, sinceMs, removed);
      old = [];
    }
    await this.#removeUnused(old, sinceMs, removed);
    return removed;
  }

  async #removeUnused(
    hashes: readonly string[],
    sinceMs: number,
    removed: { artifacts: number; bytes: number },
  ): Promise<void> {
    if (hashes.length === 0) return;
    const used = await Promise.race([this.#options.used(hashes), this.#ended.promise]);
    for (const sha256 of hashes) {
      if (used === undefined || used.has(sha256) || this.#isEnded) continue;
      const bytes = await this.#options.room.removeUntouched(sha256, sinceMs);
      if (bytes === undefined) continue;
      removed.artifacts += 1;
      removed.bytes += bytes;
    }
  }

  async #cleanUnfinished(): Promise<number> {
    const { room, unfinishedMs = UNFINISHED_MS } = this.#options;
    const sinceMs = Date.now() - unfinishedMs;
    let uploads = 0;
    for await (const { sha256, touchedAtMs } of room.folder.allUnfinished()) {
      if (touchedAtMs < sinceMs && await room.removeUnfinished(sha256)) uploads += 1;
    }
    return uploads;
  }

  async #cleanAndTell(): Promise<void> {
    try {
      const { artifacts, bytes, uploads } = await this.clean();
      if (artifacts + uploads === 0) return;
      this.#options.log(
        "info",
        `${artifacts} artifacts (${bytes} bytes) that nothing names are removed, and ${uploads} unfinished uploads`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log("warning", `artifacts that nobody needs are not removed now: ${reason}`);
    }
  }
}
