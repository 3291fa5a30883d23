/**
 * The nemesis: brings faults about, by chance and at the rates of the plan.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { Node } from "./nodes/node.ts";
import type { FaultKind } from "./plan.ts";
import type { World } from "./world.ts";

/** Spans around the limits that matter: 10 s heartbeats, doubt after 15 s, loss after 30 s. */
const SPANS_MS = [50, 1_000, 4_000, 12_000, 20_000, 31_000, 45_000];
/** A dead node's peers hear nothing in one of so many kills. */
const MACHINE_KILLS = 4;

/** Begins to bring faults about, until the time is over. */
export function releaseNemesis(world: World, untilMs: number): void {
  const nemesis = new Nemesis(world, world.random("nemesis"));
  for (const [kind, rate] of Object.entries(world.plan.rates)) {
    if (isKind(kind, world) && rate > 0) schedule(world, kind, rate, untilMs, nemesis);
  }
}

function isKind(kind: string, world: World): kind is FaultKind {
  return kind in world.plan.rates;
}

function schedule(world: World, kind: FaultKind, rate: number, untilMs: number, nemesis: Nemesis): void {
  const random = world.random("nemesis", kind);
  const next = () => {
    const waitMs = -Math.log(1 - random.next()) * 60_000 / rate;
    world.loop.timer(waitMs, () => {
      if (world.loop.now() >= untilMs) return;
      if (nemesis.strike(kind)) world.count(kind);
      next();
    });
  };
  next();
}

class Nemesis {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Does it, and answers whether there was something to do it to. */
  strike(kind: FaultKind): boolean {
    const { master, workers, clients } = this.#world;
    switch (kind) {
      case "reset":
      case "vanish":
        return this.#breakConnection(kind);
      case "partition":
        return this.#partition();
      case "masterKill":
        return this.#kill(master);
      case "workerKill":
        return this.#kill(this.#random.pick(workers));
      case "clientKill":
        return this.#kill(this.#random.pick(clients));
      case "masterStop":
        master.stop();
        return master.isUp;
      case "workerStop":
        this.#random.pick(workers).stop(this.#span());
        return true;
      case "masterPause":
        return this.#pause(master);
      case "workerPause":
        return this.#pause(this.#random.pick(workers));
      case "actorKill":
        this.#random.pick([master, ...workers]).killActor((actors) => this.#random.pick(actors));
        return true;
      case "diskFull":
        return this.#fillDisk();
    }
  }

  #span(): number {
    return this.#random.pick(SPANS_MS) * (0.5 + this.#random.next());
  }

  #breakConnection(kind: "reset" | "vanish"): boolean {
    const { connections } = this.#world.network;
    if (connections.length === 0) return false;
    const connection = this.#random.pick(connections);
    this.#world.trace.add(`${connection.node} ${kind}`);
    if (kind === "reset") connection.reset();
    else {
      const hears = this.#random.pick(["nobody", "master", "dialer"] as const);
      connection.vanish(hears === "nobody" ? undefined : hears);
    }
    return true;
  }

  #partition(): boolean {
    const { network, nodes, trace } = this.#world;
    const direction = this.#random.pick(["both", "both", "in", "out"] as const);
    const spanMs = this.#span();
    // One node alone, or the master from everyone.
    const cutOff = this.#random.integer(4) === 0 ? nodes : [this.#random.pick(nodes)];
    for (const node of cutOff) {
      trace.add(`${node.name} is cut off (${direction}) for ${spanMs.toFixed(0)} ms`);
      network.block(node.name, spanMs, direction);
    }
    return true;
  }

  #kill(node: Node): boolean {
    if (!node.isUp) return false;
    node.kill(this.#random.integer(MACHINE_KILLS) === 0 ? "machine" : "process");
    if (this.#random.integer(3) > 0) node.startSoon();
    else this.#world.loop.timer(this.#span(), () => node.start());
    return true;
  }

  #pause(node: Node): boolean {
    if (!node.isUp || node.isPaused) return false;
    node.pause();
    this.#world.loop.timer(this.#span(), () => node.goOn());
    return true;
  }

  #fillDisk(): boolean {
    const { faults, loop, trace } = this.#world;
    if (faults.isFullNow) return false;
    trace.add("the disk is full");
    faults.isFullNow = true;
    loop.timer(this.#span(), () => {
      faults.isFullNow = false;
    });
    return true;
  }
}
