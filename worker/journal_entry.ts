/**
 * Entries of the journal as bytes: a length, a checksum, and msgpack.
 *
 * Promise: what was written whole is read, whatever stands before or behind it.
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

/** What was found in a file. */
export interface JournalContent {
  readonly entries: JournalEntry[];
  /** How many bytes at its beginning are whole entries. */
  readonly bytes: number;
  /** How many entries stand behind something that is none. */
  readonly later: number;
}

/** The entries of a file. Behind a damaged one the next that is whole is looked for. */
export function readEntries(file: Uint8Array): JournalContent {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const entries: JournalEntry[] = [];
  let bytes: number | undefined;
  let later = 0;
  for (let at = 0; at < file.length;) {
    const end = endOf(file, view, at);
    const entry = end === undefined ? undefined : decodeEntry(file.subarray(at + HEAD_BYTES, end));
    if (end === undefined || entry === undefined) {
      bytes ??= at;
      at = nextHead(file, at + 1);
      continue;
    }
    entries.push(entry);
    if (bytes !== undefined) later += 1;
    at = end;
  }
  return { entries, bytes: bytes ?? file.length, later };
}

/** Where the entry ends that begins at a place; undefined where none does. */
function endOf(file: Uint8Array, view: DataView, at: number): number | undefined {
  if (at + HEAD_BYTES > file.length) return undefined;
  const end = at + HEAD_BYTES + view.getUint32(at);
  if (end > file.length) return undefined;
  return crc32(file.subarray(at + HEAD_BYTES, end)) === view.getUint32(at + 4) ? end : undefined;
}

/** Where the head of an entry may stand, from a place on: before a map of few fields that begins with `type`. */
function nextHead(file: Uint8Array, from: number): number {
  for (
    let at = file.indexOf(TYPE_MARK[0] ?? 0, from);
    at >= 0;
    at = file.indexOf(TYPE_MARK[0] ?? 0, at + 1)
  ) {
    const head = at - 1 - HEAD_BYTES;
    if (head >= from && TYPE_MARK.every((byte, index) => file[at + index] === byte)) return head;
  }
  return file.length;
}

/** The key `type` in msgpack; the map's own byte stands before it. */
const TYPE_MARK = encode("type");

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
