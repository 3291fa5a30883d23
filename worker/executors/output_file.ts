/**
 * What a program prints, kept in a file of bounded size: its head, its tail, and how much was between.
 *
 * Promise: memory and disk are bounded however much is printed; what is below the limit is on disk at once.
 *
 * @module
 */

/** Kept of the beginning of each stream, in bytes. */
export const OUTPUT_HEAD_BYTES = 256 * 1024;
/** Kept of the end of each stream, in bytes. */
export const OUTPUT_TAIL_BYTES = 256 * 1024;

/** A file that takes one stream. */
export class OutputFile {
  readonly #file: Deno.FsFile;
  readonly #trouble: (message: string) => void;
  #seen = 0;
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #isBroken = false;

  /** @param trouble is told once, where the disk takes no more @throws Error where the file cannot be made */
  constructor(path: string, trouble: (message: string) => void) {
    this.#file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    this.#trouble = trouble;
  }

  async add(bytes: Uint8Array): Promise<void> {
    const before = this.#seen;
    this.#seen += bytes.length;
    const behindHead = bytes.subarray(Math.max(0, OUTPUT_HEAD_BYTES - before));
    if (behindHead.length > 0) this.#remember(behindHead);
    const free = OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES - before;
    if (free > 0) await this.#write(bytes.subarray(0, free));
  }

  /** The stream has ended: what was too much is replaced by a note, and the tail follows it. */
  async close(): Promise<void> {
    try {
      const left = this.#seen - OUTPUT_HEAD_BYTES - this.#tailBytes;
      if (left > 0 && !this.#isBroken) {
        await this.#file.truncate(OUTPUT_HEAD_BYTES);
        await this.#file.seek(OUTPUT_HEAD_BYTES, Deno.SeekMode.Start);
        await this.#write(new TextEncoder().encode(`\n[${left} bytes left out]\n`));
        for (const piece of this.#tail) await this.#write(piece);
      }
    } catch (error) {
      this.#break(error);
    } finally {
      this.#file.close();
    }
  }

  #remember(bytes: Uint8Array): void {
    // Copied: a piece of a chunk would keep all of the chunk.
    const piece = bytes.slice(-OUTPUT_TAIL_BYTES);
    this.#tail.push(piece);
    this.#tailBytes += piece.length;
    for (;;) {
      const [first] = this.#tail;
      const surplus = this.#tailBytes - OUTPUT_TAIL_BYTES;
      if (first === undefined || surplus <= 0) return;
      if (first.length > surplus) this.#tail[0] = first.subarray(surplus);
      else this.#tail.shift();
      this.#tailBytes -= Math.min(first.length, surplus);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < bytes.length && !this.#isBroken;) {
        from += await this.#file.write(bytes.subarray(from));
      }
    } catch (error) {
      this.#break(error);
    }
  }

  /** A full disk is no reason to end a training. */
  #break(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#trouble(`its output is kept no further: ${error instanceof Error ? error.message : String(error)}`);
  }
}
