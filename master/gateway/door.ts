/**
 * The door: lets sockets in while the gateway is up.
 *
 * Promise: a session begins only when the epoch is durable and everything that a session talks to is running; when the
 * door ends, nobody gets in any more, and a socket that was let in but has no session yet is closed.
 * Not here: who may come to the door (listener.ts).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../../shared/actor/actor.ts";
import { childSpec, type SupervisorMessage } from "../../shared/actor/supervisor.ts";
import { CLOSE } from "../../shared/protocol/limits.ts";
import type { SocketPort } from "../../shared/protocol/socket_port.ts";
import type { FeedMessage, FromSocket, KnownMessage, SessionMessage } from "./messages.ts";
import type { Role } from "./roles.ts";
import { session, type SessionOptions } from "./session.ts";

/** A session has nothing to finish: its last words are flushed as it stops. */
const SESSION_SHUTDOWN_MS = 1_000;

/** What an adapter of sockets tells of one. */
export type Visitor = (event: FromSocket) => void;

/** What an adapter of sockets may do while the door is open. */
export interface Entrance {
  /** A peer has connected and may act in this role. */
  open(port: SocketPort, role: Role): Visitor;
}

/** The adapter, as the door sees it. */
export interface Gate {
  /** Sockets may come in this way from now on; undefined: not any more. */
  attach(entrance: Entrance | undefined): void;
  /** Why the master cannot be relied on now; empty where it can. */
  unready(reasons: readonly string[]): void;
}

/** Delivers a message from outside the actors, as `System.post` does. */
export type Post = <M>(to: Ref<M>, message: M) => void;

/** What the door is given. */
export interface DoorOptions extends Pick<SessionOptions, "cluster" | "commands" | "heartbeatMs" | "logs"> {
  readonly feed: Ref<FeedMessage>;
  readonly sessions: Ref<SupervisorMessage>;
  readonly gate: Gate;
  readonly post: Post;
}

/** Begins a door. */
export function door(options: DoorOptions): Start<KnownMessage> {
  return (context) => new Door(context, options);
}

class Door implements Actor<KnownMessage> {
  readonly #options: DoorOptions;
  /** Let in, and their sessions have not begun. */
  readonly #waiting = new Set<Arrival>();
  #isOpen = false;
  #trouble = "";
  #nextSession = 1;

  constructor(context: Context<KnownMessage>, options: DoorOptions) {
    this.#options = options;
    this.#tellReadiness();
    context.atEnd(() => this.#shut());
    context.send(options.feed, { type: "follow", from: context.self });
  }

  receive({ trouble }: KnownMessage): void {
    if (this.#isOpen && trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (!this.#isOpen) this.#options.gate.attach({ open: (port, role) => this.#open(port, role) });
    this.#isOpen = true;
    this.#tellReadiness();
  }

  notes(): Readonly<Record<string, number>> {
    return { opened: this.#nextSession - 1 };
  }

  #open(port: SocketPort, role: Role): Visitor {
    const name = `session:${this.#nextSession++}`;
    const arrival = new Arrival(port, this.#options.post);
    this.#waiting.add(arrival);
    const { cluster, commands, feed, logs, heartbeatMs } = this.#options;
    const begin = session({ id: name, role, port, cluster, commands, feed, logs, heartbeatMs });
    const start: Start<SessionMessage> = (context) => {
      this.#waiting.delete(arrival);
      const actor = begin(context);
      arrival.begun(context.self);
      return actor;
    };
    const child = childSpec({
      name,
      restart: "temporary",
      shutdownMs: SESSION_SHUTDOWN_MS,
      start: () => start,
    });
    this.#options.post(this.#options.sessions, { type: "start_child", child });
    return (event) => arrival.tell(event);
  }

  #tellReadiness(): void {
    const reasons: string[] = [];
    if (!this.#isOpen) reasons.push("the master is starting: it has not taken its epoch");
    if (this.#trouble !== "") reasons.push(`the store cannot be relied on: ${this.#trouble}`);
    this.#options.gate.unready(reasons);
  }

  #shut(): void {
    this.#options.gate.attach(undefined);
    this.#options.gate.unready(["the master is stopping or starting again"]);
    for (const { port } of this.#waiting) port.close(CLOSE.restarting.code, CLOSE.restarting.name);
  }
}

/** One who was let in: what it says before its session has begun waits for the moment that takes. */
class Arrival {
  readonly port: SocketPort;
  readonly #post: Post;
  #early: FromSocket[] = [];
  #session: Ref<SessionMessage> | undefined;

  constructor(port: SocketPort, post: Post) {
    this.port = port;
    this.#post = post;
  }

  tell(event: FromSocket): void {
    if (this.#session === undefined) this.#early.push(event);
    else this.#post(this.#session, event);
  }

  begun(session: Ref<SessionMessage>): void {
    this.#session = session;
    for (const event of this.#early) this.#post(session, event);
    this.#early = [];
  }
}
