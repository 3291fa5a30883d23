/**
 * The link: a client's connection to its master, kept up.
 *
 * Promise: a command is sent, and after each break sent again with the same id, until it is replied to; a log goes on
 * without gap or double; a master that says "later" is asked later.
 * Not here: what commands and changes mean (client.ts), the socket itself (behind the Dialer).
 *
 * @module
 */
import type { Actor, Context, Start, Timer } from "../shared/actor/actor.ts";
import { type CommandId, commandId } from "../shared/model/ids.ts";
import { backOffMs } from "../shared/protocol/back_off.ts";
import {
  type ChangeEnvelope,
  type CommandBody,
  type Reply,
  type Snapshot,
  type ToClient,
  toClient,
} from "../shared/protocol/client_envelopes.ts";
import { decodeFrame, encodeFrames } from "../shared/protocol/codec.ts";
import { CLOSE, HEARTBEAT_DEFAULT_MS, LEAVE_INTERVALS, mayReturn } from "../shared/protocol/limits.ts";
import type { SocketEvent, SocketPort } from "../shared/protocol/socket_port.ts";
import { HighestSeen } from "../shared/protocol/highest_seen.ts";
import type { LinkMessage, LinkOptions, LinkState, Subscription } from "./link_messages.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A connection that is not open by then is given up, and the next address is tried. */
export const DIAL_WITHIN_MS = 10_000;
/** After so long without a word the master is asked for one: a peer that vanished silently is noticed by nobody else. */
export const LISTEN_EVERY_MS = HEARTBEAT_DEFAULT_MS;
/** After so long without a word, though one was asked for, the session is left. */
export const SILENT_AFTER_MS = LEAVE_INTERVALS * HEARTBEAT_DEFAULT_MS;

/** Refusals that pass by themselves: the command is sent again. Others are told, also where a later try may help. */
const WAIT_CODES: ReadonlySet<string> = new Set(["queue_full", "busy", "not_ready"]);

type Phase =
  | { readonly type: "waiting" }
  | { readonly type: "dialing" }
  | { readonly type: "open"; readonly port: SocketPort; readonly timer: Timer }
  | { readonly type: "ended" };

/** Begins a link, which connects at once. */
export function clientLink(options: LinkOptions): Start<LinkMessage> {
  return (context) => new Link(context, options);
}

class Link implements Actor<LinkMessage> {
  readonly #context: Context<LinkMessage>;
  readonly #options: LinkOptions;
  readonly #seen = new HighestSeen();
  readonly #subscriptions = new Subscriptions();
  /** Commands without a reply, in the order in which they were given. */
  readonly #pending = new Map<CommandId, CommandBody>();
  #phase: Phase = { type: "waiting" };
  /** Counts connections: what an earlier one still says is dropped. */
  #session = 0;
  /** Tries since the last connection that was of use. */
  #failures = 0;
  /** How many masters in a row said that a person must act. */
  #refusals = 0;
  /** The master's last words before it closes. */
  #refusal = "";
  #heardAtMs = 0;
  #probe: CommandId | undefined;
  #outgoing: unknown[] = [];

  constructor(context: Context<LinkMessage>, options: LinkOptions) {
    this.#context = context;
    this.#options = options;
    context.atEnd(() => this.#hangUp());
    this.#dial("");
  }

  receive(message: LinkMessage): void {
    if (this.#phase.type === "ended") return;
    switch (message.type) {
      case "socket":
        if (message.session === this.#session) this.#onSocket(message.event);
        else if (message.event.type === "opened") message.event.port.close(CLOSE.bye.code, CLOSE.bye.name);
        break;
      case "command":
        this.#pending.set(message.id, message.body);
        this.#say({ type: "command", id: message.id, command: message.body });
        break;
      case "subscribe":
        this.#subscribe(message);
        break;
      case "unsubscribe":
        if (this.#subscriptions.remove(message.id)) this.#say({ type: "unsubscribe", id: message.id });
        break;
      case "more":
        if (this.#subscriptions.has(message.id)) this.#say({ type: "more", id: message.id });
        break;
      case "close":
        this.#flush();
        this.#end("closed", "the client was closed");
        break;
      case "send_again":
        this.#sendAgain(message.id);
        break;
      case "dial":
        if (message.session === this.#session) this.#connect();
        break;
      case "dial_timeout":
        if (message.session === this.#session && this.#phase.type === "dialing") {
          this.#retry(`no answer within ${DIAL_WITHIN_MS / 1_000} s`);
        }
        break;
      case "listen":
        if (message.session === this.#session) this.#listen();
    }
  }

  turnEnded(): void {
    this.#flush();
  }

  #subscribe({ id, kind, after, output }: Subscription): void {
    this.#say(this.#subscriptions.add({ id, kind, after, output }, this.#seen.value));
  }

  /** What is said while there is no connection is not kept: all of it is said anew when there is one. */
  #say(envelope: unknown): void {
    if (this.#phase.type === "open") this.#outgoing.push(envelope);
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#phase.type !== "open") return;
    const envelopes = this.#outgoing;
    this.#outgoing = [];
    for (const frame of encodeFrames(envelopes)) this.#phase.port.send(frame);
  }

  #onSocket(event: SocketEvent): void {
    switch (event.type) {
      case "opened":
        return this.#opened(event.port);
      case "frame":
        return this.#onFrame(event.bytes);
      case "closed":
        return this.#closed(event.code, event.reason);
    }
  }

  #opened(port: SocketPort): void {
    this.#phase = { type: "open", port, timer: this.#listenLater() };
    this.#heardAtMs = this.#context.attentiveNow();
    this.#refusal = "";
    this.#probe = undefined;
    this.#outgoing = [...this.#subscriptions.openAgain(this.#seen.value)];
    for (const [id, command] of this.#pending) this.#outgoing.push({ type: "command", id, command });
    this.#tellState({ type: "connected", url: this.#url() });
  }

  #onFrame(bytes: Uint8Array): void {
    const frame = decodeFrame<ToClient>(bytes, toClient);
    if (!frame.ok) {
      const { message, path } = frame.problem;
      return this.#leave(CLOSE.malformed, `the master sent what is no frame: ${message} ${path}`.trim());
    }
    this.#heardAtMs = this.#context.attentiveNow();
    this.#failures = 0;
    const replies: Reply[] = [];
    const told: (Snapshot | ChangeEnvelope)[] = [];
    for (const envelope of frame.envelopes) this.#onEnvelope(envelope, replies, told);
    // A master that refuses says so before it closes: that is no sign of welcome.
    if (this.#refusal === "") this.#refusals = 0;
    if (told.length > 0) this.#options.events.told(told);
    if (replies.length > 0) this.#options.events.replied(replies);
  }

  #onEnvelope(envelope: ToClient, replies: Reply[], told: (Snapshot | ChangeEnvelope)[]): void {
    switch (envelope.type) {
      case "reply":
        this.#seen.tell(envelope.epoch, envelope.commit);
        if (this.#isFinal(envelope)) replies.push(envelope);
        break;
      case "snapshot":
        this.#seen.tell(envelope.epoch, envelope.commit);
        return this.#begun(envelope, told);
      case "change": {
        this.#seen.tellCommit(envelope.commit);
        const fresh = this.#subscriptions.changed(envelope);
        if (fresh !== undefined) told.push(fresh);
        break;
      }
      case "output":
        if (this.#subscriptions.told(envelope)) this.#options.events.output?.(envelope);
        break;
      case "refused":
        this.#refusal = [envelope.message, envelope.path, envelope.advice].filter((part) => part !== "").join(
          "; ",
        );
    }
  }

  #begun(snapshot: Snapshot, told: (Snapshot | ChangeEnvelope)[]): void {
    const begun = this.#subscriptions.began(snapshot, this.#seen.store);
    if (begun === "tell") told.push(snapshot);
    else if (begun !== "drop") {
      this.#say({ type: "unsubscribe", id: snapshot.subscription });
      this.#options.events.broken(snapshot.subscription, begun.broken);
    }
  }

  /** Whether somebody waits for this reply; "later" is no reply. */
  #isFinal(reply: Reply): boolean {
    if (!this.#pending.has(reply.id)) return false;
    if (reply.ok || reply.error.retryAfterMs === null || !WAIT_CODES.has(reply.error.code)) {
      return this.#pending.delete(reply.id);
    }
    this.#context.after(reply.error.retryAfterMs, { type: "send_again", id: reply.id });
    this.#options.events.delayed(reply.id, reply.error);
    return false;
  }

  #sendAgain(id: CommandId): void {
    const command = this.#pending.get(id);
    if (command !== undefined) this.#say({ type: "command", id, command });
  }

  #closed(code: number, reason: string): void {
    const problem = this.#refusal !== ""
      ? this.#refusal
      : reason !== ""
      ? reason
      : `closed with code ${code}`;
    const isRefusal = code >= 4000 && !mayReturn(code);
    this.#refusals = isRefusal ? this.#refusals + 1 : 0;
    if (this.#refusals >= this.#options.masters.length) return this.#end("refused", problem);
    this.#retry(problem);
  }

  /** Asks a silent master for a word, and leaves one that does not answer. */
  #listen(): void {
    if (this.#phase.type !== "open") return;
    const silentMs = this.#context.attentiveNow() - this.#heardAtMs;
    if (silentMs >= SILENT_AFTER_MS) return this.#leave(CLOSE.silent, "the master was silent");
    // Of all questions the one that needs no disk: a slow store is not a dead master.
    if (silentMs >= LISTEN_EVERY_MS) this.#ask();
    this.#phase = { ...this.#phase, timer: this.#listenLater() };
  }

  #ask(): void {
    this.#probe ??= commandId(`probe-${this.#session}-${this.#context.random.integer(2 ** 32)}`);
    this.#say({ type: "command", id: this.#probe, command: { kind: "workers" } satisfies CommandBody });
  }

  #listenLater(): Timer {
    return this.#context.after(LISTEN_EVERY_MS / 2, { type: "listen", session: this.#session });
  }

  #leave(close: { readonly code: number; readonly name: string }, problem: string): void {
    if (this.#phase.type === "open") this.#phase.port.close(close.code, close.name);
    this.#retry(problem);
  }

  #retry(problem: string): void {
    this.#failures += 1;
    this.#dial(problem);
  }

  /** Begins a new session after a wait; the first one at once. */
  #dial(problem: string): void {
    if (this.#phase.type === "open") this.#context.cancel(this.#phase.timer);
    this.#phase = { type: "waiting" };
    this.#outgoing = [];
    this.#session += 1;
    this.#tellState({ type: "connecting", url: this.#url(), problem });
    if (this.#failures === 0) return this.#connect();
    const delayMs = backOffMs(this.#failures - 1, this.#context.random);
    this.#context.after(delayMs, { type: "dial", session: this.#session });
  }

  #connect(): void {
    const session = this.#session;
    const self = this.#context.self;
    this.#phase = { type: "dialing" };
    this.#context.after(DIAL_WITHIN_MS, { type: "dial_timeout", session });
    this.#options.dialer.dial(this.#url(), this.#options.token, (event) => {
      // After the end nobody else would close what opens only now.
      if (this.#phase.type === "ended" && event.type === "opened") {
        event.port.close(CLOSE.bye.code, CLOSE.bye.name);
      } else this.#context.send(self, { type: "socket", session, event });
    });
  }

  #url(): string {
    const { masters } = this.#options;
    return masters[(this.#session - 1 + masters.length) % masters.length] ?? "";
  }

  #tellState(state: LinkState): void {
    this.#options.events.state(state);
  }

  #end(reason: "closed" | "refused", message: string): void {
    this.#hangUp();
    this.#tellState({ type: "ended", reason, message });
    this.#context.exit();
  }

  #hangUp(): void {
    if (this.#phase.type === "open") this.#phase.port.close(CLOSE.bye.code, CLOSE.bye.name);
    this.#phase = { type: "ended" };
  }
}
