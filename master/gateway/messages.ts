/**
 * What the actors of the gateway say to each other.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { CommandId } from "../../shared/model/ids.ts";
import type { Command, Subscribe, ToClient } from "../../shared/protocol/client_envelopes.ts";
import type { CloseName } from "../../shared/protocol/limits.ts";
import type { SocketEvent } from "../../shared/protocol/socket_port.ts";
import type { CommandAnswered, LiveMessage, ToWorkerSession } from "../cluster/messages.ts";
import type { CommitsMessage, StoreAnswer } from "../store/messages.ts";
import type { ClientRole } from "./roles.ts";

/** What a client's session is told. */
export type ToClientSession =
  | { readonly type: "send"; readonly envelopes: readonly ToClient[] }
  /** A share of a subscription: answered by `taken` once the client has room for the next. */
  | { readonly type: "deliver"; readonly subscription: number; readonly envelopes: readonly ToClient[] }
  /** Says `refused` with this text where there is one, then closes. */
  | { readonly type: "close"; readonly name: CloseName; readonly message: string };

/** What comes from the socket, by way of its adapter. */
export type FromSocket =
  | Exclude<SocketEvent, { readonly type: "opened" }>
  /** The peer sent text, which no frame is. */
  | { readonly type: "text_frame" }
  /** The token that the peer came with has ended. */
  | { readonly type: "expired" };

/** A session's timers. */
export type SessionTimer = { readonly type: "look" } | { readonly type: "look_for_room" };

/** What a session understands; which part of it, depends on its role. */
export type SessionMessage = FromSocket | ToWorkerSession | ToClientSession | SessionTimer;

/** The newest epoch and commit number that are known of. */
export interface KnownMessage {
  readonly type: "known";
  readonly epoch: string;
  readonly commit: number;
  /** Why the store cannot be relied on now; empty where it can. */
  readonly trouble: string;
}

/** What the feed understands. */
export type FeedMessage =
  | CommitsMessage
  | LiveMessage
  | StoreAnswer
  | { readonly type: "subscribe"; readonly session: Ref<ToClientSession>; readonly subscribe: Subscribe }
  | { readonly type: "unsubscribe"; readonly session: Ref<ToClientSession>; readonly id: string }
  /** A share of an output has been read. */
  | { readonly type: "more"; readonly session: Ref<ToClientSession>; readonly id: string }
  /** Something has come from outside for a reader of output: to be taken in its turn. */
  | { readonly type: "output_came"; readonly subscription: number; readonly take: () => void }
  /** Answers `deliver`. */
  | { readonly type: "taken"; readonly subscription: number }
  /** Tells `known` now, where it is, and whenever it changes. */
  | { readonly type: "follow"; readonly from: Ref<KnownMessage> }
  /** Someone was told of this commit: the store has it. */
  | { readonly type: "told"; readonly commit: number }
  | FeedTimer;

/** The feed's timers. */
export type FeedTimer =
  | { readonly type: "live_due" }
  | { readonly type: "look_at_tree" }
  | { readonly type: "ask_again"; readonly subscription: number }
  | { readonly type: "output_waited"; readonly subscription: number };

/** What the router of commands understands. */
export type CommandsMessage =
  | {
    readonly type: "command";
    readonly session: Ref<ToClientSession>;
    readonly role: ClientRole;
    readonly id: CommandId;
    readonly command: Command["command"];
  }
  | CommandAnswered
  | StoreAnswer
  | KnownMessage
  /** Its timer. */
  | { readonly type: "look_at_deadlines" };
