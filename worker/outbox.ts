/**
 * Outbox: what has to be said about attempts, until the master has taken care of it.
 *
 * Promise: a result is kept and sent again at each reattachment until it is acknowledged; one that the master's store
 * does not know is set aside; results of long attempts are on the disk too.
 * Not here: the connection (link.ts); refusing work while too many results wait (slots.ts).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../shared/actor/actor.ts";
import { leaseKey } from "../shared/model/task.ts";
import type { Acknowledge, HeldLease, Report, Result } from "../shared/protocol/worker_envelopes.ts";
import type { Finished, LinkMessage, OutboxMessage, SlotsMessage, WorkerMessage } from "./messages.ts";
import type { Journal } from "./tree_ports.ts";

/** Results of attempts longer than this are worth a write to the disk; shorter ones are run again. */
export const JOURNAL_FROM_MS = 1_000;
/**
 * Finished leases that `register` lists, so that it fits into a frame. Results of further ones are sent all the same:
 * a completed one counts even where its task has been given to another.
 */
export const FINISHED_LISTED_MAX = 12_000;
/** Reports that wait to be read by the master; beyond it the oldest are dropped. */
export const REPORTS_KEPT_MAX = 10_000;
/** Dropping costs as much for many as for one. */
const REPORTS_DROPPED_AT_ONCE = 1_000;
/** How long a leaving worker waits for its last acknowledgements. */
export const ACKNOWLEDGE_WAIT_MS = 5_000;

/** What the outbox is given. */
export interface OutboxOptions {
  readonly journal: Journal;
  readonly setAside: (result: Result) => void;
  readonly root: Ref<WorkerMessage>;
}

/** The outbox of a worker. */
export function outbox(options: OutboxOptions): Start<OutboxMessage> {
  return (context) => new Outbox(context, options);
}

interface Waiting {
  readonly result: Result;
  readonly isJournaled: boolean;
}

class Outbox implements Actor<OutboxMessage> {
  readonly #context: Context<OutboxMessage>;
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, Waiting>();
  #reports: Report[] = [];
  /** How many reports have been dropped from the beginning of the list. */
  #reportsBefore = 0;
  #slots: Ref<SlotsMessage> | undefined;
  #session: { readonly link: Ref<LinkMessage>; readonly number: number } | undefined;
  #toSay: (Report | Result)[] = [];
  #isLeaving = false;

  constructor(context: Context<OutboxMessage>, options: OutboxOptions) {
    this.#context = context;
    this.#options = options;
    for (const result of options.journal.waiting()) {
      this.#waiting.set(leaseKey(result), { result, isJournaled: true });
    }
  }

  receive(message: OutboxMessage): void {
    switch (message.type) {
      case "results":
        return message.finished.forEach((finished) => this.#keep(finished));
      case "acknowledged":
        return this.#acknowledged(message.acknowledges);
      case "reports":
        return this.#keepReports(message.reports);
      case "reports_read":
        return this.#dropReports(message.lastReport - this.#reportsBefore);
      case "attach":
        return this.#attach(message.link, message.session, message.held);
      case "detached":
        if (this.#session?.number === message.session) this.#session = undefined;
        return;
      case "slots_started":
        this.#slots = message.slots;
        return this.#context.send(message.slots, { type: "waiting", keys: [...this.#waiting.keys()] });
      case "slots_empty":
        this.#isLeaving = true;
        this.#context.after(ACKNOWLEDGE_WAIT_MS, { type: "waited_enough" });
        return this.#leaveIfDone();
      case "waited_enough":
        return this.#leave();
    }
  }

  turnEnded(): void {
    if (this.#toSay.length === 0) return;
    const envelopes = this.#toSay;
    this.#toSay = [];
    if (this.#session === undefined) return;
    const { link, number } = this.#session;
    this.#context.send(link, { type: "say", session: number, envelopes, lastReport: this.#lastReport() });
  }

  #keep({ key, result }: Finished): void {
    if (this.#waiting.has(key)) return;
    const isJournaled = result.elapsedMs >= JOURNAL_FROM_MS && isWorthKeeping(result);
    if (isJournaled) this.#options.journal.append(result);
    this.#waiting.set(key, { result, isJournaled });
    this.#say(result);
  }

  #keepReports(reports: readonly Report[]): void {
    for (const report of reports) {
      this.#reports.push(report);
      this.#say(report);
    }
    if (this.#reports.length <= REPORTS_KEPT_MAX) return;
    this.#dropReports(this.#reports.length - REPORTS_KEPT_MAX + REPORTS_DROPPED_AT_ONCE);
  }

  #dropReports(count: number): void {
    if (count <= 0) return;
    this.#reportsBefore += this.#reports.splice(0, count).length;
  }

  /** What is said while nobody listens is in the lists, and goes out with them. */
  #say(envelope: Report | Result): void {
    if (this.#session !== undefined) this.#toSay.push(envelope);
  }

  #attach(link: Ref<LinkMessage>, number: number, held: readonly HeldLease[]): void {
    this.#session = { link, number };
    this.#toSay = [];
    const leases = [...held];
    const envelopes: (Report | Result)[] = [...this.#reports];
    for (const { result } of this.#waiting.values()) {
      const { epoch, task, attempt, elapsedMs } = result;
      if (leases.length < held.length + FINISHED_LISTED_MAX) {
        leases.push({ epoch, task, attempt, state: "finished", elapsedMs });
      }
      envelopes.push(result);
    }
    const lastReport = this.#lastReport();
    this.#context.send(link, { type: "attached", session: number, leases, envelopes, lastReport });
  }

  #lastReport(): number {
    return this.#reportsBefore + this.#reports.length;
  }

  #acknowledged(acknowledges: readonly Acknowledge[]): void {
    const keys: string[] = [];
    for (const acknowledge of acknowledges) {
      const key = leaseKey(acknowledge);
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) continue;
      this.#waiting.delete(key);
      keys.push(key);
      if (acknowledge.verdict === "unknown" && isWorthKeeping(waiting.result)) {
        this.#setAside(key, waiting.result);
      } else if (waiting.isJournaled) this.#options.journal.settle(acknowledge);
    }
    if (this.#slots !== undefined && keys.length > 0) {
      this.#context.send(this.#slots, { type: "settled", keys });
    }
    this.#leaveIfDone();
  }

  #setAside(key: string, result: Result): void {
    this.#options.setAside(result);
    this.#context.log("warning", "the master's store does not know this lease: its result is set aside", {
      lease: key,
    });
  }

  #leaveIfDone(): void {
    if (this.#isLeaving && this.#waiting.size === 0) this.#leave();
  }

  #leave(): void {
    this.#context.send(this.#options.root, { type: "drained", unacknowledged: this.#waiting.size });
  }
}

/** Whether somebody measured something. */
function isWorthKeeping({ end }: Result): boolean {
  return end.state !== "cancelled" && end.state !== "returned";
}
