/**
 * A worker's journal on a simulated disk: bytes, of which those that were synced outlive a crash, and of the others a
 * first part may, torn in the middle of an entry.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { Seen } from "../../shared/protocol/highest_seen.ts";
import { encodeEntry, type JournalEntry, readEntries } from "../../worker/journal_entry.ts";
import { SEEN_WRITTEN_WITHIN_MS } from "../../worker/seen_file.ts";
import type { Journal, JournaledResult, SeenMemory } from "../../worker/tree_ports.ts";
import type { SimulatedProcess } from "./process.ts";

/** How long a write takes, and a sync after it. */
const WRITE_MS = 2;
const SYNC_MS = 2;

/** What is on the disk. */
export class JournalDisk {
  readonly #random: Random;
  readonly #torn: () => void;
  /** What outlives a crash. */
  #synced = new Uint8Array();
  #seen: Seen | null = null;
  /** Written or asked for, oldest first, and not synced. */
  #unsynced: Uint8Array[] = [];

  /** @param torn told when a crash leaves half an entry behind */
  constructor(random: Random, torn: () => void = () => {}) {
    this.#random = random;
    this.#torn = torn;
  }

  /** What the next life would find. */
  get results(): ReadonlyMap<string, JournaledResult> {
    const results = new Map<string, JournaledResult>();
    for (const entry of readEntries(this.#synced).entries) {
      if (entry.type === "settled") results.delete(entry.key);
      else results.set(leaseKey(entry.result), { result: entry.result, reports: entry.reports ?? [] });
    }
    return results;
  }

  /** The journal of one life. */
  open(process: SimulatedProcess): Journal {
    // As the real one does: what a crash left half written is cut off, and what is settled is left behind.
    this.#synced = joined([...this.results.values()].map((each) => encodeEntry({ type: "result", ...each })));
    return {
      waiting: () => [...this.results.values()],
      append: (result, reports) => this.#write(process, { type: "result", result, reports }),
      settle: (lease) => this.#write(process, { type: "settled", key: leaseKey(lease) }),
    };
  }

  /** What the worker was told, beside its journal: written now and then, and never waited for. */
  seen(process: SimulatedProcess): SeenMemory {
    let isWaiting = false;
    let newest: Seen | null = null;
    return {
      read: () => this.#seen,
      note: (seen) => {
        newest = seen;
        if (isWaiting) return;
        isWaiting = true;
        process.timer(SEEN_WRITTEN_WITHIN_MS, () => {
          isWaiting = false;
          this.#seen = newest;
        });
      },
    };
  }

  /** The process has ended: a first part of what was not synced is on the disk, the rest is lost. */
  crash(): void {
    const bytes = joined(this.#unsynced);
    const kept = this.#random.integer(bytes.length + 1);
    const before = this.#synced.length;
    this.#synced = joined([this.#synced, bytes.subarray(0, kept)]);
    this.#unsynced = [];
    if (readEntries(this.#synced).bytes < before + kept) this.#torn();
  }

  #write(process: SimulatedProcess, entry: JournalEntry): void {
    this.#unsynced.push(encodeEntry(entry));
    process.timer(WRITE_MS + SYNC_MS, () => this.#sync());
  }

  /** The oldest of what was written is safe; a file in which nothing waits is emptied. */
  #sync(): void {
    const entry = this.#unsynced.shift();
    if (entry !== undefined) this.#synced = joined([this.#synced, entry]);
    if (this.results.size === 0) this.#synced = new Uint8Array();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
