/**
 * The trace: what happened, as lines and as one hash.
 *
 * Promise: the same events in the same order give the same hash, on every machine, whether anyone reads along or not;
 * memory holds the last lines only. Frames are decoded only for whoever reads.
 *
 * @module
 */
import { wordsOf } from "./frame_words.ts";

/** Lines that are kept for whoever reads why a run failed. */
const TAIL_LINES = 300;

/** A line that nobody may ever read. */
interface Entry {
  readonly atMs: number;
  readonly what: string;
  readonly frame: Uint8Array | undefined;
}

/** Everything that could be seen from outside, in order. */
export class Trace {
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);
  #tail: Entry[] = [];
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  lines = 0;

  /** @param print is given every line, where one wants to read along */
  constructor(now: () => number, print?: (line: string) => void) {
    this.#now = now;
    this.#print = print;
  }

  /** Two 32-bit hashes side by side, as hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  get tail(): readonly string[] {
    return this.#tail.slice(-TAIL_LINES).map(lineOf);
  }

  add(what: string): void {
    this.#keep({ atMs: this.#now(), what, frame: undefined });
    this.#mixText(what);
  }

  /** A frame arrived. @param what who heard it */
  frame(what: string, bytes: Uint8Array): void {
    this.#keep({ atMs: this.#now(), what, frame: bytes });
    this.#mixText(what);
    this.#mixBytes(bytes);
  }

  #keep(entry: Entry): void {
    this.lines += 1;
    this.#number[0] = entry.atMs;
    this.#mix(this.#words[0] ?? 0);
    this.#mix(this.#words[1] ?? 0);
    this.#tail.push(entry);
    if (this.#tail.length >= 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES);
    this.#print?.(lineOf(entry));
  }

  /** Two characters at a time. */
  #mixText(text: string): void {
    const even = text.length & ~1;
    for (let i = 0; i < even; i += 2) this.#mix(text.charCodeAt(i) | text.charCodeAt(i + 1) << 16);
    this.#mix(even === text.length ? text.length : text.charCodeAt(even));
  }

  /** Four bytes at a time. */
  #mixBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) this.#mix(view.getUint32(i, true));
    for (let i = whole; i < length; i++) this.#mix(view.getUint8(i));
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#low = Math.imul(this.#low ^ word, 0x85ebca6b) + 1;
  }
}

function lineOf({ atMs, what, frame }: Entry): string {
  return `${atMs.toFixed(3)} ${what}${frame === undefined ? "" : ` ${wordsOf(frame)}`}`;
}

/** A short name for bytes: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo). */
export function bytesMark(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hex(hash);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
