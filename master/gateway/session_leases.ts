/**
 * The leases of one session: whose output its worker may bring.
 *
 * Promise: knows each lease that this session's worker was given or may keep, as long as it runs and for a while after:
 * output may come behind the result. Tasks whose evaluators cannot print cost next to nothing.
 *
 * @module
 */
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { taskTemplate } from "../../shared/protocol/fields.ts";
import type { ToClient } from "../../shared/protocol/client_envelopes.ts";
import type { Register, Result, ToWorker } from "../../shared/protocol/worker_envelopes.ts";

/** Leases that have ended and are still known. */
const ENDED_MAX = 1_024;

/** Which leases a session has or had. */
export class SessionLeases {
  readonly #running = new Set<string>();
  /** In the order in which they ended. */
  readonly #ended = new Set<string>();
  /** Whether a group's evaluator may print, by its template: the same bytes for all tasks of a group. */
  readonly #prints = new WeakMap<Uint8Array, boolean>();
  /** What the worker says it has, until the welcome says what of it is so. */
  #listed: Register["leases"] = [];

  /** The worker's first word. */
  registered(leases: Register["leases"]): void {
    this.#listed = leases;
  }

  /** The master's words to the worker. */
  told(envelopes: readonly (ToWorker | ToClient)[]): void {
    for (const envelope of envelopes) {
      if (envelope.type === "assign") {
        if (this.#mayPrint(envelope.template)) this.#running.add(leaseKey(envelope));
      } else if (envelope.type === "welcome") {
        this.#listed.forEach((lease, index) => {
          if (envelope.keep[index] === true) this.#running.add(leaseKey(lease));
        });
        this.#listed = [];
      }
    }
  }

  /** An attempt has ended. */
  ended(result: Result): void {
    if (this.#running.size === 0) return;
    const key = leaseKey(result);
    if (!this.#running.delete(key)) return;
    this.#ended.add(key);
    if (this.#ended.size <= ENDED_MAX) return;
    const [first] = this.#ended;
    if (first !== undefined) this.#ended.delete(first);
  }

  /** Whether the worker has this lease, or had it a moment ago. */
  has(lease: Lease): boolean {
    const key = leaseKey(lease);
    return this.#running.has(key) || this.#ended.has(key);
  }

  #mayPrint(template: Uint8Array): boolean {
    const known = this.#prints.get(template);
    if (known !== undefined) return known;
    const prints = mayPrint(template);
    this.#prints.set(template, prints);
    return prints;
  }
}

/** What cannot be read may print: nothing hangs on it but the cost of a lease. */
function mayPrint(template: Uint8Array): boolean {
  try {
    const read = taskTemplate.safeParse(decode(template));
    return !read.success || read.data.evaluator.kind !== "builtin";
  } catch {
    return true;
  }
}
