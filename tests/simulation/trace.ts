/**
 * The trace: what happened, as lines and as one hash.
 *
 * Promise: the same events in the same order give the same hash, on every machine; memory holds the last lines only.
 *
 * @module
 */

/** Lines that are kept for whoever reads why a run failed. */
const TAIL_LINES = 300;

/** Everything that could be seen from outside, in order. */
export class Trace {
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  #tail: string[] = [];
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
    return this.#tail.slice(-TAIL_LINES);
  }

  add(what: string): void {
    const line = `${this.#now().toFixed(3)} ${what}`;
    this.lines += 1;
    this.#mix(line);
    this.#tail.push(line);
    if (this.#tail.length >= 2 * TAIL_LINES) this.#tail = this.#tail.slice(-TAIL_LINES);
    this.#print?.(line);
  }

  #mix(line: string): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b) + 1;
    }
    this.#high = high;
    this.#low = low;
  }
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
