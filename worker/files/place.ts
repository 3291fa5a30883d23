/**
 * The place on a worker's disk for what travels: folders that end with this life of the worker.
 *
 * Promise: what an earlier life left here is gone before anything new is made.
 *
 * @module
 */
import { join, resolve } from "node:path";

/** Below the worker's data folder. */
const FOLDER = "transfers";

/** Temporary files and folders of one worker. */
export class TransferPlace {
  readonly #folder: string;
  #opened: Promise<void> | undefined;

  /** @param dataFolder the worker's, held by this process alone */
  constructor(dataFolder: string) {
    this.#folder = join(resolve(dataFolder), FOLDER);
  }

  /** Clears the place; again it does nothing. @throws Error where the disk says no */
  open(): Promise<void> {
    return this.#opened ??= this.#clear().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
  }

  /** A name that nothing has. */
  name(): string {
    return join(this.#folder, crypto.randomUUID());
  }

  /** A new folder. @throws Error where the disk says no */
  async makeFolder(): Promise<string> {
    await this.open();
    const folder = this.name();
    await Deno.mkdir(folder, { mode: 0o700 });
    return folder;
  }

  async #clear(): Promise<void> {
    await removeAll(this.#folder);
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }
}

/** Removes a file or a folder with all in it; what is not there is gone already. What cannot be removed stays. */
export async function removeAll(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
}
