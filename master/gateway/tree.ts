/**
 * The gateway's part of the supervision tree.
 *
 * ```
 * gateway        rest_for_one: who stands below depends on who stands above
 * ├─ feed        changes and live values for subscribers
 * ├─ commands    routes what clients ask for
 * ├─ sessions    one_for_one, temporary: session:<number>
 * └─ door        lets sockets in while all of this is up
 * ```
 *
 * @module
 */
import type { Ref, Start } from "../../shared/actor/actor.ts";
import {
  childSpec,
  supervisor,
  supervisorChild,
  type SupervisorMessage,
} from "../../shared/actor/supervisor.ts";
import type { ClusterMessage } from "../cluster/messages.ts";
import type { RegistrarMessage } from "../experiments/messages.ts";
import type { Logs } from "../logs/logs.ts";
import type { StoreMessage } from "../store/messages.ts";
import { commands } from "./commands.ts";
import { door, type Gate, type Post } from "./door.ts";
import { feed, type FeedOptions } from "./feed.ts";
import type { CommandsMessage, FeedMessage } from "./messages.ts";

/** More restarts than this within the window are no accident: the gateway ends, and the master decides. */
const INTENSITY = { restarts: 5, windowMs: 60_000 } as const;
/** A crash that comes again at once must not spin. */
const BACKOFF = { minMs: 50, maxMs: 5_000 } as const;
/** Nothing here has anything to finish beyond the turn in which it is asked to stop. */
const SHUTDOWN_MS = 2_000;

/** What the gateway is given. */
export interface GatewayOptions {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly registrar: Ref<RegistrarMessage>;
  /** The adapter of sockets: a listener, or a simulated network. */
  readonly gate: Gate;
  /** Delivers what the adapter says, as `System.post` does. */
  readonly post: Post;
  readonly heartbeatMs: number;
  /** Ends the master once it has let go of what it holds. */
  readonly stopMaster: (graceMs: number) => void;
  /** What evaluators printed. */
  readonly logs?: Logs | undefined;
  /** Looks at the supervision tree of this process, for the pages. */
  readonly inspect?: NonNullable<FeedOptions["inspect"]>;
}

/** Begins the gateway's supervisor. */
export function gatewayTree(options: GatewayOptions): Start<SupervisorMessage> {
  const { store, cluster, registrar, gate, post, heartbeatMs, stopMaster, inspect, logs } = options;
  const permanent = { restart: "permanent", shutdownMs: SHUTDOWN_MS } as const;
  return supervisor({
    strategy: "rest_for_one",
    intensity: INTENSITY,
    backoff: BACKOFF,
    children: [
      childSpec({
        ...permanent,
        name: "feed",
        start: () => feed({ store, cluster, registrar, logs, ...inspect === undefined ? {} : { inspect } }),
      }),
      childSpec({
        ...permanent,
        name: "commands",
        start: (siblings) =>
          commands({ store, cluster, registrar, stopMaster, feed: siblings.get<FeedMessage>("feed") }),
      }),
      supervisorChild("sessions", SHUTDOWN_MS, {
        strategy: "one_for_one",
        intensity: INTENSITY,
        children: [],
      }),
      childSpec({
        ...permanent,
        name: "door",
        start: (siblings) =>
          door({
            cluster,
            logs,
            gate,
            post,
            heartbeatMs,
            feed: siblings.get<FeedMessage>("feed"),
            commands: siblings.get<CommandsMessage>("commands"),
            sessions: siblings.get<SupervisorMessage>("sessions"),
          }),
      }),
    ],
  });
}
