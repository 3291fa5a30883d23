/**
 * Removes artifacts that nobody needs, and uploads that nobody continued.
 *
 * Promise: what is named by the store, or was kept or asked for a moment ago, stays; where the store cannot say, or may be
 * an older copy, all stays; what workers kept and could not name while no master was there is theirs to name first.
 *
 * @module
 */
import type { LogLevel } from "../../shared/actor/actor.ts";
import type { ArtifactRoom } from "./artifact_room.ts";

/** An artifact that nobody names is removed after this time: whoever uploaded it had time to name it. */
export const UNUSED_ARTIFACT_DEFAULT_MS = 24 * 3_600_000;
/** An upload that nobody continued is forgotten after this time. */
export const UNFINISHED_MS = 24 * 3_600_000;
/**
 * How often it is looked for what nobody needs, at the most, and how long after the start: those who were here before come
 * back first, name what they kept, and tell where the store is an older copy.
 */
export const CLEANING_EVERY_MS = 600_000;
const CLEANING_EVERY_MS_MIN = 250;
/** How often it is looked for checkpoints that others have replaced: each may be as large as a model. */
export const REPLACED_EVERY_MS = 10_000;
/** Checkpoints that are looked after so closely; of more, the oldest wait as all else does. */
export const CHECKPOINTS_WATCHED_MAX = 4_096;
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
  readonly replacedEveryMs?: number | undefined;
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
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  /** Checkpoints that the store has named, the oldest first. */
  readonly #checkpoints = new Set<string>();
  #now: Promise<unknown> = Promise.resolve();
  #isCleaning = false;
  #isEnded = false;
  readonly #ended = Promise.withResolvers<undefined>();

  constructor(options: CleaningOptions) {
    this.#options = options;
  }

  /** Cleans from time to time; again it does nothing. */
  begin(): void {
    if (this.#isEnded || this.#timers.size > 0) return;
    const { everyMs = CLEANING_EVERY_MS, replacedEveryMs = REPLACED_EVERY_MS } = this.#options;
    const { unusedMs = UNUSED_ARTIFACT_DEFAULT_MS } = this.#options;
    this.#every(Math.max(CLEANING_EVERY_MS_MIN, Math.min(everyMs, unusedMs)), "info", () => this.clean());
    this.#every(replacedEveryMs, "debug", () => this.cleanReplaced());
  }

  /** The store names this checkpoint now. Once it does so no more, it goes soon. */
  checkpointNamed(sha256: string): void {
    this.#checkpoints.add(sha256);
    const [oldest] = this.#checkpoints;
    if (this.#checkpoints.size > CHECKPOINTS_WATCHED_MAX && oldest !== undefined) {
      this.#checkpoints.delete(oldest);
    }
  }

  /** Removes nothing from now on: nobody knows what is named in the newest copy of the store. */
  hold(): void {
    this.#isEnded = true;
    this.#ended.resolve(undefined);
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Cleans no more. */
  async end(): Promise<void> {
    // A store that is let go of may owe an answer for ever.
    this.hold();
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

  /** Removes checkpoints that the store has named, and names no more. @throws where the disk or the store fails */
  async cleanReplaced(): Promise<Cleaned> {
    const { replacedEveryMs = REPLACED_EVERY_MS } = this.#options;
    const removed = { artifacts: 0, bytes: 0, uploads: 0 };
    const all = [...this.#checkpoints];
    for (let from = 0; from < all.length && !this.#isEnded; from += ASK_ROWS_MAX) {
      // Whoever was told a moment ago that it is there may be about to name it.
      await this.#removeUnused(all.slice(from, from + ASK_ROWS_MAX), Date.now() - replacedEveryMs, removed);
    }
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
      const { room } = this.#options;
      const bytes = await room.removeUntouched(sha256, sinceMs);
      if (bytes !== undefined || await room.sizeOf(sha256) === undefined) this.#checkpoints.delete(sha256);
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

  #every(everyMs: number, level: LogLevel, clean: () => Promise<Cleaned>): void {
    this.#timers.add(setInterval(() => {
      // One at a time, and none waits: a store may owe its answer for long.
      if (this.#isCleaning) return;
      this.#isCleaning = true;
      this.#now = this.#cleanAndTell(level, clean).finally(() => this.#isCleaning = false);
    }, everyMs));
  }

  async #cleanAndTell(level: LogLevel, clean: () => Promise<Cleaned>): Promise<void> {
    if (this.#isEnded) return;
    try {
      const { artifacts, bytes, uploads } = await clean();
      if (artifacts + uploads === 0) return;
      this.#options.log(
        level,
        `${artifacts} artifacts (${bytes} bytes) that nothing names are removed, and ${uploads} unfinished uploads`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // What is looked at every few seconds is told when all is looked at.
      this.#options.log(
        level === "debug" ? level : "warning",
        `artifacts that nobody needs are not removed now: ${reason}`,
      );
    }
  }
}
