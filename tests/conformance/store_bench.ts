/**
 * What the suite of stores stands on: where stores live, and calls as promises.
 *
 * @module
 */
import type {
  Committed,
  Done,
  OpenOptions,
  Queries,
  Recovered,
  Store,
  StoreChange,
  StoreError,
} from "../../master/store/store.ts";
import type { Epoch } from "../../shared/model/ids.ts";

/** Where stores of one test live. */
export interface StoreBench {
  /** A store object over the durable state of this bench. */
  create(): Store;
  /** A path to which a backup may be written. */
  readonly backupPath: string;
  /** A store over the backup at that path. */
  createFromBackup(): Store;
  dispose(): Promise<void>;
}

/** A store whose calls are promises. */
export interface Asked {
  readonly store: Store;
  open(options?: OpenOptions): Promise<Recovered>;
  commit(epoch: Epoch, changes: readonly StoreChange[]): Promise<Committed>;
  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"]): Promise<Queries[K]["answer"]>;
  backup(path: string): Promise<{ readonly bytes: number }>;
  close(): Promise<null>;
}

/** An answer that was no answer. */
export class StoreFailure extends Error {
  readonly kind: StoreError["kind"];

  constructor(error: StoreError) {
    super(`${error.kind}: ${error.message}`);
    this.kind = error.kind;
  }
}

/** Turns callbacks into promises that reject with `StoreFailure`. */
export function asked(store: Store): Asked {
  return {
    store,
    open: (options) => promised((done) => store.open(done, options)),
    commit: (epoch, changes) => promised((done) => store.commit(epoch, changes, done)),
    query: (kind, ask) => promised((done) => store.query(kind, ask, done)),
    backup: (path) => promised((done) => store.backup(path, done)),
    close: () => promised((done) => store.close(done)),
  };
}

function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((result) => result.ok ? resolve(result.value) : reject(new StoreFailure(result.error)));
  });
}

/** Tells a failure of one kind. */
export function isFailure(kind: StoreError["kind"]): (error: unknown) => boolean {
  return (error) => error instanceof StoreFailure && error.kind === kind;
}

/** Registers one test over a new store, which is closed and disposed of after it. */
export type Test = (sentence: string, body: (store: Asked, bench: StoreBench) => Promise<void>) => void;
