/**
 * A restored checkpoint, where a program looks for it.
 *
 * @module
 */
import { copyFileSync, linkSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * Puts a restored checkpoint into the folder where the program looks for it.
 *
 * @param restored a folder's content goes there, a file goes there by its name; it is this attempt's alone, so that the
 * program may write to what is linked
 * @throws Error where the system cannot
 */
export function putBack(restored: string, checkpoints: string): void {
  const info = Deno.lstatSync(restored);
  if (!info.isDirectory) return linkTree(restored, join(checkpoints, basename(restored)));
  for (const { name } of Deno.readDirSync(restored)) linkTree(join(restored, name), join(checkpoints, name));
}

function linkTree(from: string, to: string): void {
  const info = Deno.lstatSync(from);
  if (info.isSymlink) return Deno.symlinkSync(Deno.readLinkSync(from), to);
  if (!info.isDirectory) return linkOrCopy(from, to);
  Deno.mkdirSync(to, { mode: 0o700 });
  for (const { name } of Deno.readDirSync(from)) linkTree(join(from, name), join(to, name));
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system, or one without links.
    copyFileSync(from, to);
  }
}
