/**
 * What lies in the folder that a module's process may write to, of one attempt: its own folder, and what was restored.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Attempt } from "../executor.ts";
import type { Restored } from "./harness/message.ts";

/** One attempt's places in a process's scratch folder. */
export class ModuleFolders {
  readonly #scratch: string;
  readonly #id: number;
  #hasRestored = false;

  constructor(scratch: string, id: number) {
    this.#scratch = scratch;
    this.#id = id;
  }

  /** The attempt's own folder, where its evaluator has asked for it. */
  get own(): string | undefined {
    if (this.#scratch === "") return undefined;
    const path = join(this.#scratch, String(this.#id));
    try {
      return Deno.lstatSync(path).isDirectory ? path : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Puts a checkpoint where the evaluator can read it. Links, so that megabytes cost nothing: the other name is removed with
   * the attempt.
   *
   * @throws Error where it cannot be put there
   */
  place(restored: Attempt["restored"]): Restored | undefined {
    if (restored === undefined) return undefined;
    const parent = `${this.#id}-restored`;
    Deno.mkdirSync(join(this.#scratch, parent));
    this.#hasRestored = true;
    const file = join(parent, basename(restored.path));
    linkTree(restored.path, join(this.#scratch, file));
    return { step: restored.step, file };
  }

  /** The attempt has ended. Never rejects. */
  async remove(): Promise<void> {
    const places = [this.own, this.#hasRestored ? join(this.#scratch, `${this.#id}-restored`) : undefined];
    for (const path of places) {
      // What cannot be removed now goes with the worker's folder.
      if (path !== undefined) await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }

  /** Whether there is anything to remove. */
  get isUsed(): boolean {
    return this.#hasRestored || this.own !== undefined;
  }
}

function linkTree(from: string, to: string): void {
  const { isDirectory, isFile } = Deno.lstatSync(from);
  if (isFile) return linkFile(from, to);
  if (!isDirectory) return;
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) linkTree(join(from, name), join(to, name));
}

function linkFile(from: string, to: string): void {
  try {
    Deno.linkSync(from, to);
  } catch {
    // The two folders are of different file systems.
    Deno.copyFileSync(from, to);
  }
}
