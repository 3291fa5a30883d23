/**
 * The folders of attempts: one for each, kept for a while after its end.
 *
 * Promise: a folder is one attempt's alone, and readable by the worker's user alone; that of a running attempt is never
 * removed; what is kept of ended ones is bounded, those that failed stay longer.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { EPOCH_PATTERN, TASK_ID_PATTERN, taskParts } from "../../shared/model/ids.ts";
import type { Lease } from "../../shared/model/task.ts";

/** Folders of attempts that completed or were stopped are kept so long. */
export const FOLDER_KEPT_MS = 24 * 3_600_000;
/** And so many of them at most, the youngest. */
export const FOLDERS_KEPT_MAX = 200;
/** Folders of attempts that failed, or whose worker died, are kept so long. */
export const FAILED_FOLDER_KEPT_MS = 14 * 24 * 3_600_000;
/** And so many of them at most, the youngest. */
export const FAILED_FOLDERS_KEPT_MAX = 1_000;
/** Old folders are looked for at the start, and again after so many attempts. */
export const ATTEMPTS_BETWEEN_SWEEPS_MAX = 50;

/** How an attempt ended, in its folder: what tells which folders are kept longer. */
const OUTCOME_FILE = "outcome.json";
/** The parent of all of them in a data folder. */
const PARENT = "attempts";
/** Whoever runs one task so often on one worker has another trouble. */
const SAME_NAME_MAX = 10_000;

/** What is written when an attempt has ended. */
export interface FolderOutcome {
  readonly state: "completed" | "failed" | "stopped";
}

/** The folders of one worker. */
export class AttemptFolders {
  readonly #parent: string;
  readonly #live = new Set<string>();
  /** Attempts since the last sweep; the first one sweeps. */
  #since = ATTEMPTS_BETWEEN_SWEEPS_MAX;
  #sweep: Promise<void> = Promise.resolve();

  /** @param dataFolder the worker's, held by this process alone */
  constructor(dataFolder: string) {
    this.#parent = join(resolve(dataFolder), PARENT);
  }

  /**
   * Makes the folder of an attempt.
   *
   * @returns its absolute path
   * @throws Error where it cannot be made
   */
  make(lease: Lease): string {
    if (!TASK_ID_PATTERN.test(lease.task) || !EPOCH_PATTERN.test(lease.epoch)) {
      throw new Error("the lease's names would lead out of the folder of attempts");
    }
    Deno.mkdirSync(this.#parent, { recursive: true, mode: 0o700 });
    const { group, number } = taskParts(lease.task);
    const name = `${group}_${number}_${lease.attempt}`;
    const path = this.#makeFirstFree(name);
    this.#live.add(path);
    this.#since += 1;
    return path;
  }

  /** The folders that are there. */
  existing(): ReadonlySet<string> {
    try {
      return new Set(Array.from(Deno.readDirSync(this.#parent), ({ name }) => join(this.#parent, name)));
    } catch {
      return new Set();
    }
  }

  /** The attempt has ended; its folder may go one day. */
  async ended(path: string, outcome: FolderOutcome): Promise<void> {
    const text = `${JSON.stringify(outcome)}\n`;
    // On a full disk nothing can be written, and the attempt has ended all the same.
    await Deno.writeTextFile(join(path, OUTCOME_FILE), text, { mode: 0o600 }).catch(() => {});
    this.#live.delete(path);
    if (this.#since < ATTEMPTS_BETWEEN_SWEEPS_MAX) return;
    this.#since = 0;
    this.#sweep = this.#sweep.then(() => this.sweep(Date.now())).catch(() => {});
  }

  /** Nobody is removing folders any more. */
  async settled(): Promise<void> {
    await this.#sweep;
  }

  /** Removes what is too old or too much. @param nowMs since 1970 */
  async sweep(nowMs: number): Promise<void> {
    const ended = await this.#listEnded();
    const failed = ended.filter(({ isFailed }) => isFailed);
    const others = ended.filter(({ isFailed }) => !isFailed);
    const old = [
      ...tooOldOrMany(failed, nowMs - FAILED_FOLDER_KEPT_MS, FAILED_FOLDERS_KEPT_MAX),
      ...tooOldOrMany(others, nowMs - FOLDER_KEPT_MS, FOLDERS_KEPT_MAX),
    ];
    for (const { path } of old) await Deno.remove(path, { recursive: true }).catch(() => {});
  }

  /** One that is there already is of another epoch, or of a lease whose first run this process does not know. */
  #makeFirstFree(name: string): string {
    for (let copy = 1; copy <= SAME_NAME_MAX; copy += 1) {
      const path = join(this.#parent, copy === 1 ? name : `${name}_${copy}`);
      try {
        Deno.mkdirSync(path, { mode: 0o700 });
        return path;
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
    throw new Error(`there are ${SAME_NAME_MAX} folders ${name} in ${this.#parent}`);
  }

  async #listEnded(): Promise<EndedFolder[]> {
    const ended: EndedFolder[] = [];
    for await (const { name, isDirectory } of Deno.readDir(this.#parent)) {
      const path = join(this.#parent, name);
      if (!isDirectory || this.#live.has(path)) continue;
      const { mtime } = await Deno.stat(path);
      ended.push({ path, endedMs: mtime?.getTime() ?? 0, isFailed: await hasFailed(path) });
    }
    return ended;
  }
}

interface EndedFolder {
  readonly path: string;
  readonly endedMs: number;
  readonly isFailed: boolean;
}

function tooOldOrMany(folders: readonly EndedFolder[], sinceMs: number, max: number): EndedFolder[] {
  const youngestFirst = folders.toSorted((a, b) => b.endedMs - a.endedMs);
  return youngestFirst.filter(({ endedMs }, index) => index >= max || endedMs < sinceMs);
}

/** Where nothing was written, the worker died; someone may want to know with what. */
async function hasFailed(path: string): Promise<boolean> {
  try {
    const outcome: unknown = JSON.parse(await Deno.readTextFile(join(path, OUTCOME_FILE)));
    const isKnown = typeof outcome === "object" && outcome !== null && "state" in outcome;
    return !isKnown || outcome.state === "failed";
  } catch {
    return true;
  }
}
