/**
 * One upload: bytes from a body to a file, hashed on the way.
 *
 * Promise: what does not have its hash never becomes an artifact; what was written before a break stays, to be continued;
 * memory stays flat.
 * Not here: who may upload when (artifact_room.ts).
 *
 * @module
 */
import { addFile, sha256 as newHash, writeAll } from "../../shared/platform/file_hash.ts";
import type { ArtifactFolder } from "./artifact_folder.ts";
import { diskRefusal, isFull, type Refusal, refusal, type UploadAnswer } from "./room_answers.ts";
import type { RoomSpace } from "./room_space.ts";

/** Bytes that are read, hashed and written at once: at 64 KiB half of the time goes into calls. */
const PIECE_BYTES = 256 * 1024;
/** After so many bytes the disk is looked at again. */
const LOOK_BYTES = 64 * 1024 * 1024;

/** A body, as the platform gives it: a stream that fills a buffer of ours, so that none is made for each piece. */
export type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Reads a body into the buffer that is given, or brings one of its own. */
interface BodyReader {
  read(
    into: Uint8Array<ArrayBuffer>,
  ): Promise<{ value?: Uint8Array<ArrayBuffer> | undefined; done: boolean }>;
  cancel(): Promise<void>;
}

/** What is to be uploaded. */
export interface UploadAsk {
  readonly sha256: string;
  /** Bytes of all of it. */
  readonly total: number;
  /** Where the body begins; 0 begins anew. */
  readonly from: number;
}

/** An upload that is under way. */
export class Upload {
  readonly #ask: UploadAsk;
  readonly #folder: ArtifactFolder;
  readonly #space: RoomSpace;
  #reader: BodyReader | undefined;
  #length: number;
  #end: Refusal | undefined;
  #waitsSinceMs: number | undefined;

  constructor(ask: UploadAsk, folder: ArtifactFolder, space: RoomSpace) {
    this.#ask = ask;
    this.#folder = folder;
    this.#space = space;
    this.#length = ask.from;
  }

  get total(): number {
    return this.#ask.total;
  }

  /** Bytes that are still to come. */
  get missing(): number {
    return this.#ask.total - this.#length;
  }

  /** How long its peer has said nothing. @param nowMs as `performance.now()` */
  silentForMs(nowMs: number): number {
    return this.#waitsSinceMs === undefined ? 0 : nowMs - this.#waitsSinceMs;
  }

  /** Ends it; what was written stays. */
  end(why: Refusal): void {
    this.#end ??= why;
    // The platform's reader answers what it was asked with an end.
    this.#reader?.cancel().catch(() => {});
  }

  /** Takes the body in; none where nothing is to come any more. */
  async run(body: Body | undefined): Promise<UploadAnswer> {
    const { sha256, total, from } = this.#ask;
    try {
      const hash = newHash();
      using file = await this.#open();
      if (await addFile(file, hash, from, () => this.#end === undefined) < from) return this.#startOver();
      // Nothing but what was hashed may stay, whatever another upload left.
      await file.truncate(from);
      const problem = body === undefined ? this.#end : await this.#take(body, async (piece) => {
        hash.update(piece);
        await writeAll(file, piece);
      });
      if (problem !== undefined) return problem;
      if (this.#length < total) return { state: "unfinished", from: this.#length };
      if (hash.digest("hex") !== sha256) return await this.#wrongHash();
      await file.sync();
      await this.#folder.keep(sha256);
      return { state: "kept" };
    } catch (error) {
      // A disk that is full is the store's disk too: what cannot be finished must not keep it full.
      if (isFull(error)) await this.#folder.removeUnfinished(sha256).catch(() => {});
      return diskRefusal(error);
    }
  }

  #open(): Promise<Deno.FsFile> {
    const path = this.#folder.unfinishedPath(this.#ask.sha256);
    return Deno.open(path, { read: true, write: true, create: true });
  }

  #startOver(): Refusal {
    return this.#end ?? refusal("offset", "there are fewer bytes of this upload than before", 0);
  }

  async #wrongHash(): Promise<Refusal> {
    await this.#folder.removeUnfinished(this.#ask.sha256);
    return refusal(
      "wrong_hash",
      `the ${this.#ask.total} bytes that came do not have the hash ${this.#ask.sha256}: they are not kept; ` +
        "did the file change while it was sent?",
    );
  }

  /** @returns why the upload ended early */
  async #take(body: Body, write: (piece: Uint8Array) => Promise<void>): Promise<Refusal | undefined> {
    const reader = readerOf(body);
    this.#reader = reader;
    // One is written while the other is filled.
    let buffer = new Uint8Array(PIECE_BYTES), other = new Uint8Array(PIECE_BYTES);
    let written = Promise.resolve();
    let lookAt = this.#length + LOOK_BYTES;
    try {
      while (this.#end === undefined) {
        const piece = await this.#next(reader, buffer);
        if (piece === undefined) break;
        await written;
        if (piece.byteLength > this.missing) return await this.#tooMuch();
        written = write(piece);
        // It is awaited a little later.
        written.catch(() => {});
        this.#length += piece.byteLength;
        buffer = other;
        other = new Uint8Array(piece.buffer);
        if (this.#length < lookAt) continue;
        lookAt = this.#length + LOOK_BYTES;
        const shortage = await this.#space.shortage();
        if (shortage !== undefined) return shortage;
      }
      await written;
      return this.#end;
    } finally {
      await written.catch(() => {});
      await reader.cancel().catch(() => {});
    }
  }

  /** The next bytes; undefined at the end, also at that of a broken connection. */
  async #next(
    reader: BodyReader,
    buffer: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#waitsSinceMs = performance.now();
    try {
      const { value, done } = await reader.read(buffer);
      return done ? undefined : value;
    } catch {
      return undefined;
    } finally {
      this.#waitsSinceMs = undefined;
    }
  }

  async #tooMuch(): Promise<Refusal> {
    await this.#folder.removeUnfinished(this.#ask.sha256);
    return refusal("wrong_size", `more than ${this.#ask.total} bytes came: they are not kept`);
  }
}

/** Some small bodies the platform gives as another kind of stream, which has buffers of its own. */
function readerOf(body: Body): BodyReader {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    const reader = body.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
}
