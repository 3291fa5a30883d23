/**
 * Snapshots: copies of what a program wrote, that nobody writes to any more.
 *
 * Promise: a copy is whole, or there is none: what changes while it is copied is not taken.
 * Copies, not hard links: a program that writes its file anew in place would change what was linked. Where the file
 * system shares blocks, a copy costs next to nothing.
 *
 * @module
 */
import { lstat, readdir } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";

/** Files, folders and links of one snapshot. */
export const SNAPSHOT_ENTRIES_MAX = 100_000;

/** A change within one tick of the file system's clock cannot be seen: what is younger than two of them is waited for. */
const CLOCK_TICKS_MS = 20;

/** What tells one state of a file from another. */
export interface FileState {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly key: string;
  readonly changedMs: number;
}

/** The state of a file, a folder or a link. @throws Error where it cannot be looked at */
export async function stateOf(path: string): Promise<FileState> {
  const info = await lstat(path, { bigint: true });
  const kind = info.isFile()
    ? "file"
    : info.isDirectory()
    ? "folder"
    : info.isSymbolicLink()
    ? "link"
    : "other";
  const key = `${kind} ${info.ino} ${info.size} ${info.mtimeNs} ${info.ctimeNs}`;
  return { kind, key, changedMs: Number(info.mtimeMs) };
}

/**
 * Copies a file or a folder with all that is in it. Links stay links, and may not lead out.
 *
 * @param from absolute, no link
 * @param to what is not there yet; its parent is
 * @param before a state of `from` to hold it to, where it was looked at earlier
 * @returns what is wrong, in words; then nothing is left at `to`
 */
export async function takeSnapshot(
  from: string,
  to: string,
  before?: FileState,
): Promise<string | undefined> {
  const problem = await copyWhole(from, to, before).catch(wordsOf);
  if (problem !== undefined) await Deno.remove(to, { recursive: true }).catch(() => {});
  return problem;
}

async function copyWhole(
  from: string,
  to: string,
  before: FileState | undefined,
): Promise<string | undefined> {
  const entries = await listTree(from);
  if (typeof entries === "string") return entries;
  if (before?.kind === "file" && before.key !== entries.get("")?.key) return TORN;
  const youngestMs = Math.max(...[...entries.values()].map(({ changedMs }) => changedMs));
  await later(CLOCK_TICKS_MS - (Date.now() - youngestMs));
  for (const [name, { kind }] of entries) {
    const problem = await copyEntry(from, to, name, kind);
    if (problem !== undefined) return problem;
  }
  const after = await listTree(from);
  if (typeof after === "string") return after;
  const isSame = after.size === entries.size &&
    [...entries].every(([name, { key }]) => after.get(name)?.key === key);
  return isSame ? undefined : TORN;
}

const TORN = "it changed while it was read";

/** All that is below a path, by its relative name, each folder before what is in it; the path itself is "". */
async function listTree(root: string): Promise<Map<string, FileState> | string> {
  const entries = new Map([["", await stateOf(root)]]);
  // A map hands out what is added while it is walked.
  for (const [name, { kind }] of entries) {
    if (kind !== "folder") continue;
    for (const child of await readdir(join(root, name))) {
      const path = name === "" ? child : `${name}/${child}`;
      entries.set(path, await stateOf(join(root, path)));
      if (entries.size > SNAPSHOT_ENTRIES_MAX) return `it has more than ${SNAPSHOT_ENTRIES_MAX} files`;
    }
  }
  return entries;
}

async function copyEntry(
  from: string,
  to: string,
  name: string,
  kind: FileState["kind"],
): Promise<string | undefined> {
  const source = join(from, name), target = join(to, name);
  switch (kind) {
    case "file":
      await Deno.copyFile(source, target);
      return undefined;
    case "folder":
      await Deno.mkdir(target, { mode: 0o700 });
      return undefined;
    case "link": {
      const goal = await Deno.readLink(source);
      if (!isBelow(from, resolve(dirname(source), goal)) || goal.startsWith(sep)) {
        return `${name} is a link that leads out of it`;
      }
      await Deno.symlink(goal, target);
      return undefined;
    }
    case "other":
      return `${name === "" ? "it" : name} is neither a file nor a folder`;
  }
}

/** Whether a path is a folder, or in it. Both absolute. */
export function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}

/** What the system said, without the paths of whoever asked it. */
function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotFound || /^ENOENT/.test(words)) return "it is not there";
  return words;
}

async function later(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(ms, CLOCK_TICKS_MS)));
}
