/**
 * What is kept of one stream of an attempt until the master has it.
 *
 * Promise: what was not said yet is bounded, and the newest stays; what was said stays until it is answered.
 *
 * @module
 */
import { LOG_BYTES_MAX } from "../shared/protocol/limits.ts";
import type { Log } from "../shared/protocol/worker_envelopes.ts";

/** What of a stream may wait to be said; what comes beyond it pushes the oldest out. */
export const UNSAID_BYTES_MAX = 128 * 1024;

/** A piece that was said. */
export type Said = Pick<Log, "offset" | "data">;

/** One stream of an attempt. */
export class KeptStream {
  /** Pieces that follow each other, those before `#end`. */
  #unsaid: Uint8Array[] = [];
  #unsaidBytes = 0;
  #end = 0;
  #said: Said[] = [];

  get unsaidBytes(): number {
    return this.#unsaidBytes;
  }

  /** Said, and not answered. */
  get said(): readonly Said[] {
    return this.#said;
  }

  /** All that was printed, whether it was kept or not. */
  get end(): number {
    return this.#end;
  }

  /** @returns how much more is kept than before: less than none where some was pushed out */
  add(offset: number, data: Uint8Array): number {
    const before = this.#unsaidBytes;
    // What came in between was never told of: a piece ends where the next one begins.
    if (offset !== this.#end) this.drop();
    this.#end = offset + data.byteLength;
    const kept = data.subarray(Math.max(0, data.byteLength - UNSAID_BYTES_MAX));
    // A small part of a large buffer would keep all of it.
    this.#unsaid.push(kept.byteLength * 2 < kept.buffer.byteLength ? kept.slice() : kept);
    this.#unsaidBytes += kept.byteLength;
    this.#forget(this.#unsaidBytes - UNSAID_BYTES_MAX);
    return this.#unsaidBytes - before;
  }

  /** Takes the next piece to be said, of at most so many bytes. */
  take(bytesMax: number): Said | undefined {
    const bytes = Math.min(bytesMax, LOG_BYTES_MAX, this.#unsaidBytes);
    if (bytes <= 0) return undefined;
    const offset = this.#end - this.#unsaidBytes;
    const said = { offset, data: this.#cut(bytes) };
    this.#said.push(said);
    return said;
  }

  /** Says that nothing follows, where nothing is left to be said. */
  takeNothing(): Said {
    const said = { offset: this.#end, data: new Uint8Array() };
    this.#said.push(said);
    return said;
  }

  /** @returns how many bytes were answered by it */
  answered(offset: number): number {
    let bytes = 0;
    for (;;) {
      const [first] = this.#said;
      if (first === undefined || first.offset + first.data.byteLength > offset) return bytes;
      this.#said.shift();
      bytes += first.data.byteLength;
    }
  }

  /** Forgets what was not said. @returns how much that was */
  drop(): number {
    const bytes = this.#unsaidBytes;
    this.#unsaid = [];
    this.#unsaidBytes = 0;
    return bytes;
  }

  #cut(bytes: number): Uint8Array {
    const [first] = this.#unsaid;
    if (first !== undefined && first.byteLength === bytes) {
      this.#forget(bytes);
      return first;
    }
    const piece = new Uint8Array(bytes);
    let at = 0;
    for (const each of this.#unsaid) {
      if (at === bytes) break;
      const part = each.subarray(0, bytes - at);
      piece.set(part, at);
      at += part.byteLength;
    }
    this.#forget(bytes);
    return piece;
  }

  /** The oldest of what was not said. */
  #forget(bytes: number): void {
    let left = bytes;
    while (left > 0) {
      const [first] = this.#unsaid;
      if (first === undefined) return;
      if (first.byteLength > left) this.#unsaid[0] = first.subarray(left);
      else this.#unsaid.shift();
      const gone = Math.min(left, first.byteLength);
      this.#unsaidBytes -= gone;
      left -= gone;
    }
  }
}
