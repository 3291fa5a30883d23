/**
 * The simulated network between one master and its workers and clients.
 *
 * Promise: whoever dials hears `opened` or `closed`; partitions hold frames back and lose none; everything is drawn from
 * the seed.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { VirtualLoop } from "../../shared/actor/virtual_loop.ts";
import type { Dialer } from "../../worker/tree_ports.ts";
import type { Entrance, Gate } from "../../master/gateway/door.ts";
import type { SocketEvent } from "../../shared/protocol/socket_port.ts";
import { Connection, Side } from "./connection.ts";
import type { NetworkPlan } from "./plan.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Trace } from "./trace.ts";
import { type Cargo, Wire } from "./wire.ts";

/** How long a system tries to reach a host that does not answer. */
const DIAL_GIVES_UP_MS = 127_000;

/** Waits that are worth counting: longer than most networks take. */
const DELAY_COUNTED_MS = 50;

/** Changes what passes: a deliberately broken network. */
export type Tamper = (to: "master" | "dialer", cargo: Cargo, node: string) => readonly Cargo[];

/** What the network stands on. */
export interface NetworkOptions {
  readonly loop: VirtualLoop;
  readonly random: Random;
  readonly plan: NetworkPlan;
  readonly trace: Trace;
  readonly tamper?: Tamper | undefined;
  readonly observer: NetworkObserver;
}

/** Who is told of what passes. */
export interface NetworkObserver {
  /** A kind of disturbance was met. */
  count(kind: "frameDelayed" | "framesReordered" | "dialFailed"): void;
  /** A frame is about to be heard. */
  delivers(frame: Delivery): void;
  /** Something was sent to a peer that has not read so much by now. */
  queued(unreadBytes: number): void;
}

/** A frame at the moment at which it is heard. */
export interface Delivery {
  readonly to: "master" | "dialer";
  readonly node: string;
  readonly bytes: Uint8Array;
  /** A newer session between the two has begun: both have said something in it. */
  readonly isLate: boolean;
}

/** Carries everything that is said. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #connections = new Set<Connection>();
  /** By node and direction: until when nothing passes. */
  readonly #blocked = new Map<string, number>();
  /** By node: until when it reads nothing. */
  readonly #deaf = new Map<string, number>();
  #opened = 0;
  /** By node: the newest connection over which both have said something. */
  readonly #newest = new Map<string, Connection>();
  /** Of all frames that were heard by a node's peer: when the newest was sent. */
  readonly #sentMs = new Map<string, number>();
  #master: { readonly process: SimulatedProcess; entrance: Entrance | undefined } | undefined;
  frames = 0;
  dials = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Connections that nobody has left. */
  get connections(): readonly Connection[] {
    for (const each of this.#connections) if (each.isOver) this.#connections.delete(each);
    return [...this.#connections];
  }

  /** The gate of a new master process. */
  gate(process: SimulatedProcess): Gate {
    const master: { readonly process: SimulatedProcess; entrance: Entrance | undefined } = {
      process,
      entrance: undefined,
    };
    this.#master = master;
    return {
      attach: (entrance) => {
        master.entrance = entrance;
      },
      unready: () => {},
    };
  }

  /** The dialer of a worker's or client's process. */
  dialer(process: SimulatedProcess, role: "worker" | "admin"): Dialer {
    return { dial: (_url, _token, events) => this.#dial(process, role, events) };
  }

  processEnded(process: SimulatedProcess, how: "process" | "machine"): void {
    for (const each of this.connections) {
      if (each.dialer.process === process || each.master.process === process) each.ended(process, how);
    }
  }

  /** Cuts a node off for a time: in both directions or in one. */
  block(node: string, spanMs: number, direction: "both" | "in" | "out"): void {
    const untilMs = this.#options.loop.now() + spanMs;
    for (const each of direction === "both" ? ["in", "out"] : [direction]) {
      this.#blocked.set(`${node} ${each}`, untilMs);
    }
  }

  /** Lets a node read nothing for a time; what is sent to it waits. */
  deafen(node: string, spanMs: number): void {
    this.#deaf.set(node, this.#options.loop.now() + spanMs);
  }

  heal(): void {
    this.#blocked.clear();
    this.#deaf.clear();
  }

  #blockedUntil(node: string, direction: "in" | "out"): number {
    return this.#blocked.get(`${node} ${direction}`) ?? 0;
  }

  #dial(process: SimulatedProcess, role: "worker" | "admin", events: (event: SocketEvent) => void): void {
    const { loop, random, plan } = this.#options;
    this.dials += 1;
    const delayMs = plan.delayMs.min * (plan.delayMs.max / plan.delayMs.min) ** random.next();
    const { node } = process;
    const startedMs = loop.now();
    const arrive = () => {
      const untilMs = Math.max(this.#blockedUntil(node, "out"), this.#blockedUntil(node, "in"));
      if (untilMs > loop.now()) {
        const waitMs = Math.min(untilMs, startedMs + DIAL_GIVES_UP_MS) - loop.now();
        if (waitMs > 0) return void loop.timer(waitMs, arrive);
        return refuse();
      }
      const master = this.#master;
      const fails = random.next() < plan.dialFailures;
      if (fails) this.#options.observer.count("dialFailed");
      if (master === undefined || master.process.hasEnded || fails) return refuse();
      master.process.enter(() => {
        if (master.entrance === undefined) refuse();
        else this.#open(process, master.process, master.entrance, role, delayMs, events);
      });
    };
    const refuse = () =>
      void loop.timer(delayMs, () => process.enter(() => events({ type: "closed", code: 1006, reason: "" })));
    loop.timer(delayMs, arrive);
  }

  #open(
    process: SimulatedProcess,
    master: SimulatedProcess,
    entrance: Entrance,
    role: "worker" | "admin",
    delayMs: number,
    events: (event: SocketEvent) => void,
  ): void {
    const { node } = process;
    const dialerSide = new Side(process, events);
    const masterSide: Side = new Side(master, (event) => {
      if (event.type !== "opened") visitor(event);
    });
    const of = () => connection;
    const toMaster = this.#wire({ node, direction: "out", delayMs, to: masterSide, of });
    const toDialer = this.#wire({ node, direction: "in", delayMs, to: dialerSide, of });
    const connection: Connection = new Connection(
      { node, number: ++this.#opened },
      dialerSide,
      masterSide,
      { toMaster, toDialer },
    );
    dialerSide.attach(toMaster);
    masterSide.attach(toDialer);
    this.#connections.add(connection);
    toDialer.carry({ type: "opened" });
    const visitor = entrance.open(masterSide.port, role);
  }

  /** Words went both ways: it is the node's newest session, unless a newer one has begun. */
  #noteBegun(connection: Connection): void {
    if (connection.master.heard === 0 || connection.dialer.heard === 0) return;
    const newest = this.#newest.get(connection.node);
    if (newest === undefined || newest.number < connection.number) {
      this.#newest.set(connection.node, connection);
    }
  }

  #wire({ node, direction, delayMs, to, of }: Leg): Wire {
    const { loop, random, plan, trace, tamper, observer } = this.#options;
    const receiver = direction === "out" ? "master" : "dialer";
    const reader = direction === "out" ? "master" : node;
    const words = `${node} ${direction}`;
    return new Wire({
      loop,
      random,
      delayMs,
      jitterMs: plan.jitterMs,
      blockedUntilMs: () => Math.max(this.#blockedUntil(node, direction), this.#deaf.get(reader) ?? 0),
      receiver: to.process,
      nobody: () => of().refused(receiver),
      queued: (unreadBytes) => observer.queued(unreadBytes),
      deliver: (cargo, tookMs) => {
        if (cargo.type === "frame") this.#noteDelay(words, tookMs);
        for (const each of tamper?.(receiver, cargo, node) ?? [cargo]) {
          if (each.type === "frame") {
            trace.frame(words, each.bytes);
            this.frames += 1;
            const isLate = (this.#newest.get(node)?.number ?? 0) > of().number;
            if (!to.isOver) observer.delivers({ to: receiver, node, bytes: each.bytes, isLate });
          } else trace.add(`${words} ${describe(each)}`);
          to.take(each);
        }
        this.#noteBegun(of());
      },
    });
  }

  #noteDelay(words: string, tookMs: number): void {
    const { loop, observer } = this.#options;
    if (tookMs >= DELAY_COUNTED_MS) observer.count("frameDelayed");
    // Each connection keeps its order: what overtook it came by another one.
    const sentMs = loop.now() - tookMs;
    if (sentMs < (this.#sentMs.get(words) ?? 0) - 1e-6) observer.count("framesReordered");
    else this.#sentMs.set(words, sentMs);
  }
}

/** One direction of a connection. */
interface Leg {
  readonly node: string;
  readonly direction: "in" | "out";
  readonly delayMs: number;
  readonly to: Side;
  readonly of: () => Connection;
}

function describe(cargo: Exclude<Cargo, { type: "frame" }>): string {
  return cargo.type === "opened" ? "opened" : `closed ${cargo.code} ${cargo.reason}`;
}
