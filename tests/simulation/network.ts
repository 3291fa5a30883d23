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
import { bytesMark, type Trace } from "./trace.ts";
import { type Cargo, Wire } from "./wire.ts";

/** How long a system tries to reach a host that does not answer. */
const DIAL_GIVES_UP_MS = 127_000;

/** Changes what passes: a deliberately broken network. */
export type Tamper = (to: "master" | "dialer", cargo: Cargo, node: string) => readonly Cargo[];

/** What the network stands on. */
export interface NetworkOptions {
  readonly loop: VirtualLoop;
  readonly random: Random;
  readonly plan: NetworkPlan;
  readonly trace: Trace;
  readonly tamper?: Tamper | undefined;
}

/** Carries everything that is said. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #connections = new Set<Connection>();
  /** By node and direction: until when nothing passes. */
  readonly #blocked = new Map<string, number>();
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

  heal(): void {
    this.#blocked.clear();
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
      if (master === undefined || master.process.hasEnded || random.next() < plan.dialFailures) {
        return refuse();
      }
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
    const toMaster = this.#wire(node, "out", delayMs, masterSide, () => connection.refused("master"));
    const toDialer = this.#wire(node, "in", delayMs, dialerSide, () => connection.refused("dialer"));
    const connection = new Connection(node, dialerSide, masterSide, { toMaster, toDialer });
    dialerSide.attach(toMaster);
    masterSide.attach(toDialer);
    this.#connections.add(connection);
    toDialer.carry({ type: "opened" });
    const visitor = entrance.open(masterSide.port, role);
  }

  #wire(node: string, direction: "in" | "out", delayMs: number, to: Side, nobody: () => void): Wire {
    const { loop, random, plan, trace, tamper } = this.#options;
    const receiver = direction === "out" ? "master" : "dialer";
    return new Wire({
      loop,
      random,
      delayMs,
      jitterMs: plan.jitterMs,
      blockedUntilMs: () => this.#blockedUntil(node, direction),
      receiver: to.process,
      nobody,
      deliver: (cargo) => {
        for (const each of tamper?.(receiver, cargo, node) ?? [cargo]) {
          trace.add(`${node} ${direction} ${describe(each)}`);
          if (each.type === "frame") this.frames += 1;
          to.take(each);
        }
      },
    });
  }
}

function describe(cargo: Cargo): string {
  switch (cargo.type) {
    case "opened":
      return "opened";
    case "frame":
      return `frame ${cargo.bytes.byteLength} ${bytesMark(cargo.bytes)}`;
    case "closed":
      return `closed ${cargo.code} ${cargo.reason}`;
  }
}
