/**
 * How much of the logs is kept, and for how long.
 *
 * Promise: the oldest tasks' logs go first, and never those of a task that something is being written of; looking for
 * them takes bounded memory, however many there are.
 *
 * @module
 */
import { join } from "node:path";
import { groupId, type TaskId, taskId } from "../../../shared/model/ids.ts";
import { compressSegment, segmentsIn } from "./log_folder.ts";

/** Kept in all, unless told. */
export const LOGS_LIMIT_BYTES_DEFAULT = 1024 ** 3;
/** Kept so long, unless told. */
export const LOGS_KEPT_MS_DEFAULT = 30 * 86_400_000;
/** How often what is too old is looked for. */
export const LOGS_LOOK_EVERY_MS = 6 * 3_600_000;
/** The least between two looks for room: what is being written may be too much by itself, and cannot go. */
export const LOGS_ROOM_EVERY_MS = 30_000;
/** What nobody wrote to for so long is compressed: its worker was lost. */
export const LOG_IDLE_MS = 86_400_000;
/** Down to this part of the limit, so that the next look is not needed soon. */
const ROOM_SHARE = 0.9;
/** Tasks that are removed after one look at them all. */
const OLDEST_MAX = 4_096;
/** The least that a file takes of a disk. */
const BLOCK_BYTES = 4_096;

/** What a retention is given. */
export interface RetentionOptions {
  readonly folder: string;
  readonly limitBytes: number;
  readonly keptMs: number;
  /** Whether something is being written of a task. */
  readonly isOpen: (task: TaskId) => boolean;
  readonly say: (text: string) => void;
}

interface TaskLogs {
  readonly folder: string;
  readonly bytes: number;
  readonly newestMs: number;
}

/** Removes what is too much or too old. */
export class LogRetention {
  readonly #options: RetentionOptions;
  /** Counted at the last look, and what came since; undefined before the first. */
  #bytes: number | undefined;
  #looking: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;
  #roomAtMs = -Infinity;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Looks now, and every few hours. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), LOGS_LOOK_EVERY_MS);
    void this.look();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Something came to the disk, or went. */
  wrote(bytes: number): void {
    if (this.#bytes === undefined) return;
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.limitBytes || performance.now() - this.#roomAtMs < LOGS_ROOM_EVERY_MS) {
      return;
    }
    this.#roomAtMs = performance.now();
    void this.look();
  }

  /** Looks at all of it, and removes what is to go. One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#lookUntilDone().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#isClosed) this.#options.say(`old logs cannot be removed: ${reason}`);
    }).finally(() => this.#looking = undefined);
    return this.#looking;
  }

  async #lookUntilDone(): Promise<void> {
    for (;;) {
      const { total, oldest } = await this.#lookAtAll();
      this.#bytes = total;
      const { limitBytes } = this.#options;
      if (total <= limitBytes || oldest.length === 0) return;
      for (const each of oldest) {
        if (this.#isClosed || this.#bytes <= limitBytes * ROOM_SHARE) return;
        await this.#remove(each);
      }
    }
  }

  async #lookAtAll(): Promise<{ total: number; oldest: readonly TaskLogs[] }> {
    let total = 0;
    let oldest: TaskLogs[] = [];
    const tooOldMs = Date.now() - this.#options.keptMs;
    for await (const { task, folder } of this.#tasks()) {
      const isOpen = this.#options.isOpen(task);
      const logs = await this.#lookAt(folder, isOpen);
      total += logs.bytes;
      if (isOpen) continue;
      if (logs.newestMs < tooOldMs) {
        await this.#remove(logs);
        total -= logs.bytes;
      } else oldest.push(logs);
      if (oldest.length >= 2 * OLDEST_MAX) oldest = oldestOf(oldest);
    }
    return { total, oldest: oldestOf(oldest) };
  }

  async *#tasks(): AsyncGenerator<{ readonly task: TaskId; readonly folder: string }> {
    const { folder } = this.#options;
    for await (const group of foldersIn(folder)) {
      for await (const number of foldersIn(join(folder, group))) {
        if (this.#isClosed) return;
        yield { task: taskId(groupId(group), Number(number)), folder: join(folder, group, number) };
      }
    }
  }

  async #lookAt(folder: string, isOpen: boolean): Promise<TaskLogs> {
    let bytes = BLOCK_BYTES;
    let newestMs = 0;
    for (const { path, isCompressed } of await segmentsIn(folder)) {
      const { size, mtime } = await Deno.stat(path).catch(() => GONE);
      const writtenMs = mtime?.getTime() ?? 0;
      const isLeft = !isOpen && !isCompressed && size > 0 && Date.now() - writtenMs > LOG_IDLE_MS;
      bytes += Math.ceil((isLeft ? await compressSegment(path) : size) / BLOCK_BYTES) * BLOCK_BYTES;
      newestMs = Math.max(newestMs, writtenMs);
    }
    return { folder, bytes, newestMs };
  }

  async #remove({ folder, bytes }: TaskLogs): Promise<void> {
    await Deno.remove(folder, { recursive: true }).catch(ignoreGone);
    if (this.#bytes !== undefined) this.#bytes -= bytes;
    // Where it was the last of its group; with others in it, it stays.
    await Deno.remove(join(folder, "..")).catch(() => {});
  }
}

const GONE: Pick<Deno.FileInfo, "size" | "mtime"> = { size: 0, mtime: null };

function oldestOf(logs: readonly TaskLogs[]): TaskLogs[] {
  return logs.toSorted((a, b) => a.newestMs - b.newestMs).slice(0, OLDEST_MAX);
}

async function* foldersIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) if (isDirectory) yield name;
  } catch (error) {
    ignoreGone(error);
  }
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
