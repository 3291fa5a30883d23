/**
 * Tells the prints of one attempt from those of the next: where they end, the harness puts a mark.
 *
 * Promise: what is printed is handed on as it is and at once, in order with the marks, which no print hits by accident.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A piece of the prints, or the end of an attempt's. */
export type PrintPiece = Uint8Array | { readonly endOf: number };

/** Cuts the prints' pipe. */
export class PrintReader {
  readonly #prefix: Buffer;
  #rest: Uint8Array = new Uint8Array();

  /** @param mark the harness's */
  constructor(mark: string) {
    this.#prefix = Buffer.from(`\0${mark} `);
  }

  /** Takes the next piece. */
  push(chunk: Uint8Array): PrintPiece[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const pieces: PrintPiece[] = [];
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#prefix, from);
      if (at < 0) break;
      if (at > from) pieces.push(bytes.subarray(from, at));
      from = at;
      const digits = at + this.#prefix.length;
      const end = bytes.indexOf(NEWLINE, digits);
      if (end < 0) break;
      pieces.push({ endOf: Number(bytes.toString("latin1", digits, end)) });
      from = end + 1;
    }
    const whole = bytes.length - this.#begun(bytes.subarray(from));
    if (whole > from) pieces.push(bytes.subarray(from, whole));
    this.#rest = bytes.subarray(Math.max(from, whole));
    return pieces;
  }

  /** The pipe has ended: what is left was printed. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    return rest;
  }

  /** How many of the last bytes may be the beginning of a mark. */
  #begun(bytes: Buffer): number {
    const at = bytes.lastIndexOf(this.#prefix.subarray(0, 1));
    if (at < 0) return 0;
    const tail = bytes.subarray(at, at + this.#prefix.length);
    const isBegun = this.#prefix.subarray(0, tail.length).equals(tail);
    return isBegun && bytes.length - at < this.#prefix.length + NUMBER_DIGITS_MAX ? bytes.length - at : 0;
  }
}

const NEWLINE = 10;
/** Digits of the largest whole number, and the line's end. */
const NUMBER_DIGITS_MAX = 17;
