/**
 * Files of an attempt's folder that match its patterns.
 *
 * Promise: what is found lies in the folder: a link is followed only to a file within it.
 *
 * @module
 */
import { join } from "node:path";
import { filePatterns } from "./patterns.ts";

/** A file that matches. */
export interface MatchingFile {
  /** Below the folder. */
  readonly name: string;
  /** Absolute; without links. */
  readonly path: string;
}

/** Looks no further where a folder has more entries. */
export const ENTRIES_LOOKED_AT_MAX = 100_000;

/** What was found. */
export interface Matching {
  /** In the order of their names. */
  readonly files: readonly MatchingFile[];
  /** Whether all of the folder was looked at. */
  readonly isWhole: boolean;
}

/**
 * Finds the files of a folder that match.
 *
 * @param max looks no further once there are more
 * @throws Error where the folder cannot be read
 */
export async function matchingFiles(
  folder: string,
  patterns: readonly string[],
  max: number,
): Promise<Matching> {
  const { matches, mayMatchBelow } = filePatterns(patterns);
  const root = await Deno.realPath(folder);
  const found: MatchingFile[] = [];
  const folders = [""];
  let looked = 0;
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for await (const entry of Deno.readDir(join(root, below))) {
      looked += 1;
      if (looked > ENTRIES_LOOKED_AT_MAX || found.length > max) {
        return { files: sorted(found), isWhole: false };
      }
      const name = below + entry.name;
      if (entry.isDirectory && mayMatchBelow(name)) folders.push(`${name}/`);
      if (entry.isDirectory || !matches(name)) continue;
      const path = await fileWithin(root, name);
      if (path !== undefined) found.push({ name, path });
    }
  }
  return { files: sorted(found), isWhole: true };
}

function sorted(found: readonly MatchingFile[]): readonly MatchingFile[] {
  return found.toSorted((a, b) => a.name < b.name ? -1 : 1);
}

/** Where a file really is; undefined where that is elsewhere, or it is no file. */
async function fileWithin(root: string, name: string): Promise<string | undefined> {
  try {
    const path = await Deno.realPath(join(root, name));
    return path.startsWith(`${root}/`) && (await Deno.stat(path)).isFile ? path : undefined;
  } catch {
    // A link to nothing, or one to itself.
    return undefined;
  }
}
