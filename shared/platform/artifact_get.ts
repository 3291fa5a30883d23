/**
 * Gets one artifact: into `<path>.part`, and from there to its path once its hash is right.
 *
 * @module
 */
import type { Hash } from "node:crypto";
import type { ArtifactRef } from "../model/artifact.ts";
import { ArtifactError } from "../protocol/artifact_port.ts";
import { type Ask, refusedBy, type Tries, TryAgain } from "./artifact_answers.ts";
import { addFile, sha256 as newHash, writeAll } from "./file_hash.ts";
import type { ExchangeAnswer } from "./http_exchange.ts";

/** After so many whole transfers with a wrong hash the master's copy is taken for damaged. */
const WRONG_HASHES_MAX = 3;

/** Gets an artifact. @throws ArtifactError */
export async function getArtifact(ref: ArtifactRef, path: string, ask: Ask, tries: Tries): Promise<void> {
  const part = `${path}.part`;
  try {
    using file = await Deno.open(part, { read: true, write: true, create: true }).catch(local);
    await new Getting(ref, file).run(ask, tries);
    await file.sync().catch(local);
    await Deno.rename(part, path).catch(local);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** An artifact that is on its way. */
class Getting {
  readonly #ref: ArtifactRef;
  readonly #file: Deno.FsFile;
  #hash: Hash = newHash();
  /** Bytes that are in the file, and in the hash. */
  #have = 0;
  #wrongHashes = 0;

  constructor(ref: ArtifactRef, file: Deno.FsFile) {
    this.#ref = ref;
    this.#file = file;
  }

  async run(ask: Ask, tries: Tries): Promise<void> {
    const { sha256, bytes } = this.#ref;
    // What a process that died here had got is good for a beginning.
    this.#have = await addFile(this.#file, this.#hash, bytes).catch(local);
    await tries.until(async () => {
      if (this.#have < bytes || bytes === 0) {
        const range: Record<string, string> = this.#have === 0 ? {} : { range: `bytes=${this.#have}-` };
        await ask({ method: "GET", sha256, headers: range }, (answer) => this.#take(answer, tries));
      }
      await this.#check();
    });
  }

  async #take(answer: ExchangeAnswer, tries: Tries): Promise<void> {
    const { status, headers } = answer;
    if (status !== 200 && status !== 206) return await refusedBy(answer);
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
    const size = status === 206 ? total : headers.get("content-length");
    if (size !== null && Number(size) !== this.#ref.bytes) {
      throw new ArtifactError("missing", `the artifact has ${size} bytes there, and not ${this.#ref.bytes}`);
    }
    if (status === 200) await this.#startOver();
    else if (Number(from) !== this.#have) throw new TryAgain("the answer is about other bytes");
    // One piece is written while the next one comes.
    let written = Promise.resolve();
    try {
      for (let piece = await answer.next(); piece !== undefined; piece = await answer.next()) {
        await written;
        if (this.#have + piece.byteLength > this.#ref.bytes) {
          throw new TryAgain("more bytes came than there are");
        }
        written = writeAll(this.#file, piece).catch(local);
        // It is awaited a little later.
        written.catch(() => {});
        this.#hash.update(piece);
        this.#have += piece.byteLength;
        tries.moved();
      }
    } finally {
      await written;
    }
  }

  async #check(): Promise<void> {
    if (this.#have < this.#ref.bytes) throw new TryAgain("not all of it came");
    // What is longer than it should be is a rest of something else.
    await this.#file.truncate(this.#ref.bytes).catch(local);
    if (this.#hash.digest("hex") === this.#ref.sha256) return;
    await this.#startOver();
    this.#wrongHashes += 1;
    if (this.#wrongHashes < WRONG_HASHES_MAX) throw new TryAgain("what came has another hash");
    throw new ArtifactError(
      "missing",
      "what the master has of this artifact is damaged: it has another hash",
    );
  }

  async #startOver(): Promise<void> {
    this.#hash = newHash();
    this.#have = 0;
    await this.#file.truncate(0).catch(local);
    await this.#file.seek(0, Deno.SeekMode.Start).catch(local);
  }
}

function local(error: unknown): never {
  throw new ArtifactError("local", error instanceof Error ? error.message : String(error));
}
