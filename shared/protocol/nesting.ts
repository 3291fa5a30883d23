/**
 * How much a msgpack value would cost its decoder, known before anyone builds it.
 *
 * Promise: reads each byte at most once, holds a few numbers whatever the value is, and throws nothing.
 *
 * The decoder keeps a record for each level that is open, and keeps them for the next value: a frame of four million
 * opened arrays would cost half a gigabyte for good. And it makes room for all elements that an array announces, before
 * it has read one: three thousand arrays within each other, of a hundred thousand announced elements each and of no more
 * than 15 KB together, would cost two gigabytes and seconds.
 *
 * @module
 */

import { FRAME_LEVELS_MAX } from "./limits.ts";

/**
 * Whether a value nests deeper than it may, or announces more values than there are bytes left for them. What is no
 * msgpack, or cut short elsewhere, is left to the decoder.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function isOutsized(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values that are still to come on each open level. */
  const left = new Float64Array(FRAME_LEVELS_MAX);
  let depth = 0;
  /** And on all of them together: each takes a byte at least. */
  let owed = 0;
  for (let at = 0; at < bytes.length;) {
    const children = childrenAt(view, at);
    at += sizeAt(view, at);
    if (depth > 0) owed -= 1;
    if (children > 0) {
      owed += children;
      if (depth === FRAME_LEVELS_MAX || owed > bytes.length - at) return true;
      left[depth++] = children;
      continue;
    }
    for (; depth > 0; depth--) {
      const more = (left[depth - 1] ?? 0) - 1;
      left[depth - 1] = more;
      if (more > 0) break;
    }
    if (depth === 0) return false;
  }
  return false;
}

/** Values directly within the one that begins here. */
function childrenAt(view: DataView, at: number): number {
  const code = view.getUint8(at);
  if (code < 0x80) return 0;
  if (code < 0x90) return 2 * (code - 0x80);
  if (code < 0xa0) return code - 0x90;
  switch (code) {
    case 0xdc:
      return unsigned(view, at + 1, 2);
    case 0xdd:
      return unsigned(view, at + 1, 4);
    case 0xde:
      return 2 * unsigned(view, at + 1, 2);
    case 0xdf:
      return 2 * unsigned(view, at + 1, 4);
    default:
      return 0;
  }
}

/** Bytes of the value that begins here, less those of its children. */
function sizeAt(view: DataView, at: number): number {
  const code = view.getUint8(at);
  if (code < 0xa0 || code >= 0xe0) return 1;
  if (code < 0xc0) return 1 + code - 0xa0;
  switch (code) {
    // Binaries, extensions and texts have the length of their length in their code.
    case 0xc4:
    case 0xd9:
      return 2 + unsigned(view, at + 1, 1);
    case 0xc5:
    case 0xda:
      return 3 + unsigned(view, at + 1, 2);
    case 0xc6:
    case 0xdb:
      return 5 + unsigned(view, at + 1, 4);
    case 0xc7:
      return 3 + unsigned(view, at + 1, 1);
    case 0xc8:
      return 4 + unsigned(view, at + 1, 2);
    case 0xc9:
      return 6 + unsigned(view, at + 1, 4);
    default:
      return 1 + (FIXED_SIZES[code - 0xc0] ?? 0);
  }
}

/** Bytes after the codes from 0xc0 to 0xdf whose size is fixed; of arrays and maps, those of the count. */
const FIXED_SIZES = [
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[4, 8],
  ...[1, 2, 4, 8, 1, 2, 4, 8],
  ...[2, 3, 5, 9, 17],
  ...[0, 0, 0],
  ...[2, 4, 2, 4],
];

/** A number of so many bytes; 0 where it is cut short. */
function unsigned(view: DataView, at: number, size: 1 | 2 | 4): number {
  if (at + size > view.byteLength) return 0;
  if (size === 1) return view.getUint8(at);
  return size === 2 ? view.getUint16(at) : view.getUint32(at);
}
