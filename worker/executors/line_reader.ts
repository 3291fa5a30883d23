/**
 * Finds what a program says among what it prints: the lines that begin with a mark such as `[tune-metric]:`, and the last
 * of the others.
 *
 * Promise: costs little for lines that say nothing, and keeps a bounded piece of a line however long it is.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** What a line that reports begins with. */
export const REPORT_MARK = "[tune-metric]:";
/** What a line begins with that tells of a checkpoint. */
export const CHECKPOINT_MARK = "[tune-checkpoint]:";
/** What a line begins with that tells of a file to keep. */
export const FILE_MARK = "[tune-artifact]:";
const MARKS = [REPORT_MARK, CHECKPOINT_MARK, FILE_MARK] as const;
/** What all of them begin with. */
const MARKS_BEGIN = "[tune-";
/** A line is read so far, in bytes; 256 metrics with long names fit. */
export const LINE_BYTES_MAX = 128 * 1024;

/** A line of interest. */
export interface Line {
  readonly text: string;
  /** It went on for longer than what is read of a line. */
  readonly isCut: boolean;
}

/** A line that begins with a mark; its text is what follows. */
export interface MarkedLine extends Line {
  readonly mark: (typeof MARKS)[number];
}

/** Cuts the pieces of a stream into lines. */
export class LineReader {
  readonly #marked: (line: MarkedLine) => void;
  /** The beginning of a line whose end has not come. */
  #rest: Uint8Array = new Uint8Array();
  #isCut = false;
  #last: Line | undefined;

  /** @param marked is given each line with a mark */
  constructor(marked: (line: MarkedLine) => void) {
    this.#marked = marked;
  }

  /** The last line that is not blank and tells of no file. */
  get last(): Line | undefined {
    return this.#last;
  }

  push(chunk: Uint8Array): void {
    const newline = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).indexOf(NEWLINE);
    if (newline < 0) return this.#keep(chunk);
    this.#keep(chunk.subarray(0, newline));
    this.#endLine();
    const last = chunk.lastIndexOf(NEWLINE);
    this.#read(chunk.subarray(newline + 1, last + 1));
    this.#keep(chunk.subarray(last + 1));
  }

  /** The stream has ended, and its last line with it. */
  end(): void {
    this.#endLine();
  }

  #keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const taken = piece.subarray(0, LINE_BYTES_MAX - this.#rest.length);
    if (taken.length < piece.length) this.#isCut = true;
    if (taken.length > 0) {
      this.#rest = this.#rest.length === 0 ? taken.slice() : Buffer.concat([this.#rest, taken]);
    }
  }

  #endLine(): void {
    this.#line(this.#rest, this.#isCut);
    this.#rest = new Uint8Array();
    this.#isCut = false;
  }

  /** Whole lines: only those with a mark are looked at, and the last. */
  #read(lines: Uint8Array): void {
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(MARKS_BEGIN, from);
      if (at < 0) break;
      const end = bytes.indexOf(NEWLINE, at);
      if (at === 0 || bytes[at - 1] === NEWLINE) this.#line(bytes.subarray(at, end), false);
      from = end;
    }
    for (let end = bytes.length;;) {
      while (end > 0 && isBlank(bytes[end - 1])) end -= 1;
      if (end === 0) return;
      const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1;
      const text = textOf(bytes.subarray(start, end)).trim();
      end = start;
      if (tellsOfFile(markOf(text))) continue;
      this.#last = { text, isCut: false };
      return;
    }
  }

  #line(bytes: Uint8Array, isCut: boolean): void {
    const text = textOf(bytes).trim();
    if (text === "") return;
    const mark = markOf(text);
    if (!tellsOfFile(mark)) this.#last = { text, isCut };
    if (mark !== undefined) this.#marked({ mark, text: text.slice(mark.length), isCut });
  }
}

function markOf(text: string): MarkedLine["mark"] | undefined {
  return text.startsWith(MARKS_BEGIN) ? MARKS.find((mark) => text.startsWith(mark)) : undefined;
}

/** Such a line is never a result, wherever it stands. */
function tellsOfFile(mark: MarkedLine["mark"] | undefined): boolean {
  return mark === CHECKPOINT_MARK || mark === FILE_MARK;
}

const NEWLINE = 10;

function isBlank(byte: number | undefined): boolean {
  return byte === NEWLINE || byte === 13 || byte === 32 || byte === 9;
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
