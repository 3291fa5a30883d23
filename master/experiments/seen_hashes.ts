/**
 * Which candidates an experiment has had: a Bloom filter, so that memory does not grow with finished trials.
 *
 * Promise: a candidate that was seen is always recognised. One that was not is taken for seen in under 1 of 1,000
 * cases up to half a million trials: that costs a proposal, nothing else.
 *
 * Source: B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970.
 *
 * @module
 */

/** 8 Mi bits: 1 MiB for a large experiment; small ones begin with less. */
const BITS_MAX = 2 ** 23;
const BITS_MIN = 2 ** 15;
/** Bits set for each hash: best near 0.7 times the bits for each entry. */
const PROBES = 6;

/** A set of hashes of fixed size. */
export class SeenHashes {
  readonly #bits: Uint8Array;
  readonly #mask: number;

  /** @param expected how many hashes may come; undefined where nobody knows */
  constructor(expected: number | undefined) {
    const wanted = expected === undefined ? BITS_MAX : expected * 16;
    let bits = BITS_MIN;
    while (bits < wanted && bits < BITS_MAX) bits *= 2;
    this.#bits = new Uint8Array(bits / 8);
    this.#mask = bits - 1;
  }

  /** @param hash at least 16 hexadecimal digits */
  has(hash: string): boolean {
    for (const position of this.#positions(hash)) {
      if (((this.#bits[position >> 3] ?? 0) & (1 << (position & 7))) === 0) return false;
    }
    return true;
  }

  add(hash: string): void {
    for (const position of this.#positions(hash)) {
      this.#bits[position >> 3] = (this.#bits[position >> 3] ?? 0) | (1 << (position & 7));
    }
  }

  /** Two halves of the hash give all probes (Kirsch and Mitzenmacher, 2006). */
  #positions(hash: string): number[] {
    const a = parseInt(hash.slice(0, 8), 16);
    const b = parseInt(hash.slice(8, 16), 16) | 1;
    const positions: number[] = [];
    for (let i = 0; i < PROBES; i++) positions.push((a + Math.imul(i, b)) & this.#mask);
    return positions;
  }
}
