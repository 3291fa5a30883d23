/**
 * The master's supervision tree, in one screen.
 *
 * ```
 * master            rest_for_one: what stands below depends on what stands above
 * ├─ store          group commit; one writer
 * ├─ cluster        registry, queue, leases
 * ├─ experiments    one_for_one: experiment:<id>; one that keeps failing is parked as `broken`, the others untouched
 * ├─ registrar      begins experiments, passes users' words on
 * └─ gateway        feed, commands, sessions, door
 * ```
 *
 * @module
 */
import type { Ref, Start } from "../shared/actor/actor.ts";
import {
  type ChildSpec,
  childSpec,
  supervisorChild,
  type SupervisorMessage,
  type SupervisorOptions,
} from "../shared/actor/supervisor.ts";
import { groupId } from "../shared/model/ids.ts";
import { cluster } from "./cluster/cluster.ts";
import type { ClusterMessage, ClusterOptions } from "./cluster/messages.ts";
import type { RegistrarMessage } from "./experiments/messages.ts";
import { registrar } from "./experiments/registrar.ts";
import type { StoreMessage } from "./store/messages.ts";
import { storeActor, type StoreActorMessage } from "./store/store_actor.ts";
import type { Store } from "./store/store.ts";

/** What the master stands on: its view of the world. */
export interface MasterPorts {
  readonly store: Store;
  /** The way in for what comes from outside the actors. */
  readonly post: <M>(to: Ref<M>, message: M) => void;
  /** The process must end: it may not go on over this store. */
  readonly fatal: (reason: string) => void;
  /** The store turned out to be an older copy: what it does not name may be named in the newest one. */
  readonly isOlderCopy?: (() => void) | undefined;
  /** The gateway below the others: real sockets, or simulated ones. */
  readonly gateway: (above: GatewayAbove) => Start<SupervisorMessage>;
}

/** What the gateway depends on. */
export interface GatewayAbove {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly registrar: Ref<RegistrarMessage>;
}

/** How the tree is tuned. */
export type MasterSettings = Omit<ClusterOptions, "store" | "isOlderCopy">;

/** Restarts of one child within a minute before its supervisor gives up. */
const INTENSITY = { restarts: 5, windowMs: 60_000 };
const BACKOFF = { minMs: 50, maxMs: 5_000 };
/** How long the store has to let go: its thread must confirm, or there could be two writers. */
const STORE_SHUTDOWN_MS = 10_000;
const SHUTDOWN_MS = 2_000;

/** The options of the root supervisor. */
export function masterTree(ports: MasterPorts, settings: MasterSettings): SupervisorOptions {
  // The supervisor of experiments is older than the registrar that it reports to.
  const board: { registrar?: Ref<RegistrarMessage> } = {};
  return {
    strategy: "rest_for_one",
    intensity: INTENSITY,
    backoff: BACKOFF,
    children: [
      childSpec<StoreActorMessage>({
        name: "store",
        restart: "permanent",
        shutdownMs: STORE_SHUTDOWN_MS,
        start: () => storeActor({ store: ports.store, post: ports.post, fatal: ports.fatal }),
      }),
      childSpec<ClusterMessage>({
        name: "cluster",
        restart: "permanent",
        shutdownMs: SHUTDOWN_MS,
        start: (siblings) =>
          cluster({
            ...settings,
            isOlderCopy: ports.isOlderCopy,
            store: siblings.get<StoreMessage>("store"),
          }),
      }),
      supervisorChild("experiments", SHUTDOWN_MS, experimentsOptions(ports, board)),
      childSpec<RegistrarMessage>({
        name: "registrar",
        restart: "permanent",
        shutdownMs: SHUTDOWN_MS,
        start: (siblings) =>
          registrar({
            store: siblings.get<StoreMessage>("store"),
            cluster: siblings.get<ClusterMessage>("cluster"),
            experiments: siblings.get<SupervisorMessage>("experiments"),
            onStart: (self) => {
              board.registrar = self;
            },
          }),
      }),
      gatewayChild(ports),
    ],
  };
}

function experimentsOptions(
  ports: MasterPorts,
  board: { registrar?: Ref<RegistrarMessage> },
): SupervisorOptions {
  return {
    strategy: "one_for_one",
    intensity: INTENSITY,
    backoff: BACKOFF,
    children: [],
    onExceeded: (child, reason) => {
      const cause = reason.type === "crashed" ? reason.message : reason.type;
      const group = groupId(child.slice("experiment:".length));
      if (board.registrar !== undefined) {
        ports.post(board.registrar, { type: "experiment_broken", group, cause });
      }
      return "drop";
    },
  };
}

function gatewayChild(ports: MasterPorts): ChildSpec {
  return childSpec<SupervisorMessage>({
    name: "gateway",
    restart: "permanent",
    shutdownMs: SHUTDOWN_MS,
    start: (siblings) =>
      ports.gateway({
        store: siblings.get<StoreMessage>("store"),
        cluster: siblings.get<ClusterMessage>("cluster"),
        registrar: siblings.get<RegistrarMessage>("registrar"),
      }),
  });
}
