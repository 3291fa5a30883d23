/**
 * Subscriptions that outlive their connection.
 *
 * Promise: a log goes on behind the last commit that was told of it, so that no change is missed or told twice; where
 * that is impossible (another store, an older copy) it ends with a reason instead of a gap.
 *
 * @module
 */
import type {
  ChangeEnvelope,
  OutputAsk,
  OutputEnvelope,
  Snapshot,
} from "../shared/protocol/client_envelopes.ts";
import type { Seen } from "../shared/protocol/highest_seen.ts";
import type { Subscription } from "./link_messages.ts";
import { LogTail } from "./log_tail.ts";

/** What is known of one subscription. */
interface Open {
  readonly kind: "live" | "log" | "output";
  /** For `log`: the last commit that was told; null until the first snapshot where none was named. */
  after: number | null;
  /** The store whose commits `after` counts; empty until the first snapshot. */
  store: string;
  /** Whether this session's snapshot has come: what comes before it belongs to an earlier session. */
  isOpen: boolean;
  readonly tail: LogTail;
  /** For `output`: whose, and how far it was told. */
  output: OutputAsk | undefined;
}

/** What to do with a snapshot: tell it, drop it, or end the subscription with a reason. */
export type Begun = "tell" | "drop" | { readonly broken: string };

/** All subscriptions of a client. */
export class Subscriptions {
  readonly #open = new Map<string, Open>();

  get size(): number {
    return this.#open.size;
  }

  /** @returns the envelope that opens it */
  add({ id, kind, after, output }: Subscription, seen: Seen | null): unknown {
    const open = { kind, after, store: "", isOpen: false, tail: new LogTail(), output };
    this.#open.set(id, open);
    return envelope(id, open, seen);
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** @returns whether there was one of this name */
  remove(id: string): boolean {
    return this.#open.delete(id);
  }

  /** The envelopes that open all of them in a new session. */
  openAgain(seen: Seen | null): readonly unknown[] {
    return Array.from(this.#open, ([id, open]) => {
      open.isOpen = false;
      open.tail.broke();
      return envelope(id, open, seen);
    });
  }

  /** A subscription begins, or begins again. @param store of the master that says it */
  began(snapshot: Snapshot, store: string): Begun {
    const open = this.#open.get(snapshot.subscription);
    if (open === undefined) return "drop";
    open.isOpen = true;
    if (open.kind !== "log") return "tell";
    const problem = discontinuity(open, snapshot, store);
    if (problem !== undefined) {
      this.#open.delete(snapshot.subscription);
      return { broken: problem };
    }
    open.store = store;
    open.after ??= snapshot.commit;
    return "tell";
  }

  /** A share of an output: after a break it goes on behind it. @returns whether somebody reads it */
  told(share: OutputEnvelope): boolean {
    const open = this.#open.get(share.subscription);
    if (open?.output === undefined) return false;
    if (share.end !== null) this.#open.delete(share.subscription);
    else open.output = { ...open.output, from: placeAfter(open.output.from, share) };
    return true;
  }

  /** Something changed. @returns what of it is to be told; nothing where all of it is known */
  changed(change: ChangeEnvelope): ChangeEnvelope | undefined {
    const open = this.#open.get(change.subscription);
    if (open === undefined || !open.isOpen) return undefined;
    if (open.kind !== "log") return change;
    if (open.after !== null && change.commit < open.after) return undefined;
    // The commit stays the same where the envelope ends within the next one.
    const fresh = open.tail.fresh(change.changes, change.begun ?? 0, change.commit !== open.after);
    open.after = change.commit;
    if (fresh.length === 0) return undefined;
    return fresh === change.changes ? change : { ...change, changes: [...fresh] };
  }
}

function envelope(id: string, { kind, after, output }: Open, seen: Seen | null): unknown {
  return { type: "subscribe", id, kind, after, seen, ...(output === undefined ? {} : { output }) };
}

/** How far an output is known after a share of it. */
function placeAfter(from: OutputAsk["from"], { of, pieces }: OutputEnvelope): OutputAsk["from"] {
  if (of === null) return from;
  const { epoch, attempt } = of;
  const isOn = from?.epoch === epoch && from.attempt === attempt;
  const place = isOn ? { ...from } : { epoch, attempt, stdout: 0, stderr: 0 };
  for (const { stream, offset, data } of pieces) place[stream] = offset + data.byteLength;
  return place;
}

function discontinuity({ after, store }: Open, snapshot: Snapshot, now: string): string | undefined {
  if (store !== "" && store !== now) {
    return "the master has another store: what happened in between cannot be told. Ask for the present state";
  }
  if (after !== null && snapshot.commit < after) {
    return `the master's store ends at commit ${snapshot.commit}, but commit ${after} was told before: ` +
      "an older copy was restored. Ask for the present state";
  }
  return undefined;
}
