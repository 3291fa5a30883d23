/**
 * What is in a folder, in an order that depends on nothing else.
 *
 * Promise: no link is followed; what is there and cannot travel is named.
 *
 * @module
 */
import { FILE_NAME_MAX, isFileName } from "../model/artifact.ts";
import { staysWithin, type TreeEntry } from "./tree_entry.ts";

/** How a folder is listed. */
export interface ListOptions {
  /** Whether an entry does not belong to it; of a folder, then, nothing does. */
  readonly isLeftOut?: ((name: string, isFolder: boolean) => boolean | Promise<boolean>) | undefined;
  /** Looks no further once there are more. */
  readonly entriesMax?: number | undefined;
}

/** The entries of a folder, or one sentence for each that cannot travel. */
export type TreeListed =
  | { readonly ok: true; readonly entries: readonly TreeEntry[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** So many problems are told: the rest is of the same kind. */
const PROBLEMS_MAX = 10;

/**
 * Lists a folder with all that is below.
 *
 * @throws Error where it cannot be read
 */
export async function listTree(root: string, options: ListOptions = {}): Promise<TreeListed> {
  const { isLeftOut = () => false, entriesMax = Infinity } = options;
  const entries: TreeEntry[] = [];
  const problems: string[] = [];
  const folders = [""];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for await (const { name: last, isDirectory } of Deno.readDir(`${root}/${below}`)) {
      const name = below + last;
      if (await isLeftOut(name, isDirectory)) continue;
      const entry = await entryOf(root, name).catch((error) => unlessGone(name, error));
      if (entry === undefined) continue;
      if (typeof entry === "string") problems.push(entry);
      else entries.push(entry);
      if (isDirectory) folders.push(`${name}/`);
      if (entries.length > entriesMax || problems.length >= PROBLEMS_MAX) break;
    }
    if (entries.length > entriesMax || problems.length >= PROBLEMS_MAX) break;
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, entries: entries.sort((a, b) => a.name < b.name ? -1 : 1) };
}

/** What was removed meanwhile was not there. What has a name that is no text cannot be found by it. */
function unlessGone(name: string, error: unknown): string | undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  return name.includes("\ufffd") ? `${name} has a name that is no UTF-8: rename it` : undefined;
}

async function entryOf(root: string, name: string): Promise<TreeEntry | string> {
  if (!isFileName(name)) {
    return `${name} has a name that cannot travel: rename it, without backslash and line break, and with at most ` +
      `${FILE_NAME_MAX} characters in all`;
  }
  const { isFile, isDirectory, isSymlink, size, mode } = await Deno.lstat(`${root}/${name}`);
  if (isDirectory) return { type: "folder", name };
  if (isFile) return { type: "file", name, bytes: size, isExecutable: ((mode ?? 0) & 0o100) !== 0 };
  if (!isSymlink) return `${name} is neither a file, a folder nor a link: it cannot travel`;
  const target = await Deno.readLink(`${root}/${name}`);
  if (staysWithin(name, target)) return { type: "link", name, target };
  return `${name} is a link to ${target}, which is not within the folder by a path of its own: ` +
    "put a file there instead, or a relative link";
}
