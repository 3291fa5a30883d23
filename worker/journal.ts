/**
 * The journal: results of long attempts on the worker's own disk, until the master has acknowledged them.
 *
 * Promise: what `append` has answered for is there after a crash of the process or the machine, unless the disk refused and
 * `trouble` said so. Nothing here throws into its caller once the journal is open: a full disk costs the safety net and
 * not the worker.
 * Not here: when a result is sent, and which are worth the disk (outbox).
 *
 * @module
 */
import { join } from "node:path";
import { type Lease, leaseKey } from "../shared/model/task.ts";
import type { Report, Result } from "../shared/protocol/worker_envelopes.ts";
import { encodeEntry, type JournalEntry, readEntries } from "./journal_entry.ts";
import type { JournaledResult } from "./tree_ports.ts";

/** How a journal is kept. */
export interface JournalOptions {
  /** Is told in a sentence what the disk refused, or what was found damaged. */
  readonly trouble?: ((message: string) => void) | undefined;
  /** A longer file is written anew with only what is not settled. */
  readonly fileMaxBytes?: number | undefined;
}

/** A journal that is open. */
export interface ResultJournal {
  /** The results that are not settled, of earlier lives too, oldest first. */
  waiting(): readonly JournaledResult[];
  /** Resolves when the result is on the disk with the reports before it, or when the disk has refused it. */
  append(result: Result, reports?: readonly Report[]): Promise<void>;
  /** The master has acknowledged: the result is not needed any more. */
  settle(lease: Lease): void;
  /**
   * Puts a result that the master does not know of where a person finds it, and settles it.
   *
   * @returns the file, or undefined where the disk refused; the result stays in the journal then
   */
  setAside(result: Result, reason: string): Promise<string | undefined>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/** Unless told: some 50,000 results. */
export const JOURNAL_MAX_BYTES = 8 * 1024 * 1024;
/** Files in the worker's data folder. */
const FILE = "results.journal";
const SET_ASIDE = "set-aside";

/**
 * Opens the journal in a worker's data folder, and leaves out what a crash left half written or a disk has damaged.
 *
 * @throws Error where the folder cannot be used at all
 */
export async function openJournal(folder: string, options: JournalOptions = {}): Promise<ResultJournal> {
  const journal = new FileJournal(folder, options);
  await journal.open();
  return journal;
}

/** Entries that wait for the disk, and who waits for them. */
interface Waiting {
  readonly bytes: Uint8Array[];
  /** Whether it must be on the disk, and not only on its way there. */
  isDurable: boolean;
  readonly done: PromiseWithResolvers<void>;
}

class FileJournal implements ResultJournal {
  readonly #folder: string;
  readonly #path: string;
  readonly #trouble: (message: string) => void;
  readonly #fileMaxBytes: number;
  readonly #unsettled = new Map<string, JournaledResult>();
  #waiting: Waiting | undefined;
  #writing: Promise<void> | undefined;
  #file: Deno.FsFile | undefined;
  #bytes = 0;
  /** Its length when it was last written anew. */
  #rewrittenBytes = 0;
  /** The file may hold half an entry: it is written anew before anything is added. */
  #isTorn = false;

  constructor(folder: string, { trouble, fileMaxBytes }: JournalOptions) {
    this.#folder = folder;
    this.#path = join(folder, FILE);
    this.#trouble = trouble ?? (() => {});
    this.#fileMaxBytes = fileMaxBytes ?? JOURNAL_MAX_BYTES;
  }

  async open(): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#file = await Deno.open(this.#path, { read: true, write: true, create: true, mode: 0o600 });
    const file = await Deno.readFile(this.#path);
    const { entries, bytes, later } = readEntries(file);
    for (const entry of entries) {
      if (entry.type === "result") {
        this.#unsettled.set(leaseKey(entry.result), { result: entry.result, reports: entry.reports ?? [] });
      } else this.#unsettled.delete(entry.key);
    }
    this.#bytes = bytes;
    if (bytes < file.length) this.#trouble(damageWords(this.#path, file.length, bytes, later));
    // Where that fails, the next write does it.
    if (later > 0) await this.#rewrite().catch(() => this.#isTorn = true);
    else if (bytes < file.length) {
      await this.#file.truncate(bytes);
      await this.#file.sync();
    }
    await this.#file.seek(this.#bytes, Deno.SeekMode.Start);
    await syncFolder(this.#folder);
  }

  waiting(): readonly JournaledResult[] {
    return [...this.#unsettled.values()];
  }

  append(result: Result, reports: readonly Report[] = []): Promise<void> {
    this.#unsettled.set(leaseKey(result), { result, reports });
    return this.#enqueue({ type: "result", result, reports }, true);
  }

  settle(lease: Lease): void {
    const key = leaseKey(lease);
    // A settlement that a crash swallows costs one more sending of the result, which is harmless: no waiting for the disk.
    if (this.#unsettled.delete(key)) this.#enqueue({ type: "settled", key }, false);
  }

  async setAside(result: Result, reason: string): Promise<string | undefined> {
    const folder = join(this.#folder, SET_ASIDE);
    const { task, attempt, epoch } = result;
    const path = join(folder, `${task.replace("/", "_")}.${attempt}.${epoch}.json`);
    const text = JSON.stringify({ reason, setAsideAt: new Date().toISOString(), ...result }, undefined, 2);
    try {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(path, `${text}\n`, { mode: 0o600 });
    } catch (error) {
      this.#trouble(`the result of ${task} cannot be set aside in ${path}: ${wordsOf(error)}`);
      return undefined;
    }
    this.#trouble(`the result of ${task}, attempt ${attempt}, was set aside in ${path}: ${reason}`);
    this.settle(result);
    return path;
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.#file?.close();
    this.#file = undefined;
  }

  /** Entries that come while the disk is at work go out together with its next write. */
  #enqueue(entry: JournalEntry, isDurable: boolean): Promise<void> {
    if (this.#file === undefined) return Promise.resolve();
    this.#waiting ??= { bytes: [], isDurable: false, done: Promise.withResolvers() };
    this.#waiting.bytes.push(encodeEntry(entry));
    this.#waiting.isDurable ||= isDurable;
    const { promise } = this.#waiting.done;
    this.#writing ??= this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    // What is asked in one turn is written once.
    await Promise.resolve();
    while (this.#waiting !== undefined) {
      const { bytes, isDurable, done } = this.#waiting;
      this.#waiting = undefined;
      await this.#write(bytes, isDurable);
      done.resolve();
    }
    // In the turn that found nothing waiting, or what comes next would wait for ever.
    this.#writing = undefined;
  }

  async #write(entries: readonly Uint8Array[], isDurable: boolean): Promise<void> {
    const length = entries.reduce((sum, { length }) => sum + length, 0);
    try {
      if (this.#unsettled.size === 0) {
        await this.#empty();
      } else if (this.#isTorn || this.#bytes + length > this.#rewriteAtBytes() || await this.#isGone()) {
        await this.#rewrite();
      } else {
        await this.#add(entries, isDurable);
      }
    } catch (error) {
      // Said once, and again only after it has worked in between.
      if (!this.#isTorn) this.#trouble(`results are not safe from a crash: ${this.#path}: ${wordsOf(error)}`);
      this.#isTorn = true;
    }
  }

  /** Someone has deleted the file, such as a chore that empties temporary folders: what is added is kept nowhere. */
  async #isGone(): Promise<boolean> {
    return (await this.#file?.stat())?.nlink === 0;
  }

  /** Where little of the file is settled, to write it anew would gain nothing. */
  #rewriteAtBytes(): number {
    return Math.max(this.#fileMaxBytes, 2 * this.#rewrittenBytes);
  }

  async #add(entries: readonly Uint8Array[], isDurable: boolean): Promise<void> {
    if (this.#file === undefined) return;
    for (const bytes of entries) {
      await writeAll(this.#file, bytes);
      this.#bytes += bytes.length;
    }
    if (isDurable) await this.#file.syncData();
  }

  /** The common case of a worker that keeps up: all is settled. */
  async #empty(): Promise<void> {
    await this.#file?.truncate(0);
    await this.#file?.seek(0, Deno.SeekMode.Start);
    this.#bytes = 0;
    this.#isTorn = false;
  }

  /** The file anew, with what is not settled: whole or not at all. */
  async #rewrite(): Promise<void> {
    const draft = `${this.#path}.new`;
    const file = await Deno.open(draft, {
      read: true,
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    let bytes = 0;
    try {
      for (const each of this.#unsettled.values()) {
        const entry = encodeEntry({ type: "result", ...each });
        await writeAll(file, entry);
        bytes += entry.length;
      }
      await file.sync();
      await Deno.rename(draft, this.#path);
    } catch (error) {
      file.close();
      // It takes space that a full disk has not.
      await Deno.remove(draft).catch(() => {});
      throw error;
    }
    this.#file?.close();
    this.#file = file;
    this.#bytes = this.#rewrittenBytes = bytes;
    this.#isTorn = false;
    await syncFolder(this.#folder);
  }
}

function damageWords(path: string, length: number, bytes: number, later: number): string {
  if (later === 0) {
    return `the journal ${path} ended in ${length - bytes} bytes that a crash left half written`;
  }
  return `the journal ${path} is damaged from byte ${bytes} on: a result may be lost; ${later} entries behind it were kept`;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** A new name in a folder is on the disk when the folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path);
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
