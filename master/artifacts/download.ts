/**
 * One download: bytes of a file as a body.
 *
 * Promise: nothing is read before it is asked for, and a piece is let go of when the next one is asked for, so memory stays
 * flat; the file is closed at the end, whichever end.
 *
 * @module
 */

/** Bytes that are read at once. */
const PIECE_BYTES = 128 * 1024;

/** A download that is under way. */
export class Download {
  /** For the platform's server: a piece is good until the next one is asked for. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #file: Deno.FsFile;
  readonly #over: () => void;
  #left: number;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #given: ArrayBuffer | undefined;
  #isReading = false;
  #isOver = false;
  #waitsSinceMs = performance.now();

  /** @param file stands at the first byte @param over is called once, at the end */
  constructor(file: Deno.FsFile, bytes: number, over: () => void) {
    this.#file = file;
    this.#left = bytes;
    this.#over = over;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#finish(),
    }, { highWaterMark: 0 });
    if (bytes === 0) this.#close();
  }

  /** How long nobody has asked for more. @param nowMs as `performance.now()` */
  silentForMs(nowMs: number): number {
    return this.#isReading ? 0 : nowMs - this.#waitsSinceMs;
  }

  /** Breaks it off. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#controller?.error(new Error(reason));
    this.#finish();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    this.#isReading = true;
    // The garbage collector would leave some 70 MB of them behind; the server holds what it has not sent by itself.
    this.#given?.transfer(0);
    try {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, this.#left));
      const read = await this.#file.read(piece);
      if (this.#isOver) return;
      if (read === null) return this.end("the file is shorter than it was");
      this.#left -= read;
      this.#given = piece.buffer;
      controller.enqueue(piece.subarray(0, read));
      if (this.#left === 0) this.#close();
    } catch (error) {
      this.end(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isReading = false;
      this.#waitsSinceMs = performance.now();
      if (this.#isOver) this.#letGo();
    }
  }

  #close(): void {
    this.#controller?.close();
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // A read that is under way needs its file until it is done.
    if (!this.#isReading) this.#letGo();
  }

  #letGo(): void {
    try {
      this.#file.close();
    } catch {
      // It was let go of before.
      return;
    }
    this.#over();
  }
}
