/**
 * Trees of files packed into one file.
 *
 * Promise: equal trees give equal bytes, whoever packs them and when; memory is flat whatever the size; a file that changes
 * meanwhile is an error, not a torn copy.
 *
 * @module
 */
import { encodeTarHeader, padded, TAR_BLOCK } from "./tar_header.ts";
import type { TreeEntry } from "./tree_entry.ts";

/** A tree that could not be packed as it was listed. */
export class PackError extends Error {
  override readonly name = "PackError";
}

/** An entry, and where its content is read where that is another file than its name below the root. */
export type PackEntry = TreeEntry & { readonly source?: string | undefined };

/** Read and written so much at a time. */
const CHUNK_BYTES = 256 * 1024;
/** Two empty blocks end a tar file. */
const END = new Uint8Array(TAR_BLOCK * 2);

/**
 * Packs entries of a folder, in their order.
 *
 * @param root what their names are relative to
 * @param path a new file
 * @throws PackError where a file is not as it was listed; Error where the disk says no
 */
export async function packTree(entries: readonly PackEntry[], root: string, path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (const entry of entries) {
    const bytes = entry.type === "file" ? entry.bytes : 0;
    await writeAll(
      file,
      encodeTarHeader({
        name: entry.name,
        type: entry.type,
        bytes,
        isExecutable: entry.type === "file" && entry.isExecutable,
        target: entry.type === "link" ? entry.target : "",
      }),
    );
    if (entry.type !== "file") continue;
    await copyContent(entry.source ?? `${root}/${entry.name}`, bytes, file, chunk);
    await writeAll(file, END.subarray(0, padded(bytes) - bytes));
  }
  await writeAll(file, END);
}

async function copyContent(
  path: string,
  bytes: number,
  to: Deno.FsFile,
  chunk: Uint8Array<ArrayBuffer>,
): Promise<void> {
  using file = await Deno.open(path);
  const before = await file.stat();
  let rest = bytes;
  for (;;) {
    const count = await file.read(chunk);
    if (count === null) break;
    rest -= count;
    if (rest < 0) break;
    await writeAll(to, chunk.subarray(0, count));
  }
  const after = await file.stat();
  if (rest === 0 && before.mtime?.getTime() === after.mtime?.getTime()) return;
  throw new PackError(`${path} changed while it was packed: try again once nothing writes to it`);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length;) from += await file.write(bytes.subarray(from));
}
