/**
 * A store in memory, for the simulator: the same rules as the real one, on virtual time, with faults on demand.
 *
 * Promise: deterministic; what was answered is on the disk object and outlives this object; what was in flight at a
 * crash was applied as a whole or not at all, and nobody is told which.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { type Epoch, epochOf } from "../../shared/model/ids.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { MEMORY_QUERIES, recoveredFrom } from "./memory_queries.ts";
import type {
  Committed,
  Done,
  OpenOptions,
  Queries,
  Recovered,
  Store,
  StoreChange,
  StoreError,
  StoreResult,
} from "./store.ts";

/** What the simulator may do to a store. */
export interface MemoryFaults {
  /** How long the next operation takes, in milliseconds. */
  latencyMs(operation: "open" | "commit" | "query" | "backup" | "close"): number;
  /**
   * What becomes of the next commit: `applied_unanswered` answers a fault though it is durable, as a disk may that fails
   * after its last write.
   */
  commitFate(): "ok" | "refused" | "applied_unanswered";
  /** Whether the disk cannot be written just now: open and commit fail. */
  isFull(): boolean;
}

/** A disk without faults and latency. */
export const NO_FAULTS: MemoryFaults = {
  latencyMs: () => 0,
  commitFate: () => "ok",
  isFull: () => false,
};

/** What a `MemoryStore` stands on. */
export interface MemoryStoreOptions {
  readonly disk: MemoryDisk;
  /** Draws store ids, marks, and what becomes of a commit that was in flight at a crash. */
  readonly random: Random;
  /** Calls later, from an empty stack. */
  readonly schedule: (delayMs: number, call: () => void) => void;
  /** Milliseconds since 1970, for the age of experiments. */
  readonly wallClock: () => number;
  readonly faults?: MemoryFaults;
}

/** The store of one simulated process. */
export class MemoryStore implements Store {
  readonly #options: MemoryStoreOptions;
  readonly #faults: MemoryFaults;
  readonly #inFlight = new Set<() => void>();
  #state: "closed" | "open" | "crashed" = "closed";

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.#faults = options.faults ?? NO_FAULTS;
  }

  open(done: Done<Recovered>, { renew = false }: OpenOptions = {}): void {
    this.#later("open", done, () => {
      if (this.#faults.isFull()) return fault("database or disk is full");
      const { disk } = this.#options;
      const { state } = disk;
      if (renew) disk.renew();
      if (state.storeId === "") state.storeId = this.#hex(32);
      disk.addEpoch(
        epochOf(state.storeId, state.formerEpochs.length + state.epochs.length + 1, this.#hex(8)),
      );
      this.#state = "open";
      return { ok: true, value: recoveredFrom(state) };
    });
  }

  commit(epoch: Epoch, changes: readonly StoreChange[], done: Done<Committed>): void {
    const fate = this.#faults.commitFate();
    const apply = () => this.#apply(epoch, changes);
    const run = () => {
      if (fate === "refused" || this.#faults.isFull()) return fault("database or disk is full");
      const result = apply();
      return fate === "applied_unanswered" && result.ok ? fault("disk I/O error") : result;
    };
    this.#later("commit", done, run, apply);
  }

  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"], done: Done<Queries[K]["answer"]>): void {
    this.#later("query", done, () => {
      if (this.#state !== "open") return fault("the store is not open");
      const { disk, wallClock } = this.#options;
      return { ok: true, value: MEMORY_QUERIES[kind](disk.state, ask, wallClock()) };
    });
  }

  backup(path: string, done: Done<{ readonly bytes: number }>): void {
    this.#later("backup", done, () => {
      const { disk } = this.#options;
      if (this.#state !== "open") return fault("the store is not open");
      if (disk.backups.has(path)) return fault(`${path} exists already: name another file`);
      disk.backups.set(path, new MemoryDisk(disk.state));
      return { ok: true, value: { bytes: disk.state.commit } };
    });
  }

  close(done: Done<null>): void {
    this.#later("close", done, () => {
      this.#state = "closed";
      return { ok: true, value: null };
    });
  }

  /** The process is killed: nobody hears an answer any more; each commit in flight is applied or lost, by chance. */
  crash(): void {
    this.#state = "crashed";
    const unanswered = [...this.#inFlight];
    this.#inFlight.clear();
    for (const apply of unanswered) if (this.#options.random.next() < 0.5) apply();
  }

  #apply(epoch: Epoch, changes: readonly StoreChange[]): StoreResult<Committed> {
    const { disk } = this.#options;
    if (this.#state === "closed") return fault("the store is not open");
    const newest = disk.state.epochs.at(-1);
    if (newest !== epoch) return failure("superseded", `epoch ${newest} is newer than ${epoch}`);
    return { ok: true, value: disk.apply(changes) };
  }

  /** Runs an operation after its latency, unless the process has been killed by then. */
  #later<T>(
    operation: Parameters<MemoryFaults["latencyMs"]>[0],
    done: Done<T>,
    run: () => StoreResult<T>,
    atCrash: () => void = () => {},
  ): void {
    if (this.#state === "crashed") return;
    this.#inFlight.add(atCrash);
    this.#options.schedule(this.#faults.latencyMs(operation), () => {
      if (this.#inFlight.delete(atCrash)) done(run());
    });
  }

  #hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.#options.random.integer(16).toString(16);
    return text;
  }
}

function fault(message: string): { readonly ok: false; readonly error: StoreError } {
  return failure("fault", message);
}

function failure(
  kind: StoreError["kind"],
  message: string,
): { readonly ok: false; readonly error: StoreError } {
  return { ok: false, error: { kind, message } };
}
