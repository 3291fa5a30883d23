/**
 * Entries of the journal as bytes: a length, a checksum, and msgpack.
 *
 * Promise: entries are read up to the first that is torn or damaged; what was written whole before it is never lost.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import { type Report, report, type Result, result } from "../shared/protocol/worker_envelopes.ts";

/** One entry: a result, or the key of one that is settled. */
export type JournalEntry =
  | { readonly type: "result"; readonly result: Result; readonly reports?: readonly Report[] | undefined }
  | { readonly type: "settled"; readonly key: string };

/** Bytes before each entry: its length and its CRC-32, big-endian. */
const HEAD_BYTES = 8;

/** An entry as it stands in the file. */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  const body = encode(entry, { ignoreUndefined: true });
  const bytes = new Uint8Array(HEAD_BYTES + body.length);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, body.length);
  head.setUint32(4, crc32(body));
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** The entries at the beginning of a file, and how many bytes of it they take. */
export function readEntries(file: Uint8Array): { readonly entries: JournalEntry[]; readonly bytes: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const entries: JournalEntry[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= file.length) {
    const end = at + HEAD_BYTES + view.getUint32(at);
    const body = file.subarray(at + HEAD_BYTES, end);
    if (end > file.length || crc32(body) !== view.getUint32(at + 4)) break;
    const entry = decodeEntry(body);
    if (entry === undefined) break;
    entries.push(entry);
    at = end;
  }
  return { entries, bytes: at };
}

const entry = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("result"), result, reports: z.array(report).optional() }),
  z.strictObject({ type: z.literal("settled"), key: z.string() }),
]);

/** An empty body has the checksum 0, as a file of zeros has after a crash of the machine: it decodes to nothing. */
function decodeEntry(body: Uint8Array): JournalEntry | undefined {
  try {
    return entry.safeParse(decode(body)).data;
  } catch {
    return undefined;
  }
}
