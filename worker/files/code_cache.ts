/**
 * Packed code, unpacked once for many attempts.
 *
 * Promise: what has its place in the cache is whole, whenever the worker or the machine died; one transfer serves all who
 * wait for it; what is in use is never removed; nothing runs here that may write.
 * Not here: the copies that programs run in (code_copies.ts).
 *
 * @module
 */
import { join, resolve } from "node:path";
import { type ArtifactRef, SHA256_PATTERN } from "../../shared/model/artifact.ts";
import { unpackTree } from "../../shared/platform/tar_unpack.ts";
import type { ArtifactTransfer } from "../../shared/protocol/artifact_port.ts";
import { readBoot } from "./boot.ts";
import { removeAll, type TransferPlace } from "./place.ts";

/** What the cache may hold, unless told: what is in use counts, and may exceed it together. */
export const CODE_CACHE_DEFAULT_BYTES = 10 * 1024 ** 3;

/** Below the worker's data folder. */
const FOLDER = "code";
/** In the folder of a hash: the code, and what is known of it. */
const TREE = "tree";
const FACTS_FILE = "code.json";

/** What the cache stands on. */
export interface CodeCacheOptions {
  /** The worker's, held by this process alone. */
  readonly dataFolder: string;
  readonly place: TransferPlace;
  readonly transfer: ArtifactTransfer;
  readonly bytesMax?: number | undefined;
}

/** Code that is in use. */
export interface CodeUse {
  /** Absolute. To be read only. */
  readonly folder: string;
  /** Once. */
  release(): void;
}

interface Cached {
  readonly bytes: number;
  users: number;
}

/** One transfer, and how many wait for it. */
interface Fetching {
  readonly done: Promise<void>;
  readonly controller: AbortController;
  waiting: number;
}

/** The cache of one worker. */
export class CodeCache {
  readonly #options: CodeCacheOptions;
  readonly #folder: string;
  readonly #boot = readBoot();
  /** The least recently used stands first. */
  readonly #cached = new Map<string, Cached>();
  readonly #fetching = new Map<string, Fetching>();
  #opened: Promise<void> | undefined;
  #cleaning: Promise<void> = Promise.resolve();

  constructor(options: CodeCacheOptions) {
    this.#options = options;
    this.#folder = join(resolve(options.dataFolder), FOLDER);
  }

  /** Looks at what is there; again it does nothing. @throws Error where the disk says no */
  open(): Promise<void> {
    return this.#opened ??= this.#look().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
  }

  get #bytesMax(): number {
    return this.#options.bytesMax ?? CODE_CACHE_DEFAULT_BYTES;
  }

  /** What is removed is gone. */
  settled(): Promise<void> {
    return this.#cleaning;
  }

  /**
   * Code as a folder.
   *
   * @throws ArtifactError, UnpackError; Error where it is larger than the cache, the disk says no or the signal came
   */
  async use({ sha256, bytes }: ArtifactRef, signal: AbortSignal): Promise<CodeUse> {
    if (bytes > this.#bytesMax) {
      throw new Error(`it takes ${bytes} bytes, and this worker keeps ${this.#bytesMax} (--code-cache)`);
    }
    await this.open();
    for (;;) {
      signal.throwIfAborted();
      const cached = this.#cached.get(sha256);
      if (cached !== undefined) return this.#useCached(sha256, cached);
      await this.#await(sha256, this.#fetching.get(sha256) ?? this.#fetch({ sha256, bytes }), signal);
    }
  }

  #useCached(sha256: string, cached: Cached): CodeUse {
    cached.users += 1;
    this.#cached.delete(sha256);
    this.#cached.set(sha256, cached);
    const place = join(this.#folder, sha256);
    // The order of use outlasts this process.
    const now = new Date();
    Deno.utime(place, now, now).catch(() => {});
    return {
      folder: join(place, TREE),
      release: () => {
        cached.users -= 1;
        this.#makeRoom();
      },
    };
  }

  /** Who does not wait any longer goes; with the last one the transfer ends. */
  async #await(sha256: string, fetching: Fetching, signal: AbortSignal): Promise<void> {
    fetching.waiting += 1;
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      await Promise.race([fetching.done, stopped.promise]);
    } finally {
      signal.removeEventListener("abort", stop);
      fetching.waiting -= 1;
      if (fetching.waiting === 0) this.#giveUp(sha256, fetching);
    }
  }

  #fetch(ref: ArtifactRef): Fetching {
    const controller = new AbortController();
    const done = this.#bring(ref, controller.signal);
    done.catch(() => {});
    const fetching = { done, controller, waiting: 0 };
    this.#fetching.set(ref.sha256, fetching);
    return fetching;
  }

  /** Nobody waits any more. Whoever comes next begins anew, and not with one that is being given up. */
  #giveUp(sha256: string, fetching: Fetching): void {
    if (this.#fetching.get(sha256) === fetching) this.#fetching.delete(sha256);
    fetching.controller.abort();
  }

  async #bring(ref: ArtifactRef, signal: AbortSignal): Promise<void> {
    const partial = await this.#options.place.makeFolder();
    try {
      const pack = join(partial, "code.tar"), whole = join(partial, "whole"), tree = join(whole, TREE);
      await this.#options.transfer.get(ref, pack, { signal });
      await Deno.mkdir(tree, { recursive: true, mode: 0o700 });
      await unpackTree(pack, tree, { signal });
      const facts: Facts = { bytes: ref.bytes, boot: this.#boot };
      await Deno.writeTextFile(join(whole, FACTS_FILE), JSON.stringify(facts));
      signal.throwIfAborted();
      this.#putAway(ref.sha256);
      Deno.renameSync(whole, join(this.#folder, ref.sha256));
      this.#cached.set(ref.sha256, { bytes: ref.bytes, users: 0 });
    } finally {
      await removeAll(partial);
    }
    this.#makeRoom();
  }

  /** Removes the least recently used; whoever waits for one has not taken it yet. */
  #makeRoom(): void {
    let total = [...this.#cached.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [sha256, { bytes, users }] of this.#cached) {
      if (total <= this.#bytesMax) return;
      if (users > 0 || this.#fetching.has(sha256)) continue;
      this.#cached.delete(sha256);
      total -= bytes;
      this.#putAway(sha256);
    }
  }

  /** First out of its place, so that one that was half removed is not taken for whole. */
  #putAway(sha256: string): void {
    const away = this.#options.place.name();
    try {
      Deno.renameSync(join(this.#folder, sha256), away);
    } catch {
      // It is not there.
      return;
    }
    this.#cleaning = this.#cleaning.then(() => removeAll(away));
  }

  async #look(): Promise<void> {
    await this.#options.place.open();
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const found: { readonly sha256: string; readonly bytes: number; readonly usedMs: number }[] = [];
    for await (const { name } of Deno.readDir(this.#folder)) {
      const path = join(this.#folder, name);
      const facts = SHA256_PATTERN.test(name) ? await readFacts(join(path, FACTS_FILE)) : undefined;
      // What was written before the machine went down may have lost its bytes.
      if (facts === undefined || facts.boot !== this.#boot) await removeAll(path);
      else {
        const { mtime } = await Deno.stat(path);
        found.push({ sha256: name, bytes: facts.bytes, usedMs: mtime?.getTime() ?? 0 });
      }
    }
    found.sort((a, b) => a.usedMs - b.usedMs);
    for (const { sha256, bytes } of found) this.#cached.set(sha256, { bytes, users: 0 });
    this.#makeRoom();
  }
}

/** What is known of code beside the code. */
interface Facts {
  readonly bytes: number;
  /** Of the machine, when it was unpacked. */
  readonly boot: string;
}

async function readFacts(path: string): Promise<Facts | undefined> {
  try {
    const facts: unknown = JSON.parse(await Deno.readTextFile(path));
    if (typeof facts !== "object" || facts === null || !("bytes" in facts) || !("boot" in facts)) {
      return undefined;
    }
    const { bytes, boot } = facts;
    return typeof bytes === "number" && typeof boot === "string" ? { bytes, boot } : undefined;
  } catch {
    return undefined;
  }
}
