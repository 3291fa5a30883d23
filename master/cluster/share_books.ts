/**
 * Share books: how much is open of each submission's name and each experiment.
 *
 * Promise: a name of which nothing is open is not kept.
 *
 * @module
 */

/** What is open under one name. */
interface Open {
  tasks: number;
  /** Of their payloads. */
  bytes: number;
}

const NOTHING: Readonly<Open> = { tasks: 0, bytes: 0 };

/** Counts open tasks and the bytes of their payloads by share. */
export class ShareBooks {
  readonly #open = new Map<string, Open>();

  get size(): number {
    return this.#open.size;
  }

  of(share: string): Readonly<Open> {
    return this.#open.get(share) ?? NOTHING;
  }

  /** Adds so much to a share, or takes it away. */
  add(share: string, tasks: number, bytes: number): void {
    const open = this.#open.get(share);
    if (open === undefined) {
      this.#open.set(share, { tasks, bytes });
      return;
    }
    open.tasks += tasks;
    open.bytes += bytes;
    if (open.tasks === 0) this.#open.delete(share);
  }
}
