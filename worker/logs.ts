/**
 * Logs: what evaluators print, on its way to the master.
 *
 * Promise: memory is bounded however much is printed and however long no master is there; what was said is said again
 * after a break until it is answered; nobody else on the connection waits behind more than a window. Where an evaluator
 * prints faster than that, the newest is kept, and the offset says how much was left out.
 * Not here: who printed, and where the offsets are counted (logs_source.ts); what is kept of it all (the master).
 *
 * @module
 */
import type { Actor, Context, Start, Timer } from "../shared/actor/actor.ts";
import type { Lease } from "../shared/model/task.ts";
import { leaseKey } from "../shared/model/task.ts";
import { LOG_BYTES_MAX } from "../shared/protocol/limits.ts";
import type { Log, Logged } from "../shared/protocol/worker_envelopes.ts";
import { KeptStream, type Said } from "./logs_kept.ts";
import type { LogSession, LogsMessage } from "./logs_messages.ts";

/** Said and not answered, of all attempts: heartbeats and results wait behind no more. */
export const WINDOW_BYTES_MAX = 512 * 1024;
/** So much a second is said for long, of all attempts; a burst may be a window. */
export const SAY_BYTES_PER_SECOND_MAX = 1024 * 1024;
/** What an attempt prints is gathered so long before it is said. */
export const SAY_EVERY_MS = 250;
/** What is so much is said at once. */
export const SAY_AT_ONCE_BYTES = 32 * 1024;
/** Where there is less room than this, more of it is waited for: many small pieces would be many small gaps. */
const ROOM_BYTES_MIN = LOG_BYTES_MAX;
/** Not said, of all attempts. */
export const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Attempts that something is kept of. */
export const KEPT_ATTEMPTS_MAX = 4_096;
/** What no master took so long after its attempt's end is forgotten. */
export const FORGET_AFTER_MS = 600_000;

const STREAMS = ["stdout", "stderr"] as const;

/** The logs of a worker. */
export function logs(): Start<LogsMessage> {
  return (context) => new Logs(context);
}

/** An attempt that printed. */
interface Printed {
  readonly key: string;
  readonly lease: Lease;
  readonly streams: { readonly stdout: KeptStream; readonly stderr: KeptStream };
  saidAtMs: number;
  overAtMs: number | undefined;
  isEndSaid: boolean;
}

class Logs implements Actor<LogsMessage> {
  readonly #context: Context<LogsMessage>;
  readonly #printed = new Map<string, Printed>();
  /** Those with something to say, the longest waiting first. */
  readonly #waiting = new Set<Printed>();
  /** Those of them that are due. */
  readonly #due = new Set<Printed>();
  #session: LogSession | undefined;
  #keptBytes = 0;
  #windowBytes = 0;
  #allowedBytes = WINDOW_BYTES_MAX;
  #allowedAtMs: number;
  #timer: Timer | undefined;

  constructor(context: Context<LogsMessage>) {
    this.#context = context;
    this.#allowedAtMs = context.now();
  }

  receive(message: LogsMessage): void {
    switch (message.type) {
      case "printed":
        return this.#add(message);
      case "over":
        return this.#over(message.key);
      case "log_session":
        this.#session = message.session;
        return this.#sayAgain(message.session);
      case "session_over":
        if (this.#session?.number === message.number) this.#session = undefined;
        return;
      case "logged":
        return message.logged.forEach((logged) => this.#logged(logged));
      case "say_due":
        this.#timer = undefined;
        this.#forgetOld();
        return this.#waiting.forEach((printed) => this.#lookWhetherDue(printed));
    }
  }

  turnEnded(): void {
    this.#say();
    const isNeeded = this.#session !== undefined ? this.#waiting.size > 0 : this.#printed.size > 0;
    if (isNeeded) this.#timer ??= this.#context.after(SAY_EVERY_MS, { type: "say_due" });
  }

  notes(): Readonly<Record<string, number>> {
    return { attempts: this.#printed.size, keptBytes: this.#keptBytes };
  }

  #add({ key, lease, stream, offset, data }: Extract<LogsMessage, { readonly type: "printed" }>): void {
    const printed = this.#printed.get(key) ?? this.#begin(key, lease);
    this.#keptBytes += printed.streams[stream].add(offset, data);
    this.#waiting.add(printed);
    this.#lookWhetherDue(printed);
    while (this.#keptBytes > KEPT_BYTES_MAX) {
      const [longest] = this.#waiting;
      if (longest === undefined) return;
      this.#dropUnsaid(longest);
    }
  }

  #begin(key: string, lease: Lease): Printed {
    if (this.#printed.size >= KEPT_ATTEMPTS_MAX) this.#forgetOne();
    const streams = { stdout: new KeptStream(), stderr: new KeptStream() };
    const printed = { key, lease, streams, saidAtMs: -Infinity, overAtMs: undefined, isEndSaid: false };
    this.#printed.set(key, printed);
    return printed;
  }

  #over(key: string): void {
    const printed = this.#printed.get(key);
    if (printed === undefined) return;
    printed.overAtMs = this.#context.now();
    this.#waiting.add(printed);
    this.#due.add(printed);
  }

  #lookWhetherDue(printed: Printed): void {
    const isDue = printed.overAtMs !== undefined || unsaidBytes(printed) >= SAY_AT_ONCE_BYTES ||
      this.#context.now() - printed.saidAtMs >= SAY_EVERY_MS;
    if (isDue) this.#due.add(printed);
  }

  /** In turns, so that one that prints much does not hold up the others. */
  #say(): void {
    if (this.#session === undefined || this.#due.size === 0) return;
    const { link, number } = this.#session;
    const nowMs = this.#context.now();
    this.#allow(nowMs);
    const envelopes: Log[] = [];
    // Who has more to say comes again, behind the others.
    for (const printed of this.#due) {
      if (this.#roomBytes < ROOM_BYTES_MIN) break;
      this.#sayOf(printed, nowMs, envelopes);
    }
    if (envelopes.length > 0) {
      this.#context.send(link, { type: "say_logs", session: number, logs: envelopes });
    }
  }

  #sayOf(printed: Printed, nowMs: number, envelopes: Log[]): void {
    for (const stream of STREAMS) {
      const kept = printed.streams[stream];
      const said = kept.take(this.#roomBytes);
      if (said === undefined) continue;
      this.#keptBytes -= said.data.byteLength;
      this.#windowBytes += said.data.byteLength;
      this.#allowedBytes -= said.data.byteLength;
      envelopes.push(envelopeOf(printed, stream, said));
    }
    printed.saidAtMs = nowMs;
    this.#waiting.delete(printed);
    this.#due.delete(printed);
    if (unsaidBytes(printed) > 0) {
      this.#waiting.add(printed);
      return this.#lookWhetherDue(printed);
    }
    if (printed.overAtMs === undefined) return;
    printed.isEndSaid = true;
    const last = envelopes.at(-1);
    const isOwn = last !== undefined && leaseKey(last) === printed.key;
    if (isOwn) envelopes[envelopes.length - 1] = { ...last, last: true };
    else envelopes.push(envelopeOf(printed, "stdout", printed.streams.stdout.takeNothing()));
  }

  get #roomBytes(): number {
    return Math.min(WINDOW_BYTES_MAX - this.#windowBytes, this.#allowedBytes);
  }

  #allow(nowMs: number): void {
    const more = Math.floor((nowMs - this.#allowedAtMs) * SAY_BYTES_PER_SECOND_MAX / 1_000);
    if (more === 0) return;
    this.#allowedAtMs = nowMs;
    this.#allowedBytes = Math.min(WINDOW_BYTES_MAX, this.#allowedBytes + more);
  }

  #logged({ epoch, task, attempt, stream, offset }: Logged): void {
    const printed = this.#printed.get(leaseKey({ epoch, task, attempt }));
    if (printed === undefined) return;
    this.#windowBytes -= printed.streams[stream].answered(offset);
    if (printed.isEndSaid && STREAMS.every((each) => printed.streams[each].said.length === 0)) {
      this.#printed.delete(printed.key);
    }
  }

  /** Whatever an earlier session did not answer. */
  #sayAgain({ link, number }: LogSession): void {
    const envelopes: Log[] = [];
    for (const printed of this.#printed.values()) {
      const own = STREAMS.flatMap((stream) =>
        printed.streams[stream].said.map((said) => ({ ...envelopeOf(printed, stream, said), last: false }))
      );
      const last = own.at(-1);
      if (last !== undefined && printed.isEndSaid) own[own.length - 1] = { ...last, last: true };
      envelopes.push(...own);
    }
    if (envelopes.length > 0) {
      this.#context.send(link, { type: "say_logs", session: number, logs: envelopes });
    }
  }

  #forgetOld(): void {
    const oldest = this.#context.now() - FORGET_AFTER_MS;
    for (const printed of this.#printed.values()) {
      if (printed.overAtMs !== undefined && printed.overAtMs <= oldest) this.#forget(printed);
    }
  }

  /** The first that has ended; where none has, the first. */
  #forgetOne(): void {
    let first: Printed | undefined;
    for (const printed of this.#printed.values()) {
      first ??= printed;
      if (printed.overAtMs !== undefined) return this.#forget(printed);
    }
    if (first !== undefined) this.#forget(first);
  }

  #forget(printed: Printed): void {
    this.#dropUnsaid(printed);
    this.#waiting.delete(printed);
    this.#due.delete(printed);
    for (const stream of STREAMS) this.#windowBytes -= printed.streams[stream].answered(Infinity);
    this.#printed.delete(printed.key);
  }

  #dropUnsaid(printed: Printed): void {
    for (const stream of STREAMS) this.#keptBytes -= printed.streams[stream].drop();
    this.#waiting.delete(printed);
    this.#due.delete(printed);
    if (printed.overAtMs === undefined || printed.isEndSaid) return;
    // That it has ended is still to be said.
    this.#waiting.add(printed);
    this.#due.add(printed);
  }
}

function unsaidBytes({ streams }: Printed): number {
  return streams.stdout.unsaidBytes + streams.stderr.unsaidBytes;
}

function envelopeOf(printed: Printed, stream: Log["stream"], { offset, data }: Said): Log {
  const { epoch, task, attempt } = printed.lease;
  const isLast = printed.isEndSaid;
  return { type: "log", epoch, task, attempt, stream, offset, data, ...(isLast ? { last: true } : {}) };
}
