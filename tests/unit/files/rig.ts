/**
 * What tests of files stand on: folders of their own, and a store of artifacts in a folder.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { ArtifactRef } from "../../../shared/model/artifact.ts";
import { packTree } from "../../../shared/platform/tar_pack.ts";
import { listTree } from "../../../shared/platform/tree_list.ts";
import {
  ArtifactError,
  type ArtifactTransfer,
  type TransferOptions,
} from "../../../shared/protocol/artifact_port.ts";

/** A folder for a test, removed after it. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-files-" });
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The hash of a file. */
export async function sha256Of(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

/** Artifacts in a folder, with what was asked for, and a gate that can be closed. */
export class FolderTransfer implements ArtifactTransfer {
  readonly asked: string[] = [];
  /** Awaited by each transfer before it does anything, as if the master were away. */
  gate: Promise<void> = Promise.resolve();
  /** Why so many tries of each `put` come to nothing first. */
  failing: readonly string[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = `${folder}/artifacts`;
    Deno.mkdirSync(this.#folder, { recursive: true });
  }

  async put(path: string, options: TransferOptions = {}) {
    const sha256 = await sha256Of(path);
    this.asked.push(`put ${sha256}`);
    for (const reason of this.failing) options.failed?.(reason);
    await this.#passGate(options.signal);
    await Deno.copyFile(path, `${this.#folder}/${sha256}`);
    return { sha256, bytes: (await Deno.stat(path)).size };
  }

  async get(
    { sha256 }: { readonly sha256: string },
    path: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    this.asked.push(`get ${sha256}`);
    await this.#passGate(options.signal);
    await Deno.copyFile(`${this.#folder}/${sha256}`, path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new ArtifactError("missing", `the master has no artifact ${sha256}`);
    });
  }

  /** Where the bytes of an artifact are. */
  pathOf(sha256: string): string {
    return `${this.#folder}/${sha256}`;
  }

  async #passGate(signal: AbortSignal | undefined): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = () => reject(new ArtifactError("stopped", "the transfer was stopped"));
    promise.catch(() => {});
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    try {
      await Promise.race([this.gate, promise]);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/** A tree on the disk from its files; a value of `->target` is a link. */
export async function writeTree(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(dirname(path), { recursive: true });
    if (text.startsWith("->")) await Deno.symlink(text.slice(2), path);
    else await Deno.writeTextFile(path, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
}

/** Packs files, and puts them where a transfer finds them. */
export async function putTree(
  folder: string,
  transfer: FolderTransfer,
  files: Readonly<Record<string, string>>,
): Promise<ArtifactRef> {
  const made = await Deno.makeTempDir({ dir: folder });
  await writeTree(made, files);
  const listed = await listTree(made);
  if (!listed.ok) throw new Error(listed.problems.join("\n"));
  await packTree(listed.entries, made, `${made}.tar`);
  const { sha256 } = await transfer.put(`${made}.tar`);
  transfer.asked.length = 0;
  return { sha256, bytes: (await Deno.stat(`${made}.tar`)).size };
}

/** All that lies below a folder, by name. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    names.push(name);
    if (isDirectory) names.push(...(await namesIn(`${folder}/${name}`)).map((inner) => `${name}/${inner}`));
  }
  return names.toSorted();
}
