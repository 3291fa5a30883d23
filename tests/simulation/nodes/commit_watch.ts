/**
 * Knows whether a commit is between its write and its answer.
 *
 * @module
 */
import type { Queries, Store } from "../../../master/store/store.ts";

/** Passes everything on. */
export class CommitWatch implements Store {
  readonly #store: Store;
  #committing = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether a commit has not been answered. */
  get isCommitting(): boolean {
    return this.#committing > 0;
  }

  open(...how: Parameters<Store["open"]>): void {
    this.#store.open(...how);
  }

  commit(...[epoch, changes, done]: Parameters<Store["commit"]>): void {
    this.#committing += 1;
    this.#store.commit(epoch, changes, (result) => {
      this.#committing -= 1;
      done(result);
    });
  }

  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"], done: Parameters<Store["query"]>[2]): void {
    this.#store.query(kind, ask, done);
  }

  backup(path: string, done: Parameters<Store["backup"]>[1]): void {
    this.#store.backup(path, done);
  }

  close(done: Parameters<Store["close"]>[0]): void {
    this.#store.close(done);
  }
}
