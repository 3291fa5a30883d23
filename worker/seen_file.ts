/**
 * The highest commit that this worker was told, in its data folder: so its next process notices an older copy too.
 *
 * Promise: never waited for and never in the way: written at most once a second, whole or not at all; a file that cannot be
 * written or read costs only that knowledge.
 *
 * @module
 */
import { join } from "node:path";
import { seen as seenField } from "../shared/protocol/fields.ts";
import type { Seen } from "../shared/protocol/highest_seen.ts";
import type { SeenMemory } from "./tree_ports.ts";

/** How long what is new waits for its write, in milliseconds. */
export const SEEN_WRITTEN_WITHIN_MS = 1_000;
/** In the worker's data folder. */
const FILE = "seen.json";

/** What a worker has seen, on its disk. */
export class SeenFile implements SeenMemory {
  readonly #path: string;
  readonly #withinMs: number;
  #newest: Seen | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param folder the worker's data folder */
  constructor(folder: string, withinMs: number = SEEN_WRITTEN_WITHIN_MS) {
    this.#path = join(folder, FILE);
    this.#withinMs = withinMs;
  }

  read(): Seen | null {
    try {
      return seenField.safeParse(JSON.parse(Deno.readTextFileSync(this.#path))).data ?? null;
    } catch {
      return null;
    }
  }

  note(seen: Seen): void {
    this.#newest = seen;
    this.#timer ??= setTimeout(() => this.#write(), this.#withinMs);
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const seen = this.#newest;
    this.#newest = undefined;
    if (seen !== undefined) this.#writing = this.#writing.then(() => this.#replace(seen));
  }

  async #replace(seen: Seen): Promise<void> {
    const draft = `${this.#path}.new`;
    try {
      await Deno.writeTextFile(draft, `${JSON.stringify(seen)}\n`, { mode: 0o600 });
      await Deno.rename(draft, this.#path);
    } catch {
      // A full disk costs no more than this: the journal says that it is full.
    }
  }
}
