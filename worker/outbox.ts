/**
 * Outbox: what has to be said about attempts, until the master has taken care of it.
 *
 * Promise: a result is kept and sent again at each reattachment until it is acknowledged, and so are the reports before
 * it until they are taken; a result that the master's store does not know is set aside; results of long attempts are on
 * the disk too, with the reports that were not taken before.
 * Not here: the connection (link.ts); refusing work while too many results wait (slots.ts); numbers and limits of
 * reports (outbox_reports.ts).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../shared/actor/actor.ts";
import { leaseKey } from "../shared/model/task.ts";
import type { Acknowledge, HeldLease, Report, Result, Taken } from "../shared/protocol/worker_envelopes.ts";
import type {
  Finished,
  LinkMessage,
  MeasuredOf,
  OutboxMessage,
  SlotsMessage,
  WorkerMessage,
} from "./messages.ts";
import { KeptReports } from "./outbox_reports.ts";
import type { Journal } from "./tree_ports.ts";

/** Results of attempts longer than this are worth a write to the disk; shorter ones are run again. */
export const JOURNAL_FROM_MS = 1_000;
/**
 * Finished leases that `register` lists, so that it fits into a frame. Results of further ones are sent all the same:
 * a completed one counts even where its task has been given to another.
 */
export const FINISHED_LISTED_MAX = 8_000;
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
  readonly #reports: KeptReports;
  #slots: Ref<SlotsMessage> | undefined;
  #session: { readonly link: Ref<LinkMessage>; readonly number: number } | undefined;
  #toSay: (Report | Result)[] = [];
  #isLeaving = false;

  constructor(context: Context<OutboxMessage>, options: OutboxOptions) {
    this.#context = context;
    this.#options = options;
    this.#reports = new KeptReports(({ task }) => {
      context.log("warning", `reports of ${task} come faster than they are kept: some are left out`);
    });
    for (const { result, reports } of options.journal.waiting()) {
      this.#waiting.set(leaseKey(result), { result, isJournaled: true });
      this.#reports.restore(reports);
      this.#reports.complete(result, false);
    }
  }

  receive(message: OutboxMessage): void {
    switch (message.type) {
      case "results":
        return message.finished.forEach((finished) => this.#keep(finished));
      case "acknowledged":
        return this.#acknowledged(message.acknowledges);
      case "reports":
        return this.#keepReports(message.measured);
      case "taken":
        return message.taken.forEach((taken) => this.#taken(taken));
      case "attach":
        return this.#attach(message.link, message.session, message.held);
      case "detached":
        if (this.#session?.number === message.session) this.#session = undefined;
        return;
      case "slots_started":
        this.#slots = message.slots;
        this.#reports.forgetEmpty();
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
    this.#context.send(link, { type: "say", session: number, envelopes });
  }

  #keep({ key, result }: Finished): void {
    if (this.#waiting.has(key)) return;
    const isJournaled = result.elapsedMs >= JOURNAL_FROM_MS && isWorthKeeping(result);
    if (isJournaled) this.#options.journal.append(result, this.#reports.of(result));
    this.#waiting.set(key, { result, isJournaled });
    for (const report of this.#reports.complete(result, this.#session !== undefined)) this.#say(report);
    this.#say(result);
  }

  #keepReports({ lease, reports }: MeasuredOf): void {
    for (const report of this.#reports.add(lease, reports, this.#session !== undefined)) this.#say(report);
  }

  #taken(taken: Taken): void {
    for (const report of this.#reports.taken(taken, taken.reports, taken.again)) this.#say(report);
    // The master left out the result too: it stands behind the reports.
    const result = taken.again === null ? undefined : this.#waiting.get(leaseKey(taken))?.result;
    if (result !== undefined) this.#say(result);
  }

  /** What is said while nobody listens is kept, and goes out at the next reattachment. */
  #say(envelope: Report | Result): void {
    if (this.#session !== undefined) this.#toSay.push(envelope);
  }

  #attach(link: Ref<LinkMessage>, number: number, held: readonly HeldLease[]): void {
    this.#session = { link, number };
    this.#toSay = [];
    const leases = held.map((each) => this.#withCheckpoint(each));
    const envelopes: (Report | Result)[] = [...this.#reports.resend()];
    for (const { result } of this.#waiting.values()) {
      const { epoch, task, attempt, elapsedMs } = result;
      if (leases.length < held.length + FINISHED_LISTED_MAX) {
        leases.push({ epoch, task, attempt, state: "finished", elapsedMs });
      }
      envelopes.push(result);
    }
    this.#context.send(link, { type: "attached", session: number, leases, envelopes });
  }

  /** A lease as `register` lists it: how far it came decides which of two attempts goes on. */
  #withCheckpoint(held: HeldLease): HeldLease {
    const saved = this.#reports.furthestCheckpoint(held);
    return saved === undefined ? held : { ...held, checkpoint: Math.max(saved, held.checkpoint ?? 0) };
  }

  #acknowledged(acknowledges: readonly Acknowledge[]): void {
    const keys: string[] = [];
    for (const acknowledge of acknowledges) {
      const key = leaseKey(acknowledge);
      const waiting = this.#waiting.get(key);
      this.#reports.forget(key);
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
