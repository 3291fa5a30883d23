/**
 * Packed trees made files again.
 *
 * Promise: nothing is written outside of the folder, whatever the pack says; no link is made before all files are there, so
 * that none is written through; modes are those of plain files; memory is flat.
 *
 * @module
 */
import { isFileName } from "../model/artifact.ts";
import {
  decodeTarHeader,
  decodeTarMore,
  isTarEnd,
  padded,
  TAR_BLOCK,
  type TarHeader,
  type TarType,
} from "./tar_header.ts";
import { staysWithin } from "./tree_entry.ts";

/** A pack that is broken, or says what no pack of ours says. */
export class UnpackError extends Error {
  override readonly name = "UnpackError";
}

/** What was unpacked. */
export interface Unpacked {
  readonly entries: number;
  /** Of the files. */
  readonly bytes: number;
}

/** How a pack is unpacked. */
export interface UnpackOptions {
  /** Gives up between two entries, or within a large one. */
  readonly signal?: AbortSignal | undefined;
  readonly entriesMax?: number | undefined;
}

/** Entries of one pack, unless told. */
export const UNPACK_ENTRIES_MAX = 1_000_000;
/** Values that stand before a header: a name and a target. */
const MORE_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;

/**
 * Unpacks a file.
 *
 * @param path the pack
 * @param folder there already, and empty
 * @throws UnpackError where the pack is not whole or not safe; Error where the disk says no or the signal came
 */
export async function unpackTree(
  path: string,
  folder: string,
  options: UnpackOptions = {},
): Promise<Unpacked> {
  using file = await Deno.open(path);
  return await new Unpacking(new Reader(file), folder, options).run();
}

class Unpacking {
  readonly #reader: Reader;
  readonly #folder: string;
  readonly #options: UnpackOptions;
  readonly #names = new Map<string, TarType>();
  /** Those that were made, also where the pack does not name them. */
  readonly #folders = new Set<string>([""]);
  readonly #links: TarHeader[] = [];
  #bytes = 0;

  constructor(reader: Reader, folder: string, options: UnpackOptions) {
    this.#reader = reader;
    this.#folder = folder;
    this.#options = options;
  }

  async run(): Promise<Unpacked> {
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const header = await this.#next();
      if (header === undefined) break;
      this.#check(header);
      await this.#make(header);
    }
    for (const { name, target } of this.#links) await this.#link(name, target);
    return { entries: this.#names.size, bytes: this.#bytes };
  }

  /** The next header with the values that stand before it; undefined at the end. */
  async #next(): Promise<TarHeader | undefined> {
    let more: Readonly<Record<string, string>> = {};
    for (;;) {
      const block = await this.#reader.exactly(TAR_BLOCK);
      if (isTarEnd(block)) return undefined;
      const header = decodeTarHeader(block);
      if (typeof header === "string") throw new UnpackError(`the pack is broken: ${header}`);
      if (header.type !== "more") return withMore(header, more);
      if (header.bytes > MORE_BYTES_MAX) throw new UnpackError("the pack is broken: a long name is too long");
      const records = await this.#reader.exactly(padded(header.bytes));
      const decoded = decodeTarMore(records.subarray(0, header.bytes));
      if (typeof decoded === "string") throw new UnpackError(`the pack is broken: ${decoded}`);
      more = decoded;
    }
  }

  #check({ name, type, target }: TarHeader): void {
    if (this.#names.size >= (this.#options.entriesMax ?? UNPACK_ENTRIES_MAX)) {
      throw new UnpackError(`the pack has more than ${this.#names.size} entries`);
    }
    if (!isFileName(name)) throw new UnpackError(`the pack names "${name}", which is not below its folder`);
    if (this.#names.has(name)) throw new UnpackError(`the pack names "${name}" twice`);
    if (type !== "folder" && this.#folders.has(name)) {
      throw new UnpackError(`the pack names "${name}" twice, once as a folder`);
    }
    if (type === "link" && !staysWithin(name, target)) {
      throw new UnpackError(
        `the pack has a link "${name}" to "${target}", which leads out of its folder`,
      );
    }
    this.#names.set(name, type);
  }

  async #make(header: TarHeader): Promise<void> {
    const { name, type, bytes } = header;
    await this.#makeFolder(type === "folder" ? name : parentOf(name));
    if (type === "link") this.#links.push(header);
    if (type === "file") return await this.#makeFile(header);
    if (bytes > 0) throw new UnpackError(`the pack is broken: "${name}" has content and is no file`);
  }

  async #makeFolder(name: string): Promise<void> {
    if (this.#folders.has(name)) return;
    const named = this.#names.get(name) ?? "folder";
    if (named !== "folder") throw new UnpackError(`the pack has "${name}" as a ${named} and as a folder`);
    await this.#makeFolder(parentOf(name));
    await Deno.mkdir(`${this.#folder}/${name}`, { mode: 0o755 }).catch((error) => {
      // A system that takes two names for one has it already.
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
    this.#folders.add(name);
  }

  async #makeFile({ name, bytes, isExecutable }: TarHeader): Promise<void> {
    const mode = isExecutable ? 0o755 : 0o644;
    using file = await Deno.open(`${this.#folder}/${name}`, {
      write: true,
      create: true,
      truncate: true,
      mode,
    });
    for (let rest = bytes; rest > 0;) {
      this.#options.signal?.throwIfAborted();
      const chunk = await this.#reader.atMost(Math.min(rest, CHUNK_BYTES));
      for (let from = 0; from < chunk.length;) from += await file.write(chunk.subarray(from));
      rest -= chunk.length;
    }
    await this.#reader.exactly(padded(bytes) - bytes);
    this.#bytes += bytes;
  }

  async #link(name: string, target: string): Promise<void> {
    await Deno.symlink(target, `${this.#folder}/${name}`).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
}

function withMore(header: TarHeader, more: Readonly<Record<string, string>>): TarHeader {
  const { path = header.name, linkpath = header.target, size = String(header.bytes) } = more;
  const bytes = Number(size);
  if (!/^\d+$/.test(size) || !Number.isSafeInteger(bytes)) {
    throw new UnpackError(`the pack is broken: "${path}" has no size`);
  }
  // Other programs end the names of folders with a slash.
  return { ...header, name: path.replace(/\/$/, ""), target: linkpath, bytes };
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

/** The bytes of a pack in the pieces that are asked for. */
class Reader {
  readonly #file: Deno.FsFile;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #from = 0;
  #to = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** At least one byte. Valid until the next call. */
  async atMost(length: number): Promise<Uint8Array> {
    if (this.#from === this.#to) {
      const count = await this.#file.read(this.#chunk);
      if (count === null) throw new UnpackError("the pack is broken: it ends too early");
      this.#from = 0;
      this.#to = count;
    }
    const end = Math.min(this.#to, this.#from + length);
    const piece = this.#chunk.subarray(this.#from, end);
    this.#from = end;
    return piece;
  }

  async exactly(length: number): Promise<Uint8Array> {
    const whole = new Uint8Array(length);
    for (let from = 0; from < length;) {
      const piece = await this.atMost(length - from);
      whole.set(piece, from);
      from += piece.length;
    }
    return whole;
  }
}
