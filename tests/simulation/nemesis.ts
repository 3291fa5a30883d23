/**
 * The nemesis: does what the schedule says, and says what it did.
 *
 * Promise: everything that a fault does follows from the stream of its number and the moment at which it strikes.
 * Not here: when what strikes (schedule.ts), what an operator does to a store (store_hands.ts).
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { DiskTrouble } from "./disk.ts";
import type { FaultName } from "./faults.ts";
import type { Node } from "./nodes/node.ts";
import type { FaultKind } from "./plan.ts";
import type { World } from "./world.ts";

/** Spans around the limits that matter: 10 s heartbeats, doubt after 15 s, loss after 30 s. */
const SPANS_MS = [50, 1_000, 4_000, 12_000, 20_000, 31_000, 45_000];
/** A dead node's peers hear nothing in one of so many kills. */
const MACHINE_KILLS = 4;
/** Most of what was killed is started again within this time. */
const BACK_SOON_MS = 2_000;
/** Sleeps: a lid that was closed for a moment, and for as long as the run allows. */
const SLEEPS_MS = [20_000, 40_000, 100_000];
const HOUR_MS = 3_600_000;

/** Brings one fault about. */
export class Nemesis {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** @returns what it did, in words; nothing where there was nothing to do it to */
  strike(kind: FaultKind): string | undefined {
    const { master } = this.#world;
    switch (kind) {
      case "reset":
      case "vanish":
      case "holdBack":
      case "idleTimeout":
        return this.#breakConnection(kind);
      case "partition":
        return this.#partition();
      case "slowReader":
        return this.#deafen();
      case "masterKill":
        return this.#kill(master, kind);
      case "workerKill":
        return this.#kill(this.#worker(), kind);
      case "clientKill":
        return this.#kill(this.#client(), kind);
      case "masterStop":
      case "workerStop":
        return this.#stop(kind);
      case "masterPause":
        return this.#pause(master, kind);
      case "workerPause":
        return this.#pause(this.#worker(), kind);
      case "clientPause":
        return this.#pause(this.#client(), kind);
      case "actorKill":
        return this.#killActor();
      case "diskFull":
        return this.#troubleDisk("full", kind);
      case "diskReadOnly":
        return this.#troubleDisk("read_only", kind);
      case "diskStall":
        return this.#troubleDisk("stalled", kind);
      case "clockJump":
        return this.#setClock();
      case "sleep":
        return this.sleep(this.#random.pick(SLEEPS_MS) * (0.5 + this.#random.next()));
      case "twin":
        return this.#startTwin();
      case "gpuOut":
        return this.#takeGpuOut();
    }
  }

  /** A laptop with a worker and a client on it sleeps. */
  sleep(spanMs: number): string | undefined {
    const laptop = [this.#worker(), this.#client()].filter((node) => node.isUp && !node.isPaused);
    if (laptop.length === 0) return undefined;
    for (const node of laptop) node.sleep();
    this.#later(spanMs, () => laptop.forEach((node) => node.goOn()));
    this.#world.count("sleep");
    return `a laptop with ${names(laptop)} sleeps for ${seconds(spanMs)}`;
  }

  #worker() {
    return this.#random.pick(this.#world.workers);
  }

  #client() {
    return this.#random.pick(this.#world.clients);
  }

  #span(): number {
    return this.#random.pick(SPANS_MS) * (0.5 + this.#random.next());
  }

  #later(spanMs: number, call: () => void): void {
    this.#world.loop.timer(spanMs, call);
  }

  #breakConnection(kind: "reset" | "vanish" | "holdBack" | "idleTimeout"): string | undefined {
    const { network, loop } = this.#world;
    const { connections } = network;
    if (connections.length === 0) return undefined;
    const connection = this.#random.pick(connections);
    this.#world.count(kind);
    const words = `the connection of ${connection.node}`;
    const side = this.#random.pick(["master", "dialer"] as const);
    switch (kind) {
      case "reset":
        connection.reset();
        return `${words} is reset`;
      case "holdBack": {
        const spanMs = this.#span();
        connection.holdBack(side, loop.now() + spanMs);
        return `${words} ends for the ${side}, and what it had said arrives ${seconds(spanMs)} later`;
      }
      case "idleTimeout":
        connection.idleOut(side);
        this.#world.reached("close_twice");
        return `${words} is idle for too long, says the ${side}'s socket twice`;
      case "vanish": {
        const hears = this.#random.pick(["nobody", "master", "dialer"] as const);
        if (hears === "nobody") this.#world.reached("half_open");
        connection.vanish(hears === "nobody" ? undefined : hears);
        return `${words} carries nothing any more, and ${hears} is told`;
      }
    }
  }

  #partition(): string {
    const { network, workers, clients, master } = this.#world;
    const direction = this.#random.pick(["both", "both", "in", "out"] as const);
    const spanMs = this.#span();
    const nodes = [master, ...workers, ...clients];
    // One node alone, or the master from everyone.
    const cutOff = this.#random.integer(4) === 0 ? nodes : [this.#random.pick(nodes)];
    for (const node of cutOff) network.block(node.name, spanMs, direction);
    this.#world.count(direction === "both" ? "partition" : "partitionOneWay");
    return `${names(cutOff)} cannot be reached (${direction}) for ${seconds(spanMs)}`;
  }

  #deafen(): string {
    const { network, workers, clients, master } = this.#world;
    const node = this.#random.pick([master, ...workers, ...clients]);
    const spanMs = this.#span();
    network.deafen(node === master ? "master" : node.name, spanMs);
    this.#world.count("slowReader");
    return `${node.name} reads nothing for ${seconds(spanMs)}`;
  }

  #kill(node: Node, kind: "masterKill" | "workerKill" | "clientKill"): string | undefined {
    if (!node.isUp) return undefined;
    const how = this.#random.integer(MACHINE_KILLS) === 0 ? "machine" : "process";
    node.kill(how);
    const awayMs = this.#random.integer(3) > 0 ? this.#random.next() * BACK_SOON_MS : this.#span();
    this.#later(awayMs, () => node.start());
    this.#world.count(kind);
    if (how === "machine") this.#world.count("machineKill");
    return `${node.name} is killed${how === "machine" ? " with its machine" : ""}, and back after ${
      seconds(awayMs)
    }`;
  }

  #stop(kind: "masterStop" | "workerStop"): string | undefined {
    const node = kind === "masterStop" ? this.#world.master : this.#worker();
    if (!node.isUp || node.isPaused) return undefined;
    this.#world.count(kind);
    node.stop(this.#span());
    return `${node.name} is stopped in order`;
  }

  #pause(node: Node, kind: FaultName): string | undefined {
    if (!node.isUp || node.isPaused) return undefined;
    const spanMs = this.#span();
    node.pause();
    this.#later(spanMs, () => node.goOn());
    this.#world.count(kind);
    return `${node.name} is paused for ${seconds(spanMs)}`;
  }

  #killActor(): string | undefined {
    const { master, workers, clients } = this.#world;
    const node = this.#random.pick([master, master, ...workers, ...clients]);
    const path = node.killActor((actors) => this.#random.pick(actors));
    if (path === undefined) return undefined;
    const isClient = clients.some((each) => each === node);
    this.#world.count(node === master ? "masterActorKill" : isClient ? "clientActorKill" : "workerActorKill");
    return `${path} of ${node.name} crashes`;
  }

  #troubleDisk(trouble: DiskTrouble, kind: FaultName): string | undefined {
    const { faults } = this.#world;
    if (faults.has(trouble)) return undefined;
    const spanMs = this.#span();
    faults.begin(trouble);
    this.#later(spanMs, () => faults.end(trouble));
    this.#world.count(kind);
    return `the disk is ${trouble} for ${seconds(spanMs)}`;
  }

  #setClock(): string {
    const { master, workers, clients } = this.#world;
    const node = this.#random.pick([master, ...workers, ...clients]);
    const byMs = (this.#random.next() - 0.5) * 2 * 24 * HOUR_MS;
    node.setWallClock(byMs);
    this.#world.count("clockJump");
    return `the wall clock of ${node.name} is set by ${seconds(byMs)}`;
  }

  #takeGpuOut(): string | undefined {
    const worker = this.#worker();
    const device = worker.gpus.length === 0 ? undefined : this.#random.pick(worker.gpus);
    if (device === undefined || worker.isGpuOut(device.id)) return undefined;
    const spanMs = this.#span();
    worker.takeGpuOut(device.id);
    this.#later(spanMs, () => worker.putGpuBack(device.id));
    this.#world.count("gpuOut");
    return `${device.id} of ${worker.name} is out of service for ${seconds(spanMs)}`;
  }

  #startTwin(): string | undefined {
    const { twins } = this.#world;
    const original = this.#worker();
    if (!original.isUp || twins.length > 0) return undefined;
    const twin = original.twin(`${original.name}twin`);
    twins.push(twin);
    twin.start();
    this.#later(this.#span(), () => {
      twin.retire();
      twin.kill();
    });
    this.#world.count("twin");
    return `another process begins as ${original.name}`;
  }
}

function names(nodes: readonly Node[]): string {
  return nodes.map(({ name }) => name).join(", ");
}

function seconds(spanMs: number): string {
  return `${(spanMs / 1_000).toFixed(1)} s`;
}
