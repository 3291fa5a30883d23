/**
 * The entry of the store's thread: takes requests in order and answers each once.
 *
 * Promise: whatever a request throws becomes an answer; the folder is locked from the first request until `close`.
 *
 * @module
 */
import type { StoreError } from "../store.ts";
import { Database, Superseded } from "./database.ts";
import { DATABASE_FILE } from "./files.ts";
import { type FolderLock, InUse, lockFolder } from "./folder_lock.ts";
import { FileGone } from "./open_file.ts";
import { buffersOf } from "./packing.ts";
import { unpackChanges } from "./row_change.ts";
import { UnusableFile } from "./schema.ts";
import { type Numbered, packCommitted, type ThreadRequest, type ThreadStart } from "./thread_protocol.ts";

class StoreThread {
  readonly #folder: string;
  readonly #database: Database;
  #lock: FolderLock | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#database = new Database({
      path: `${folder}/${DATABASE_FILE}`,
      wallClock: Date.now,
      randomHex: (digits) => crypto.getRandomValues(new Uint8Array(digits / 2)).toHex(),
    });
  }

  handle({ id, request }: Numbered): void {
    try {
      const value = this.#run(request);
      const moved = "packedTasks" in value ? buffersOf(value.packedTasks) : [];
      self.postMessage({ id, result: { ok: true, value } }, { transfer: moved });
    } catch (error) {
      self.postMessage({ id, result: { ok: false, error: storeError(error, this.#folder) } });
    }
  }

  #run(request: ThreadRequest) {
    if (request.type === "close") return this.#close();
    this.#lock ??= lockFolder(this.#folder);
    switch (request.type) {
      case "open":
        return this.#database.open({ renew: request.renew });
      case "commit":
        return packCommitted(
          this.#database.commit(request.epoch, request.batch, unpackChanges(request.changes)),
        );
      case "query":
        return { answer: this.#database.query(request.kind, request.ask) };
    }
  }

  #close(): Record<string, never> {
    try {
      this.#database.close();
    } finally {
      this.#lock?.release();
      this.#lock = undefined;
    }
    return {};
  }
}

function storeError(error: unknown, folder: string): StoreError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Superseded) return { kind: "superseded", message };
  if (error instanceof FileGone) return { kind: "gone", message };
  if (error instanceof InUse) return { kind: "in_use", message };
  if (error instanceof UnusableFile) return { kind: error.kind, message };
  // SQLite's errors carry no code here, only words.
  if (/not a database|malformed/.test(message)) {
    const advice = `see what of it is whole with "espalier verify ${folder}", and start from a backup`;
    return { kind: "damaged", message: `${folder}/${DATABASE_FILE} is damaged (${message}): ${advice}` };
  }
  return { kind: "fault", message };
}

let thread: StoreThread | undefined;

self.onmessage = ({ data }: MessageEvent<Numbered | ThreadStart>) => {
  if ("folder" in data) thread = new StoreThread(data.folder);
  else thread?.handle(data);
};
