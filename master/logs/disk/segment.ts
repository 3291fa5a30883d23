/**
 * Segments: a stream of output as files that are appended to, and later compressed.
 *
 * A segment begins with a line that says whose it is; records follow, each with its place in the stream. So the last
 * record, torn by a crash, is known as such, and what was left out between two records is known too.
 *
 * @module
 */
import type { Epoch } from "../../../shared/model/ids.ts";
import type { KeptPiece } from "../logs.ts";

/** A segment has about so many bytes. */
export const SEGMENT_BYTES = 256 * 1024;
/** The first of a stream that stay: its head. */
export const HEAD_SEGMENTS = 2;
/** The last of a stream that stay, the growing one among them: at least as much as the head. */
export const TAIL_SEGMENTS = 3;

const MARK = "espalier-log-1 ";
/** A byte that begins each record, then time, offset and length. */
const RECORD_MARK = 0xa5;
const RECORD_HEAD_BYTES = 1 + 8 + 8 + 4;

/** Whose output a segment holds. */
export interface SegmentOwner {
  readonly epoch: Epoch;
  readonly worker: string;
}

/** What a segment holds, from some position on. */
export interface SegmentContent {
  readonly owner: SegmentOwner;
  readonly records: readonly SegmentRecord[];
  /** Up to here it is whole; what follows was torn. */
  readonly wholeBytes: number;
}

/** A piece, and where the next one begins. */
export interface SegmentRecord extends KeptPiece {
  readonly next: number;
}

/** The beginning of a segment. */
export function segmentHead({ epoch, worker }: SegmentOwner): Uint8Array {
  return new TextEncoder().encode(`${MARK}${JSON.stringify([epoch, worker])}\n`);
}

/** A piece as it is appended. */
export function recordOf({ offset, data, atMs }: KeptPiece): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[0] = RECORD_MARK;
  view.setFloat64(1, atMs);
  view.setFloat64(9, offset);
  view.setUint32(17, data.byteLength);
  bytes.set(data, RECORD_HEAD_BYTES);
  return bytes;
}

/** Reads a segment. @returns nothing where it is none */
export function readSegment(bytes: Uint8Array, from = 0): SegmentContent | undefined {
  const newline = bytes.indexOf(10);
  const owner = newline < 0 ? undefined : ownerIn(new TextDecoder().decode(bytes.subarray(0, newline)));
  if (owner === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: SegmentRecord[] = [];
  let position = Math.max(newline + 1, from);
  while (position + RECORD_HEAD_BYTES <= bytes.byteLength && bytes[position] === RECORD_MARK) {
    const length = view.getUint32(position + 17);
    const next = position + RECORD_HEAD_BYTES + length;
    if (next > bytes.byteLength) break;
    const data = bytes.subarray(position + RECORD_HEAD_BYTES, next);
    records.push({ atMs: view.getFloat64(position + 1), offset: view.getFloat64(position + 9), data, next });
    position = next;
  }
  return { owner, records, wholeBytes: position };
}

function ownerIn(line: string): SegmentOwner | undefined {
  if (!line.startsWith(MARK)) return undefined;
  try {
    const parsed: unknown = JSON.parse(line.slice(MARK.length));
    if (!Array.isArray(parsed)) return undefined;
    const [epoch, worker] = parsed;
    // It was written by this program, from an epoch.
    if (typeof epoch === "string" && typeof worker === "string") return { epoch: epoch as Epoch, worker };
  } catch {
    // No head of ours.
  }
  return undefined;
}
