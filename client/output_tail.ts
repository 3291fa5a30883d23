/**
 * The last lines of what was printed.
 *
 * Promise: keeps no more than so many lines, and of an endless line a bounded piece.
 *
 * @module
 */
import type { OutputPiece } from "./output_events.ts";

/** Of what is kept of a tail; the oldest goes first. */
export const TAIL_BYTES_MAX = 8 * 1024 * 1024;

const NEWLINE = 10;

/** Gathers pieces, and keeps their last lines. */
export class OutputTail {
  readonly #linesMax: number;
  #pieces: OutputPiece[] = [];
  #bytes = 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(pieces: readonly OutputPiece[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#bytes += piece.data.byteLength;
    }
    while (this.#bytes > TAIL_BYTES_MAX) this.#bytes -= this.#pieces.shift()?.data.byteLength ?? this.#bytes;
  }

  /** The last lines of all that was added; nothing is kept of it. */
  lines(): OutputPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    let left = this.#linesMax;
    if (left === 0) return [];
    // A newline at the very end begins no line.
    let isAtEnd = true;
    for (let index = pieces.length - 1; index >= 0; index--) {
      const piece = pieces[index];
      if (piece === undefined) break;
      for (let at = piece.data.byteLength - 1; at >= 0; at--) {
        if (piece.data[at] === NEWLINE && !isAtEnd) left -= 1;
        isAtEnd = false;
        if (left > 0) continue;
        return [cutAt(piece, at + 1), ...pieces.slice(index + 1)].filter(({ data }) => data.byteLength > 0);
      }
    }
    return pieces;
  }
}

function cutAt(piece: OutputPiece, at: number): OutputPiece {
  return { ...piece, offset: piece.offset + at, leftOutBytes: 0, data: piece.data.subarray(at) };
}
