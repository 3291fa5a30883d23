/**
 * A client's session: commands and subscriptions.
 *
 * Promise: commands and subscriptions reach the router and the feed in the client's order; a subscription gets its next
 * share only when the client has taken the one before it.
 * Not here: who may command what (commands.ts), what subscribers see (feed.ts).
 *
 * @module
 */
import type { Actor, Context, Ref } from "../../shared/actor/actor.ts";
import { type FromClient, fromClient } from "../../shared/protocol/client_envelopes.ts";
import { decodeFrame, type FrameProblem } from "../../shared/protocol/codec.ts";
import type { CloseName } from "../../shared/protocol/limits.ts";
import type { Refused } from "../../shared/protocol/worker_envelopes.ts";
import { closeNameFor, type Connection, expiredToken, refusal } from "./connection.ts";
import { peekFirst } from "./first_words.ts";
import type { CommandsMessage, FeedMessage, SessionMessage } from "./messages.ts";
import type { ClientRole } from "./roles.ts";

/** A client with more unread than this is slow: its subscriptions wait until it has read. */
const ROOM_BYTES = 256 * 1024;
/** How often a slow client's socket is looked at: the platform does not tell when it has drained. */
const ROOM_POLL_MS = 50;

/** What a client's session is given beside its connection. */
export interface ClientSessionOptions {
  readonly id: string;
  readonly role: ClientRole;
  readonly commands: Ref<CommandsMessage>;
  readonly feed: Ref<FeedMessage>;
}

/** One client's connection. It need not speak: the socket's own idle timeout notices its end. */
export class ClientSession implements Actor<SessionMessage> {
  readonly #context: Context<SessionMessage>;
  readonly #connection: Connection;
  readonly #options: ClientSessionOptions;
  /** Subscriptions whose share was sent and not yet answered by `taken`. */
  #delivered: number[] = [];
  #isPolling = false;

  constructor(context: Context<SessionMessage>, connection: Connection, options: ClientSessionOptions) {
    this.#context = context;
    this.#connection = connection;
    this.#options = options;
  }

  receive(message: SessionMessage): void {
    if (this.#connection.isClosed) return;
    switch (message.type) {
      case "frame":
        return this.#frame(message.bytes);
      case "text_frame":
        return this.#refuse("malformed", refusal("malformed", "a frame is binary, and this one is text"));
      case "expired":
        return this.#refuse("expired", expiredToken());
      case "closed":
        return this.#leave("bye", `the client closed the connection (${message.code} ${message.reason})`);
      case "send":
        return this.#connection.say(message.envelopes);
      case "deliver":
        this.#delivered.push(message.subscription);
        return this.#connection.say(message.envelopes);
      case "close":
        if (message.message === "") return this.#leave(message.name, `closed as ${message.name}`);
        return this.#refuse(message.name, refusal(message.name, message.message));
      case "look_for_room":
        this.#isPolling = false;
        return;
      case "look":
        return;
    }
  }

  turnEnded(): void {
    this.#connection.flush();
    if (this.#connection.isClosed) return;
    if (this.#connection.isTooSlow) return this.#leave("too_slow", "it does not read what it is sent");
    if (this.#delivered.length > 0) this.#askForMore();
  }

  stopping(): "now" {
    if (!this.#connection.isClosed) this.#leave("restarting", "the master is stopping");
    return "now";
  }

  notes(): Readonly<Record<string, string>> {
    return { role: this.#options.role };
  }

  #askForMore(): void {
    if (this.#connection.unreadBytes <= ROOM_BYTES) {
      for (const subscription of this.#delivered) {
        this.#context.send(this.#options.feed, { type: "taken", subscription });
      }
      this.#delivered = [];
    } else if (!this.#isPolling) {
      this.#isPolling = true;
      this.#context.after(ROOM_POLL_MS, { type: "look_for_room" });
    }
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, fromClient);
    if (!frame.ok) return this.#refuseFrame(bytes, frame.problem);
    for (const envelope of frame.envelopes) {
      if (this.#connection.isClosed) return;
      this.#said(envelope);
    }
  }

  #said(envelope: FromClient): void {
    const { commands, feed, role } = this.#options;
    const session = this.#context.self;
    switch (envelope.type) {
      case "command": {
        const { id, command } = envelope;
        return this.#context.send(commands, { type: "command", session, role, id, command });
      }
      case "subscribe":
        return this.#context.send(feed, { type: "subscribe", session, subscribe: envelope });
      case "more":
        return this.#context.send(feed, { type: "more", session, id: envelope.id });
      case "unsubscribe":
        return this.#context.send(feed, { type: "unsubscribe", session, id: envelope.id });
      case "refused":
        return this.#leave("bye", `it refused what it was told: ${envelope.message}`);
    }
  }

  #refuseFrame(bytes: Uint8Array, problem: FrameProblem): void {
    if (problem.code === "schema" && peekFirst(bytes).type === "register") {
      const message = `a token of role ${this.#options.role} may not register a worker`;
      const advice = "give the worker the token of role worker";
      return this.#refuse("unauthorized", refusal("unauthorized", message, "", advice));
    }
    const { code, message, path, advice } = problem;
    this.#refuse(closeNameFor(problem), refusal(code, message, path, advice));
  }

  #refuse(name: CloseName, refused: Refused): void {
    const at = refused.path === "" ? "" : ` at ${refused.path}`;
    this.#leave(name, `refused: ${refused.message}${at}`, refused);
  }

  #leave(name: CloseName, reason: string, refused?: Refused): void {
    this.#connection.close(name, refused);
    this.#context.log(refused === undefined ? "debug" : "warning", `client session ended: ${reason}`, {
      session: this.#options.id,
      role: this.#options.role,
      close: name,
    });
    this.#context.exit();
  }
}
