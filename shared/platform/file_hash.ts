/**
 * The hash of a file, read in pieces: memory stays flat whatever the file's size.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";

/** Bytes that are read at once: larger pieces are not hashed faster. */
const PIECE_BYTES = 256 * 1024;

/** A hash in the making, as artifacts are named by. */
export function sha256(): Hash {
  return createHash("sha256");
}

/**
 * Adds a file's bytes to a hash, from where the file stands.
 *
 * @param limit stops after so many bytes
 * @param goesOn is asked before each piece; the reading ends where it says no
 * @returns how many bytes were added
 */
export async function addFile(
  file: Deno.FsFile,
  hash: Hash,
  limit = Infinity,
  goesOn: () => boolean = () => true,
): Promise<number> {
  const buffer = new Uint8Array(PIECE_BYTES);
  let bytes = 0;
  while (bytes < limit && goesOn()) {
    const read = await file.read(buffer.subarray(0, Math.min(PIECE_BYTES, limit - bytes)));
    if (read === null) break;
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  return bytes;
}

/** Writes all of some bytes. */
export async function writeAll(
  writer: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) written += await writer.write(bytes.subarray(written));
}
