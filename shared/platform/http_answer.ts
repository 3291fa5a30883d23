/**
 * Reads an answer of HTTP/1.1: its head, and then its body as it comes.
 *
 * Promise: a head has a bound; a body that ends before its end is an exception.
 *
 * @module
 */

/** A head that is longer is none. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Bytes that are read at once. */
const PIECE_BYTES = 256 * 1024;

/** Where bytes come from. */
interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** An answer whose body is still to be read. */
export class AnswerReader {
  readonly status: number;
  readonly headers: Headers;
  readonly #bytes: Bytes;
  readonly #isChunked: boolean;
  /** Of the body, or of its present chunk. */
  #left: number;
  #isOver = false;

  private constructor(status: number, headers: Headers, bytes: Bytes) {
    this.status = status;
    this.headers = headers;
    this.#bytes = bytes;
    this.#isChunked = /chunked/i.test(headers.get("transfer-encoding") ?? "");
    this.#left = this.#isChunked ? 0 : Number(headers.get("content-length") ?? Infinity);
    if (!(this.#left >= 0)) throw new Error("the answer's length has no form");
  }

  /** Reads the head; answers that only announce another one are passed over. */
  static async of(source: Source): Promise<AnswerReader> {
    const bytes = new Bytes(source);
    for (;;) {
      const [first = "", ...lines] = await headOf(bytes);
      const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(first)?.[1]);
      if (!Number.isInteger(status)) throw new Error("what answers there speaks no HTTP");
      if (status < 200) continue;
      return new AnswerReader(status, headersOf(lines), bytes);
    }
  }

  /** The next bytes of the body, which are good until the next call but one; undefined at its end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined;
    if (this.#left === 0 && !await this.#nextChunk()) return undefined;
    const piece = await this.#bytes.upTo(this.#left);
    if (piece === undefined) {
      // Without a length the end of the connection is the end of the body.
      if (this.#left === Infinity) return this.#end();
      throw new Error("the connection ended before its answer did");
    }
    this.#left -= piece.byteLength;
    // Between chunks the buffer's rest is moved, and with it what was given.
    return this.#isChunked ? piece.slice() : piece;
  }

  async #nextChunk(): Promise<boolean> {
    if (!this.#isChunked) return this.#end() !== undefined;
    let line = await this.#bytes.line();
    // The end of the chunk before.
    if (line === "") line = await this.#bytes.line();
    this.#left = Number.parseInt(line, 16);
    if (!(this.#left >= 0)) throw new Error("the answer's body has no form");
    return this.#left > 0 || this.#end() !== undefined;
  }

  #end(): undefined {
    this.#isOver = true;
    return undefined;
  }
}

async function headOf(bytes: Bytes): Promise<readonly string[]> {
  const lines: string[] = [];
  let length = 0;
  for (;;) {
    const line = await bytes.line();
    if (line === "") return lines;
    length += line.length;
    if (length > HEAD_BYTES_MAX) throw new Error("the answer's head is too long");
    lines.push(line);
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** Bytes as they come, in two buffers: what was given from one is good until it is that one's turn again. */
class Bytes {
  readonly #source: Source;
  #buffer = new Uint8Array(PIECE_BYTES);
  #other = new Uint8Array(PIECE_BYTES);
  #from = 0;
  #to = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** What is there, or comes next; undefined at the end. */
  async upTo(most: number): Promise<Uint8Array | undefined> {
    if (this.#from === this.#to && !await this.#fill()) return undefined;
    const piece = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + most));
    this.#from += piece.byteLength;
    return piece;
  }

  /** A line, without its end. */
  async line(): Promise<string> {
    for (let seen = this.#from;;) {
      const end = this.#buffer.subarray(0, this.#to).indexOf(10, seen);
      if (end >= 0) {
        const text = new TextDecoder().decode(this.#buffer.subarray(this.#from, end));
        this.#from = end + 1;
        return text.replace(/\r$/, "");
      }
      if (this.#to - this.#from > HEAD_BYTES_MAX) throw new Error("a line of the answer's head is too long");
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
      seen = this.#to;
      if (!await this.#fill()) throw new Error("the connection ended before its answer came");
    }
  }

  /** Reads more behind what is there. */
  async #fill(): Promise<boolean> {
    if (this.#from === this.#to) {
      this.#from = this.#to = 0;
      [this.#buffer, this.#other] = [this.#other, this.#buffer];
    }
    const read = await this.#source.read(this.#buffer.subarray(this.#to));
    this.#to += read ?? 0;
    return read !== null;
  }
}
