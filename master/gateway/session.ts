/**
 * Sessions: one actor for each WebSocket.
 *
 * Promise: nothing reaches another actor that has not passed its schema; whatever a peer sends, the worst that happens
 * is that its own session ends, with a word why; a socket never outlives its session.
 * Not here: who may connect at all (listener.ts), what the words mean (the cluster, commands.ts, feed.ts).
 *
 * @module
 */
import type { Ref, Start } from "../../shared/actor/actor.ts";
import { FRAME_ENVELOPES_MAX, LEAVE_INTERVALS, REGISTER_WITHIN_MS } from "../../shared/protocol/limits.ts";
import type { SocketPort } from "../../shared/protocol/socket_port.ts";
import type { ClusterMessage } from "../cluster/messages.ts";
import type { Logs } from "../logs/logs.ts";
import { ClientSession } from "./client_session.ts";
import { CLIENT_FRAME_ENVELOPES_MAX, Connection, UNREAD_BYTES_MAX } from "./connection.ts";
import type { CommandsMessage, FeedMessage, SessionMessage } from "./messages.ts";
import type { Role } from "./roles.ts";
import { WorkerSession } from "./worker_session.ts";

/** What a session is given. */
export interface SessionOptions {
  /** For the log. */
  readonly id: string;
  /** What the peer's token allows. A worker's session and a client's speak different words. */
  readonly role: Role;
  readonly port: SocketPort;
  readonly cluster: Ref<ClusterMessage>;
  readonly commands: Ref<CommandsMessage>;
  readonly feed: Ref<FeedMessage>;
  /** Where what evaluators print goes; without it, nowhere. */
  readonly logs?: Logs | undefined;
  /** How often a worker says that it is there. */
  readonly heartbeatMs: number;
  /** How long a worker may take to register. */
  readonly registerWithinMs?: number;
  /** A peer that has left more than this unread is closed as `too_slow`. */
  readonly unreadBytesMax?: number;
}

/**
 * Begins a session over an open connection.
 *
 * The adapter of the socket sends it `frame`, `text_frame` and `closed`; the cluster, the feed and the router of commands
 * send it `send`, `deliver` and `close`.
 */
export function session(options: SessionOptions): Start<SessionMessage> {
  return (context) => {
    const { id, role, port, cluster, commands, feed, heartbeatMs } = options;
    const connection = new Connection(
      port,
      options.unreadBytesMax ?? UNREAD_BYTES_MAX,
      role === "worker" ? FRAME_ENVELOPES_MAX : CLIENT_FRAME_ENVELOPES_MAX,
    );
    context.atEnd(() => connection.abandon("restarting"));
    if (role !== "worker") return new ClientSession(context, connection, { id, role, commands, feed });
    return new WorkerSession(context, connection, {
      id,
      cluster,
      logs: options.logs,
      silenceMs: LEAVE_INTERVALS * heartbeatMs,
      registerWithinMs: options.registerWithinMs ?? REGISTER_WITHIN_MS,
    });
  };
}
