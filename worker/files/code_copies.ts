/**
 * Copies of code that programs run in: they may write where they run, and the cache must stay as it came.
 *
 * A command gets a new copy for each attempt, removed at its end. A Python process outlives attempts: there is one copy for
 * each slot, as long as the slot's evaluators are of one code. Modules may not write, and get none.
 *
 * @module
 */
import type { ArtifactRef } from "../../shared/model/artifact.ts";
import { listTree } from "../../shared/platform/tree_list.ts";
import { removeAll, type TransferPlace } from "./place.ts";

/** Files that are copied at a time. */
const COPIES_AT_A_TIME = 16;

/** The copies of one worker. */
export class CodeCopies {
  readonly #place: TransferPlace;
  readonly #slots = new Map<number, { readonly sha256: string; readonly folder: string }>();

  constructor(place: TransferPlace) {
    this.#place = place;
  }

  /** A copy for one attempt: its taker removes it. @throws Error where the disk says no or the signal came */
  async copy(from: string, signal: AbortSignal): Promise<string> {
    const folder = await this.#place.makeFolder();
    try {
      await copyTree(from, folder, signal);
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

  /** Removes those of slots: nothing runs any more. */
  async close(): Promise<void> {
    const folders = [...this.#slots.values()].map(({ folder }) => folder);
    this.#slots.clear();
    await Promise.all(folders.map(removeAll));
  }
}

async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const listed = await listTree(from);
  if (!listed.ok) throw new Error(listed.problems.join("; "));
  const files: string[] = [];
  for (const entry of listed.entries) {
    if (entry.type === "folder") await Deno.mkdir(`${to}/${entry.name}`);
    else if (entry.type === "link") await Deno.symlink(entry.target, `${to}/${entry.name}`);
    else files.push(entry.name);
  }
  for (let at = 0; at < files.length; at += COPIES_AT_A_TIME) {
    signal.throwIfAborted();
    const some = files.slice(at, at + COPIES_AT_A_TIME);
    await Promise.all(some.map((name) => Deno.copyFile(`${from}/${name}`, `${to}/${name}`)));
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
