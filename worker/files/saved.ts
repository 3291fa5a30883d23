/**
 * Checkpoints as artifacts: a file or a folder in one pack, and back.
 *
 * Promise: what is unpacked has the name and the kind that were packed; a folder's links stay within it.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { type PackEntry, PackError, packTree } from "../../shared/platform/tar_pack.ts";
import { UnpackError, unpackTree } from "../../shared/platform/tar_unpack.ts";
import { listTree } from "../../shared/platform/tree_list.ts";

/** In a pack a checkpoint lies in one of two folders, which say what it is. */
const KINDS = { file: "file", folder: "folder" } as const;

/**
 * Packs what an evaluator saved.
 *
 * @param path a file or a folder that nobody writes to
 * @param to a new file
 * @throws PackError that says what cannot be packed; Error where the disk says no
 */
export async function packSaved(path: string, to: string): Promise<void> {
  const { isFile, isDirectory, size } = await Deno.lstat(path);
  if (isFile) {
    const name = `${KINDS.file}/${basename(path)}`;
    const entry: PackEntry = { type: "file", name, bytes: size, isExecutable: false, source: path };
    return await packTree([entry], dirname(path), to);
  }
  if (!isDirectory) throw new PackError(`${path} is neither a file nor a folder`);
  const listed = await listTree(path);
  if (!listed.ok) throw new PackError(listed.problems.join("; "));
  const entries = listed.entries.map((entry) => ({
    ...entry,
    name: `${KINDS.folder}/${entry.name}`,
    source: join(path, entry.name),
  }));
  await packTree([{ type: "folder", name: KINDS.folder }, ...entries], path, to);
}

/**
 * Unpacks it again.
 *
 * @param folder an empty one
 * @returns where the file or the folder is
 * @throws UnpackError where it is no checkpoint; Error where the disk says no
 */
export async function unpackSaved(path: string, folder: string, signal: AbortSignal): Promise<string> {
  await unpackTree(path, folder, { signal });
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  if (names.length === 1 && names[0] === KINDS.folder) return join(folder, KINDS.folder);
  if (names.length === 1 && names[0] === KINDS.file) {
    const files = Array.from(Deno.readDirSync(join(folder, KINDS.file)), ({ name }) => name);
    if (files.length === 1) return join(folder, KINDS.file, ...files);
  }
  throw new UnpackError("the pack holds something other than one file or one folder");
}
