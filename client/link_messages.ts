/**
 * What the link understands, what it tells, and what it needs.
 *
 * @module
 */
import type { CommandId } from "../shared/model/ids.ts";
import type {
  ChangeEnvelope,
  CommandBody,
  CommandError,
  OutputAsk,
  OutputEnvelope,
  Reply,
  Snapshot,
} from "../shared/protocol/client_envelopes.ts";
import type { SocketEvent } from "../shared/protocol/socket_port.ts";

/** Opens connections. */
export interface Dialer {
  /** Connects with the protocol's subprotocol; one `closed` event ends what is told, also where nothing was opened. */
  dial(url: string, token: string, events: (event: SocketEvent) => void): void;
}

/** What the link understands. */
export type LinkMessage =
  | { readonly type: "socket"; readonly session: number; readonly event: SocketEvent }
  /** Is sent, and after each reconnection sent again, until it is replied to. */
  | { readonly type: "command"; readonly id: CommandId; readonly body: CommandBody }
  | ({ readonly type: "subscribe" } & Subscription)
  | { readonly type: "unsubscribe"; readonly id: string }
  /** The last share of an output has been read. */
  | { readonly type: "more"; readonly id: string }
  | { readonly type: "close" }
  | LinkTimer;

/** The link's timers; those of an earlier session mean nothing. */
export type LinkTimer =
  | { readonly type: "dial" | "dial_timeout" | "listen"; readonly session: number }
  | { readonly type: "send_again"; readonly id: CommandId };

/** What a client wants to be told of. */
export interface Subscription {
  /** Names it; unlike that of any other of this client. */
  readonly id: string;
  /** `live`: conflated values, begun anew after each reconnection. `log`: every change, without gap or double. */
  readonly kind: "live" | "log" | "output";
  /** For `log`: the last commit that is known already; null begins with what comes now. */
  readonly after: number | null;
  /** For `output`: whose. It is told without gap or double; each share waits for `more`. */
  readonly output?: OutputAsk | undefined;
}

/** Where the connection is. */
export type LinkState =
  /** `problem`: why the last try failed; empty before the first. */
  | { readonly type: "connecting"; readonly url: string; readonly problem: string }
  | { readonly type: "connected"; readonly url: string }
  /** For good: nothing more will be told. */
  | { readonly type: "ended"; readonly reason: "closed" | "refused"; readonly message: string };

/** Who is told by the link: what came in one frame is told as one list. */
export interface LinkEvents {
  state(state: LinkState): void;
  replied(replies: readonly Reply[]): void;
  told(envelopes: readonly (Snapshot | ChangeEnvelope)[]): void;
  /** A share of an output. */
  output?(envelope: OutputEnvelope): void;
  /** The master cannot take this command yet; it is sent again after the time that the master named. */
  delayed(id: CommandId, error: CommandError): void;
  /** A log cannot go on where it was: the master has another store, or an older copy of it. It is told no more. */
  broken(subscription: string, message: string): void;
}

/** What the link is given. */
export interface LinkOptions {
  /** URLs of masters, tried in turn. At least one. */
  readonly masters: readonly string[];
  readonly token: string;
  readonly dialer: Dialer;
  readonly events: LinkEvents;
}
