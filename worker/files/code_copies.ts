/**
 * Copies of code that programs run in: they may write where they run, and the cache must stay as it came.
 *
 * A command gets a new copy for each attempt, removed at its end. A Python process outlives attempts: there is one copy for
 * each slot, as long as the slot's evaluators are of one code. Modules may not write, and get none.
 *
 * @module
 */
import type { ArtifactRef } from "../../shared/model/artifact.ts";
import type { TreeEntry } from "../../shared/platform/tree_entry.ts";
import { listTree } from "../../shared/platform/tree_list.ts";
import { removeAll, type TransferPlace } from "./place.ts";

/**
 * A copy is made in slices of this length, between which others have their turn. Each slice is done in one go: files of code
 * are small, and a hundred times to another thread and back takes longer than a hundred copies.
 */
const SLICE_MS = 5;
/** A larger file is left to another thread. */
const LARGE_BYTES = 1024 ** 2;
/** Lists of what is in a code that are kept: the cache stays as it came. */
const LISTS_MAX = 4;

/** The copies of one worker. */
export class CodeCopies {
  readonly #place: TransferPlace;
  readonly #slots = new Map<number, { readonly sha256: string; readonly folder: string }>();
  /** By the folder that is copied, the last used last. */
  readonly #lists = new Map<string, readonly TreeEntry[]>();

  constructor(place: TransferPlace) {
    this.#place = place;
  }

  /** A copy for one attempt: its taker removes it. @throws Error where the disk says no or the signal came */
  async copy(from: string, signal: AbortSignal): Promise<string> {
    const folder = await this.#place.makeFolder();
    try {
      await copyTree(await this.#list(from), from, folder, signal);
      return folder;
    } catch (error) {
      await removeAll(folder);
      throw error;
    }
  }

  /** The copy of a slot. @throws as `copy` does */
  async ofSlot(slot: number, { sha256 }: ArtifactRef, from: string, signal: AbortSignal): Promise<string> {
    const present = this.#slots.get(slot);
    if (present?.sha256 === sha256 && await isFolder(present.folder)) return present.folder;
    this.#slots.delete(slot);
    if (present !== undefined) await removeAll(present.folder);
    const folder = await this.copy(from, signal);
    this.#slots.set(slot, { sha256, folder });
    return folder;
  }

  async #list(folder: string): Promise<readonly TreeEntry[]> {
    let entries = this.#lists.get(folder);
    if (entries === undefined) {
      const listed = await listTree(folder);
      if (!listed.ok) throw new Error(listed.problems.join("; "));
      entries = listed.entries;
    }
    this.#lists.delete(folder);
    this.#lists.set(folder, entries);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > LISTS_MAX && oldest !== undefined) this.#lists.delete(oldest);
    return entries;
  }

  /** Removes those of slots: nothing runs any more. */
  async close(): Promise<void> {
    const folders = [...this.#slots.values()].map(({ folder }) => folder);
    this.#slots.clear();
    await Promise.all(folders.map(removeAll));
  }
}

async function copyTree(
  entries: readonly TreeEntry[],
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  let untilMs = performance.now() + SLICE_MS;
  for (const entry of entries) {
    const target = `${to}/${entry.name}`;
    if (entry.type === "folder") Deno.mkdirSync(target);
    else if (entry.type === "link") Deno.symlinkSync(entry.target, target);
    else if (entry.bytes > LARGE_BYTES) await Deno.copyFile(`${from}/${entry.name}`, target);
    else Deno.copyFileSync(`${from}/${entry.name}`, target);
    if (performance.now() < untilMs) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    untilMs = performance.now() + SLICE_MS;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
