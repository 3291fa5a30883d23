/**
 * A worker's journal on a simulated disk: what was written in time outlives the process, the rest may.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { Result } from "../../shared/protocol/worker_envelopes.ts";
import type { Journal } from "../../worker/tree_ports.ts";
import type { SimulatedProcess } from "./process.ts";

/** How long a write takes. */
const WRITE_MS = 3;

/** What is on the disk. */
export class JournalDisk {
  readonly #random: Random;
  readonly results = new Map<string, Result>();
  /** What was asked for and is not written yet, oldest first. */
  #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The journal of one life. */
  open(process: SimulatedProcess): Journal {
    return {
      waiting: () => [...this.results.values()],
      append: (result) => this.#write(process, () => this.results.set(leaseKey(result), result)),
      settle: (lease: Lease) => this.#write(process, () => this.results.delete(leaseKey(lease))),
    };
  }

  /** The process has ended: a first part of what waited is written, the rest is lost. */
  crash(): void {
    const kept = this.#random.integer(this.#waiting.length + 1);
    for (const write of this.#waiting.slice(0, kept)) write();
    this.#waiting = [];
  }

  #write(process: SimulatedProcess, write: () => void): void {
    this.#waiting.push(write);
    process.timer(WRITE_MS, () => this.#waiting.shift()?.());
  }
}
