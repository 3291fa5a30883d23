/**
 * Link: the worker's connection to a master, made again whenever it ends.
 *
 * Promise: never gives up by itself; only a master that says that a person must act ends the worker. Events of any
 * connection but the newest are dropped.
 * Not here: what is said in a session (link_session.ts), what has to be said (slots.ts, outbox.ts).
 *
 * @module
 */
import type { Actor, Context, Ref, Start, Timer } from "../shared/actor/actor.ts";
import type { DeviceTrouble } from "../shared/model/devices.ts";
import { backOffMs } from "../shared/protocol/back_off.ts";
import type { HighestSeen } from "../shared/protocol/highest_seen.ts";
import { CLOSE, mayReturn, PROTOCOL_VERSION } from "../shared/protocol/limits.ts";
import type { SocketEvent } from "../shared/protocol/socket_port.ts";
import type { HeldLease, Refused, Register, WorkerVitals } from "../shared/protocol/worker_envelopes.ts";
import { IdleWatch } from "./link_idle.ts";
import { type Leaving, type Pulse, Session, type Sides } from "./link_session.ts";
import type { LogsMessage } from "./logs_messages.ts";
import type { LinkMessage, LinkTimer, StopWorker } from "./messages.ts";
import type { Dialer, WorkerOptions } from "./tree_ports.ts";

/** A connection that is not open after this time is given up. */
export const DIAL_WITHIN_MS = 10_000;
/** The first of the exit codes that say with which close code (from 4100 on) a master sent the worker away. */
export const REFUSED_EXIT_BASE = 80;
/** The last of them. */
export const REFUSED_EXIT_MAX = 99;

/** What is said of the machine before the first sample. */
const NO_VITALS: WorkerVitals = { cpuPercent: null, memoryUsedBytes: null, rssBytes: null, gpus: [] };

/** What the link is given. */
export interface LinkOptions extends Sides {
  readonly dialer: Dialer;
  readonly worker: WorkerOptions;
  /** Kinds of evaluators that this worker can run. */
  readonly executors: readonly string[];
  readonly seen: HighestSeen;
}

/** The link of a worker. */
export function link(options: LinkOptions): Start<LinkMessage> {
  return (context) => new Link(context, options);
}

/** The exit code of a worker that a master sent away with this close code. */
export function refusedExitCode(closeCode: number): number {
  return Math.min(REFUSED_EXIT_MAX, REFUSED_EXIT_BASE + closeCode - 4100);
}

class Link implements Actor<LinkMessage> {
  readonly #context: Context<LinkMessage>;
  readonly #options: LinkOptions;
  /** Of the newest connection. */
  #number = 0;
  /** Tries since the last welcome. */
  #failures = 0;
  #master = 0;
  #session: Session | undefined;
  #dialTimer: Timer | undefined;
  #running = 0;
  #queued = 0;
  #vitals = NO_VITALS;
  #devicesOut: readonly DeviceTrouble[] = [];
  #stop: StopWorker | undefined;
  #logs: Ref<LogsMessage> | undefined;
  readonly #idle: IdleWatch;

  constructor(context: Context<LinkMessage>, options: LinkOptions) {
    this.#context = context;
    this.#options = options;
    this.#idle = new IdleWatch(context, options.worker.idleTimeoutMs);
    context.atEnd(() => this.#session?.abandon(this.#stop === undefined ? "restarting" : "bye"));
    this.#dial();
  }

  receive(message: LinkMessage): void {
    switch (message.type) {
      case "say":
        this.#idle.worked();
        if (message.session === this.#number) this.#session?.report(message.envelopes);
        return;
      case "say_logs":
        if (message.session === this.#number) this.#session?.report(message.logs);
        return;
      case "logs_started":
        this.#logs = message.logs;
        return this.#tellLogs();
      case "socket":
        return this.#event(message.session, message.event);
      case "load":
        this.#running = message.running;
        this.#queued = message.queued;
        this.#idle.worked();
        return;
      case "vitals":
        return this.#sampled(message.vitals, message.devicesOut);
      case "idle_due":
        return this.#idleDue();
      case "attached":
        return this.#attached(message);
      case "stop":
        return this.#stopAsked(message);
      default:
        return this.#timer(message);
    }
  }

  turnEnded(): void {
    this.#session?.flush();
  }

  notes(): Readonly<Record<string, string | number>> {
    return { master: this.#url(), state: this.#session?.isWelcomed ? "connected" : "connecting" };
  }

  #url(): string {
    const { masters } = this.#options.worker;
    return masters[this.#master % masters.length] ?? "";
  }

  #dial(): void {
    this.#number += 1;
    const session = this.#number;
    this.#dialTimer = this.#context.after(DIAL_WITHIN_MS, { type: "dial_timeout", session });
    this.#options.dialer.dial(this.#url(), this.#options.worker.token, (event) => {
      this.#context.send(this.#context.self, { type: "socket", session, event });
    });
  }

  #event(number: number, event: SocketEvent): void {
    if (number !== this.#number) {
      // Given up before it opened: nobody else would close it.
      if (event.type === "opened") event.port.close(1000, "bye");
      return;
    }
    switch (event.type) {
      case "opened":
        return this.#opened(event.port);
      case "frame":
        return this.#frame(event.bytes);
      case "closed":
        return this.#closed(event.code, event.reason);
    }
  }

  #opened(port: Extract<SocketEvent, { readonly type: "opened" }>["port"]): void {
    this.#cancelDialTimer();
    this.#session = new Session(
      this.#context,
      this.#number,
      port,
      this.#options,
      this.#options.seen,
      () => this.#pulse(),
    );
  }

  #frame(bytes: Uint8Array): void {
    const wasWelcomed = this.#session?.isWelcomed;
    const leaving = this.#session?.frame(bytes);
    const logged = this.#session?.logged ?? [];
    if (logged.length > 0 && this.#logs !== undefined) {
      this.#context.send(this.#logs, { type: "logged", logged });
    }
    if (wasWelcomed === false && this.#session?.isWelcomed) {
      this.#tellLogs();
      this.#context.log("info", `connected to the master at ${this.#url()}`, {
        worker: this.#options.worker.worker,
        slots: this.#options.worker.slots,
      });
    }
    this.#leaveWhere(leaving);
  }

  /** Logs wait until the master has said which leases it keeps. */
  #tellLogs(): void {
    if (this.#logs === undefined || !this.#session?.isWelcomed) return;
    const session = { link: this.#context.self, number: this.#number };
    this.#context.send(this.#logs, { type: "log_session", session });
  }

  #pulse(): Pulse {
    return {
      running: this.#running,
      queued: this.#queued,
      vitals: this.#vitals,
      devicesOut: this.#devicesOut,
    };
  }

  /** A change of what is in service is said at once: until then the master gives out what is not. */
  #sampled(vitals: WorkerVitals, devicesOut: readonly DeviceTrouble[]): void {
    this.#vitals = vitals;
    const isNews = devicesOut.length !== this.#devicesOut.length ||
      devicesOut.some(({ id, reason }, index) => {
        const before = this.#devicesOut[index];
        return before?.id !== id || before.reason !== reason;
      });
    this.#devicesOut = devicesOut;
    if (isNews) this.#session?.beatNow();
  }

  #idleDue(): void {
    const isIdle = this.#session?.isWelcomed === true && this.#running + this.#queued === 0;
    const reason = this.#idle.due(isIdle);
    if (reason === undefined || this.#stop !== undefined) return;
    this.#context.send(this.#options.root, { type: "stop", graceMs: 0, reason });
  }

  #attached(attached: Extract<LinkMessage, { readonly type: "attached" }>): void {
    const session = this.#session;
    if (session === undefined || attached.session !== session.number) return;
    session.register(this.#register(attached.leases), attached.envelopes);
    if (this.#stop !== undefined) session.say(this.#stop);
  }

  #register(leases: readonly HeldLease[]): Register {
    const { worker, incarnation, slots, pool, devices, labels, limit, facts } = this.#options.worker;
    return {
      type: "register",
      version: PROTOCOL_VERSION,
      worker,
      incarnation,
      slots,
      pool,
      ...(devices === undefined ? {} : { devices: [...devices] }),
      ...(labels === undefined ? {} : { labels }),
      ...(limit === undefined ? {} : { timeLeftMs: Math.max(0, limit.workUntilMs - this.#context.now()) }),
      executors: [...this.#options.executors],
      facts,
      seen: this.#options.seen.value,
      leases: [...leases],
    };
  }

  #timer(timer: LinkTimer): void {
    if (timer.session !== this.#number) return;
    if (timer.type === "dial") return this.#dial();
    if (timer.type === "dial_timeout") return this.#lost(`it did not answer within ${DIAL_WITHIN_MS} ms`);
    this.#leaveWhere(this.#session?.timer(timer.type));
  }

  #leaveWhere(leaving: Leaving | undefined): void {
    if (this.#session?.isWelcomed) this.#failures = 0;
    if (leaving === undefined) return;
    this.#session?.end(leaving.close);
    this.#lost(leaving.why);
  }

  #closed(code: number, reason: string): void {
    const refused = this.#session?.refused;
    if (mayReturn(code)) {
      return this.#lost(`the connection was closed (${code} ${describe(refused) ?? reason})`);
    }
    this.#session?.release();
    this.#session = undefined;
    this.#number += 1;
    const message = `the master at ${this.#url()} sent this worker away: ${
      describe(refused) ?? reason
    } (${code})`;
    // Who was told to leave, and is told that it has been, has done what a person wanted.
    const isDone = this.#stop !== undefined && code === CLOSE.stopped.code;
    const exitCode = isDone ? 0 : refusedExitCode(code);
    this.#context.send(this.#options.root, { type: "leave", code: exitCode, message });
  }

  /** The session is over, or never began: try again after a while, elsewhere where this master gave no welcome. */
  #lost(why: string): void {
    const url = this.#url();
    const wasWelcomed = this.#session?.isWelcomed ?? false;
    this.#cancelDialTimer();
    this.#session?.release();
    this.#session = undefined;
    this.#context.send(this.#options.outbox, { type: "detached", session: this.#number });
    if (this.#logs !== undefined) {
      this.#context.send(this.#logs, { type: "session_over", number: this.#number });
    }
    if (!wasWelcomed) {
      this.#failures += 1;
      this.#master += 1;
    }
    // Whatever still comes of the old connection is dropped from here on.
    this.#number += 1;
    const rounds = Math.floor(this.#failures / this.#options.worker.masters.length);
    const delayMs = backOffMs(rounds, this.#context.random);
    this.#context.after(delayMs, { type: "dial", session: this.#number });
    if (isPowerOfTwo(this.#failures)) {
      this.#context.log("warning", `lost the master at ${url}: ${why}`, { tries: this.#failures });
    }
  }

  #cancelDialTimer(): void {
    if (this.#dialTimer !== undefined) this.#context.cancel(this.#dialTimer);
    this.#dialTimer = undefined;
  }

  #stopAsked(stop: StopWorker): void {
    this.#stop = stop;
    if (this.#session?.isWelcomed) this.#session.say(stop);
    this.#context.send(this.#options.slots, stop);
  }
}

function describe(refused: Refused | undefined): string | undefined {
  if (refused === undefined) return undefined;
  const advice = refused.advice === "" ? "" : `; ${refused.advice}`;
  return `${refused.message}${advice}`;
}

/** Also true for 0: a lost session is always told, further failures ever more seldom. */
function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}
