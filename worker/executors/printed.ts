/**
 * What an evaluator printed, kept in little: the beginning and the end.
 *
 * @module
 */

/** The beginning is kept for what went wrong first, in bytes. */
const HEAD_BYTES = 1_024;
/** The end is kept for what went wrong last, in bytes. */
const TAIL_BYTES = 3_072;

/** The head and the tail of an endless text. */
export class Printed {
  #head = new Uint8Array();
  #tail = new Uint8Array();
  #dropped = 0;

  add(bytes: Uint8Array): void {
    const toHead = Math.min(bytes.length, HEAD_BYTES - this.#head.length);
    if (toHead > 0) this.#head = join(this.#head, bytes.subarray(0, toHead));
    const rest = bytes.subarray(toHead);
    if (rest.length === 0) return;
    const joined = join(this.#tail, rest.subarray(-TAIL_BYTES));
    this.#tail = joined.slice(-TAIL_BYTES);
    this.#dropped += rest.length - Math.min(rest.length, TAIL_BYTES) + joined.length - this.#tail.length;
  }

  clear(): void {
    this.#head = new Uint8Array();
    this.#tail = new Uint8Array();
    this.#dropped = 0;
  }

  /** The text, with a note of what was left out. */
  text(): string {
    const head = decoder.decode(this.#head), tail = decoder.decode(this.#tail);
    const text = this.#dropped === 0 ? head + tail : `${head}\n[${this.#dropped} bytes left out]\n${tail}`;
    return text.trim();
  }
}

const decoder = new TextDecoder();

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
