/**
 * The default store: one SQLite file, written by a thread of its own.
 *
 * Promise: as `Store` says; one process at a time has the folder, and the lock on it ends with the process.
 * Not here: what happens in the thread (database.ts).
 *
 * @module
 */
import type { Epoch } from "../../../shared/model/ids.ts";
import type { Committed, Done, OpenOptions, Queries, Recovered, Store, StoreChange } from "../store.ts";
import { backUp } from "./backup.ts";
import { DATABASE_FILE } from "./files.ts";
import { buffersOf } from "./packing.ts";
import { type PackedRecovered, unpackRecovered } from "./recovery.ts";
import { packChanges } from "./row_change.ts";
import { ThreadClient } from "./thread_client.ts";
import { type PackedCommitted, unpackCommitted } from "./thread_protocol.ts";

/** How long the thread may take to close; after that nobody knows whether it still writes. */
export const CLOSE_DEADLINE_MS = 10_000;

/** Where a store is. */
export interface SqliteStoreOptions {
  /** The data folder; it is made where there is none. */
  readonly folder: string;
  /** How long a close may take, `CLOSE_DEADLINE_MS` by default. */
  readonly closeDeadlineMs?: number;
}

/** A store in a folder. */
export class SqliteStore implements Store {
  readonly #folder: string;
  readonly #closeDeadlineMs: number;
  readonly #thread: ThreadClient;
  #isOpen = false;
  /** Who waits for the thread's end. */
  #closing: Done<null>[] = [];
  /** The batch that was committed last, and its number: the same array applied again has the same number. */
  #lastChanges: readonly StoreChange[] | undefined;
  #batch = 0;

  constructor(options: SqliteStoreOptions) {
    this.#folder = options.folder;
    this.#closeDeadlineMs = options.closeDeadlineMs ?? CLOSE_DEADLINE_MS;
    this.#thread = new ThreadClient(options.folder);
  }

  open(done: Done<Recovered>, { renew = false }: OpenOptions = {}): void {
    this.#thread.ask<PackedRecovered>({ type: "open", renew }, [], (result) => {
      if (!result.ok) return done(result);
      this.#isOpen = true;
      done({ ok: true, value: unpackRecovered(result.value) });
    });
  }

  commit(epoch: Epoch, changes: readonly StoreChange[], done: Done<Committed>): void {
    if (!this.#isOpen) return refuse(done, NOT_OPEN);
    if (changes !== this.#lastChanges) this.#batch += 1;
    this.#lastChanges = changes;
    const packed = packChanges(changes);
    const request = { type: "commit", epoch, batch: this.#batch, changes: packed } as const;
    this.#thread.ask<PackedCommitted>(request, buffersOf(packed), (result) => {
      if (!result.ok) return done(result);
      // A batch that is done is not kept from the collector.
      if (this.#lastChanges === changes) this.#lastChanges = undefined;
      done({ ok: true, value: unpackCommitted(result.value) });
    });
  }

  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"], done: Done<Queries[K]["answer"]>): void {
    if (!this.#isOpen) return refuse(done, NOT_OPEN);
    type Answer = { readonly answer: Queries[K]["answer"] };
    this.#thread.ask<Answer>({ type: "query", kind, ask }, [], (result) => {
      done(result.ok ? { ok: true, value: result.value.answer } : result);
    });
  }

  backup(path: string, done: Done<{ readonly bytes: number }>): void {
    if (!this.#isOpen) return refuse(done, NOT_OPEN);
    backUp(`${this.#folder}/${DATABASE_FILE}`, path).then(
      (bytes) => done({ ok: true, value: { bytes } }),
      (error: unknown) => refuse(done, error instanceof Error ? error.message : String(error)),
    );
  }

  close(done: Done<null>): void {
    this.#isOpen = false;
    if (!this.#thread.isRunning) return queueMicrotask(() => done({ ok: true, value: null }));
    this.#closing.push(this.#withDeadline(done));
    if (this.#closing.length > 1) return;
    this.#thread.ask<unknown>({ type: "close" }, [], (result) => {
      this.#thread.end();
      const closing = this.#closing;
      this.#closing = [];
      for (const each of closing) each(result.ok ? { ok: true, value: null } : result);
    });
  }

  #withDeadline(done: Done<null>): Done<null> {
    const deadline = setTimeout(() => {
      isLate = true;
      refuse(done, `the store's thread did not confirm its close within ${this.#closeDeadlineMs} ms`);
    }, this.#closeDeadlineMs);
    let isLate = false;
    return (result) => {
      clearTimeout(deadline);
      if (!isLate) done(result);
    };
  }
}

const NOT_OPEN = "the store is not open";

function refuse<T>(done: Done<T>, message: string): void {
  queueMicrotask(() => done({ ok: false, error: { kind: "fault", message } }));
}
