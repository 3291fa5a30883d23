/**
 * What crosses to the store's thread: numbers, texts and bytes in three columns.
 *
 * A thousand changes cloned as objects take the main thread 0.6 ms (and a payload that is a view of a frame takes the
 * whole frame along); in columns they take 0.3 ms, and the thread gets them without decoding.
 *
 * @module
 */

/** Three columns, read in the order in which they were written. */
export interface Packed {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly texts: readonly string[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Texts that recur (groups, workers, epochs) cross once, as long as there are no more than these. */
const INTERNED_MAX = 10_000;

/** Bytes that there is room for at first. */
const BYTES_MIN = 4_096;

/** Writes columns. */
export class Packer {
  #numbers = new Float64Array(256);
  #count = 0;
  readonly #texts: string[] = [];
  readonly #interned = new Map<string, number>();
  #bytes = new Uint8Array(BYTES_MIN);
  #byteLength = 0;

  number(value: number): void {
    if (this.#count === this.#numbers.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#count++] = value;
  }

  /** A text that is likely to be different each time, such as metrics. */
  text(value: string): void {
    this.number(this.#texts.push(value) - 1);
  }

  /** A text that is likely to recur. */
  name(value: string): void {
    const known = this.#interned.get(value);
    if (known !== undefined) return this.number(known);
    if (this.#interned.size < INTERNED_MAX) this.#interned.set(value, this.#texts.length);
    this.text(value);
  }

  bytes(value: Uint8Array): void {
    const length = this.#byteLength + value.byteLength;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#byteLength));
      this.#bytes = grown;
    }
    this.#bytes.set(value, this.#byteLength);
    this.#byteLength = length;
    this.number(value.byteLength);
  }

  finish(): Packed {
    return {
      numbers: this.#numbers.slice(0, this.#count),
      texts: this.#texts,
      bytes: new Uint8Array(this.#bytes.buffer.transfer(this.#byteLength)),
    };
  }
}

/** Reads columns. */
export class Unpacker {
  readonly #packed: Packed;
  #at = 0;
  #byteAt = 0;

  constructor(packed: Packed) {
    this.#packed = packed;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#packed.numbers.length;
  }

  number(): number {
    const value = this.#packed.numbers[this.#at++];
    if (value === undefined) throw new RangeError("read past the end of what crossed to the store's thread");
    return value;
  }

  text(): string {
    return this.#packed.texts[this.number()] ?? "";
  }

  /** A view of the packed bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    const from = this.#byteAt;
    this.#byteAt += this.number();
    return this.#packed.bytes.subarray(from, this.#byteAt);
  }
}

/** The buffers of columns that move to the other thread instead of being copied. */
export function buffersOf(packed: Packed): ArrayBuffer[] {
  return [packed.numbers.buffer, packed.bytes.buffer];
}
