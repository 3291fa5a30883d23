/**
 * Where artifacts lie: `<two digits>/<sha256>`, what is not whole yet in `unfinished/`, what goes away in `removed/`.
 *
 * Promise: a file below its two digits is whole and durable; what is removed is gone from there in one step.
 * Not here: who may add and read (artifact_room.ts), what is removed (cleaning.ts).
 *
 * @module
 */
import { SHA256_PATTERN } from "../../shared/model/artifact.ts";

/** A file with a hash for its name. */
export interface KeptFile {
  readonly sha256: string;
  readonly bytes: number;
  /** When it was kept, or asked for by someone who wanted to keep it: milliseconds since 1970. */
  readonly touchedAtMs: number;
}

/** The folder of all artifacts. */
export class ArtifactFolder {
  readonly root: string;
  #removals = 0;

  constructor(root: string) {
    this.root = root;
  }

  /** Makes what is missing, and ends removals that a death has left undone. @throws where the disk does not allow it */
  async open(): Promise<void> {
    await Deno.mkdir(`${this.root}/unfinished`, { recursive: true });
    await Deno.remove(`${this.root}/removed`, { recursive: true }).catch(unlessMissing);
    await Deno.mkdir(`${this.root}/removed`);
  }

  /** The path of a whole one. */
  path(sha256: string): string {
    return `${this.root}/${sha256.slice(0, 2)}/${sha256}`;
  }

  /** The path of one that is not whole yet. */
  unfinishedPath(sha256: string): string {
    return `${this.root}/unfinished/${sha256}`;
  }

  /** How large a whole one is; undefined where there is none. */
  async sizeOf(sha256: string): Promise<number | undefined> {
    return await sizeOf(this.path(sha256));
  }

  /** How much of an unfinished one is there. */
  async unfinishedSizeOf(sha256: string): Promise<number> {
    return await sizeOf(this.unfinishedPath(sha256)) ?? 0;
  }

  /** Makes one young again; false where it is not there. Without a pause, as `removeUntouched` is. */
  touch(sha256: string): boolean {
    try {
      const now = new Date();
      Deno.utimeSync(this.path(sha256), now, now);
      return true;
    } catch (error) {
      unlessMissing(error);
      return false;
    }
  }

  /** Makes an unfinished one, whose bytes are durable, a whole one. */
  async keep(sha256: string): Promise<void> {
    const folder = `${this.root}/${sha256.slice(0, 2)}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.rename(this.unfinishedPath(sha256), this.path(sha256));
    this.touch(sha256);
    await syncFolder(folder);
    await syncFolder(this.root);
  }

  /** Forgets what there is of an unfinished one. */
  async removeUnfinished(sha256: string): Promise<void> {
    await Deno.remove(this.unfinishedPath(sha256)).catch(unlessMissing);
  }

  /**
   * Removes one that was not touched since a time. Looking and moving away are one step: whoever touches it comes before
   * or after both, never between.
   *
   * @returns its bytes; undefined where it stays
   */
  async removeUntouched(sha256: string, sinceMs: number): Promise<number | undefined> {
    const path = this.path(sha256);
    const away = `${this.root}/removed/${this.#removals += 1}`;
    let bytes: number;
    try {
      const { mtime, size } = Deno.lstatSync(path);
      if (mtime === null || mtime.getTime() >= sinceMs) return undefined;
      bytes = size;
      Deno.renameSync(path, away);
    } catch (error) {
      unlessMissing(error);
      return undefined;
    }
    await Deno.remove(away);
    return bytes;
  }

  /** All whole ones, in no order. */
  async *all(): AsyncGenerator<KeptFile> {
    for await (const { name, isDirectory } of Deno.readDir(this.root)) {
      if (isDirectory && /^[0-9a-f]{2}$/.test(name)) yield* filesIn(`${this.root}/${name}`);
    }
  }

  /** All unfinished ones. */
  async *allUnfinished(): AsyncGenerator<KeptFile> {
    yield* filesIn(`${this.root}/unfinished`);
  }
}

async function* filesIn(folder: string): AsyncGenerator<KeptFile> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !SHA256_PATTERN.test(name)) continue;
    const found = await Deno.lstat(`${folder}/${name}`).catch(unlessMissing);
    if (found === undefined) continue;
    yield { sha256: name, bytes: found.size, touchedAtMs: found.mtime?.getTime() ?? Date.now() };
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await Deno.lstat(path).catch(unlessMissing);
  return found?.isFile === true ? found.size : undefined;
}

/** A name in a folder outlasts a power cut only once the folder itself is written. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
