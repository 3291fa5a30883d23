/**
 * The master, whole but for its sockets and its disk.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import { childSpec, supervisor, type SupervisorOptions } from "../../../shared/actor/supervisor.ts";
import type { System } from "../../../shared/actor/system.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import { LogBook } from "../../../master/logs/log_book.ts";
import { gatewayTree } from "../../../master/gateway/tree.ts";
import { MemoryStore } from "../../../master/store/memory_store.ts";
import type { StoreMessage } from "../../../master/store/messages.ts";
import type { Store } from "../../../master/store/store.ts";
import { type MasterSettings, masterTree } from "../../../master/tree.ts";
import { ClusterTap } from "../checkers/cluster_tap.ts";
import type { SimulatedProcess } from "../process.ts";
import { CommitWatch } from "./commit_watch.ts";
import { Node } from "./node.ts";

/** How long an orderly end may take. */
const STOP_MS = 15_000;

/** How long the disk of logs takes for anything. */
const LOGS_DELAY_MS = 3;

/** The one master. */
export class MasterNode extends Node {
  #store: MemoryStore | undefined;
  #watch: CommitWatch | undefined;
  /** An operator has said that the loss of what an older copy lacks is accepted. */
  #acceptsLoss = false;

  /** From its next start on it goes on over an older copy. */
  acceptLoss(): void {
    this.#acceptsLoss = true;
  }

  /** Ends it in order; it is started again. */
  stop(): void {
    if (!this.isPaused) this.system?.stop(STOP_MS);
  }

  protected override begin(process: SimulatedProcess, system: System): void {
    const { world } = this;
    const isLossAccepted = this.#acceptsLoss;
    this.#acceptsLoss = false;
    const store = new MemoryStore({
      disk: world.disk,
      random: world.random("store", String(this.life)),
      schedule: (delayMs, call) => void process.timer(delayMs, call),
      wallClock: () => process.wallClock(),
      faults: world.faults,
    });
    this.#store = store;
    const { heartbeatMs, lostAfterMs, prefetchMax } = world.plan;
    const settings: MasterSettings = { heartbeatMs, lostAfterMs, prefetchMax, acceptLoss: isLossAccepted };
    this.#watch = new CommitWatch(world.mutant.store?.(store, process) ?? store);
    const post = <M>(to: Ref<M>, message: M) => system.post(to, message);
    const logs = new LogBook({
      files: world.printing.logs.files((call) => void process.timer(LOGS_DELAY_MS, call)),
      now: () => world.loop.now(),
      wallClock: () => process.wallClock(),
      after: (delayMs, call) => void process.timer(delayMs, call),
      say: (_level, text) => world.trace.add(`master/logs: ${text}`),
    });
    const tree = masterTree({
      store: this.#watch,
      post,
      fatal: (reason) => this.#fatal(process, reason),
      gateway: (above) =>
        gatewayTree({
          ...above,
          gate: world.network.gate(process),
          post,
          heartbeatMs,
          logs,
          stopMaster: () => this.stop(),
        }),
    }, settings);
    system.start("master", supervisor(this.#tapped(tree, settings, process)));
  }

  protected override ended(): void {
    if (this.#watch?.isCommitting === true) this.world.count("crashInCommit");
    this.#store?.crash();
    this.#store = this.#watch = undefined;
  }

  #fatal(process: SimulatedProcess, reason: string): void {
    this.world.trace.add(`master must end: ${reason}`);
    this.world.loop.soon(() => {
      if (process.hasEnded) return;
      this.kill();
      this.startSoon();
    });
  }

  /** The same tree, with the cluster behind its tap. */
  #tapped(tree: SupervisorOptions, settings: MasterSettings, process: SimulatedProcess): SupervisorOptions {
    const { memory } = this.world;
    const children = tree.children.map((child) =>
      child.name !== "cluster" ? child : childSpec<ClusterMessage>({
        ...child,
        start: (siblings) => (context) =>
          new ClusterTap(
            context,
            { ...settings, store: siblings.get<StoreMessage>("store") },
            memory,
            process,
          ),
      })
    );
    return { ...tree, children };
  }
}

/** Puts something between the master and its store. */
export type WrapStore = (store: Store, process: SimulatedProcess) => Store;
