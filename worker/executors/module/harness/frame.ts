/**
 * Frames between the worker and the harness: a length of four bytes, big-endian, and JSON in UTF-8.
 *
 * What the harness writes goes through the evaluator's own standard output, among whatever the evaluator prints. So each
 * of its frames begins with a newline and a random mark that the worker looks for; all else was printed.
 *
 * @module
 */

/** A frame's JSON, in bytes. A layer graph of a thousand nodes takes 200 kB. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Random bytes in a mark: no print hits it by accident. */
export const MARK_BYTES = 16;
/** Bytes of the length that stands before the JSON. */
export const LENGTH_BYTES = 4;

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A message as a frame, after a prefix. */
export function encodeFrame(message: unknown, prefix = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const body = utf8.encode(JSON.stringify(message));
  const frame = new Uint8Array(prefix.length + LENGTH_BYTES + body.length);
  frame.set(prefix);
  new DataView(frame.buffer).setUint32(prefix.length, body.length);
  frame.set(body, prefix.length + LENGTH_BYTES);
  return frame;
}

/** The length that stands at an offset. */
export function lengthAt(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, LENGTH_BYTES).getUint32(0);
}

/** The JSON of a frame's body. @throws SyntaxError where it is none */
export function decodeBody(body: Uint8Array): unknown {
  return JSON.parse(text.decode(body));
}

/** What stands before each frame of a harness with this mark. */
export function prefixOf(mark: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([NEWLINE, ...Uint8Array.fromHex(mark)]);
}

const NEWLINE = 10;
