/**
 * A simulated connection: two sides, two wires, and the ways in which it ends.
 *
 * Promise: each side is told `closed` at most once and nothing after it, unless its idle timeout is struck, which the
 * platform tells twice. A side that closes hears so once the other has answered, or after a while; a connection that
 * vanished is told of to nobody.
 *
 * @module
 */
import type { SocketEvent, SocketPort } from "../../shared/protocol/socket_port.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Cargo, Wire } from "./wire.ts";

/** The code of a connection that ended without a word. */
const ABNORMAL = 1006;
/** A closing side that hears nothing gives up after this time. */
const CLOSE_WAIT_MS = 5_000;
/** How the platform tells an idle timeout: twice. */
const IDLE = { code: 1001, reason: "" } as const;
const IDLE_AGAIN = { code: 1005, reason: "" } as const;
/** What the system takes over before the sender sees that it waits. */
const KERNEL_BYTES = 256 * 1024;

/** One side of a connection. */
export class Side {
  readonly process: SimulatedProcess;
  readonly #hear: (event: SocketEvent) => void;
  #out: Wire | undefined;
  #hasClosed = false;
  /** Frames that it was given. */
  heard = 0;
  /** Whether it was told that the connection is over. */
  isOver = false;

  constructor(process: SimulatedProcess, hear: (event: SocketEvent) => void) {
    this.process = process;
    this.#hear = hear;
  }

  attach(out: Wire): void {
    this.#out = out;
  }

  readonly port: SocketPort = {
    send: (bytes) => {
      if (!this.#hasClosed && !this.isOver) this.#out?.carry({ type: "frame", bytes });
    },
    bufferedBytes: () => Math.max(0, (this.#out?.unreadBytes ?? 0) - KERNEL_BYTES),
    close: (code, reason) => {
      if (this.#hasClosed || this.isOver) return;
      this.#hasClosed = true;
      this.#out?.carry({ type: "closed", code, reason });
      this.process.timer(CLOSE_WAIT_MS, () => this.end(code, reason));
    },
  };

  /** Something came from the other side. */
  take(cargo: Cargo): void {
    if (this.isOver) return;
    switch (cargo.type) {
      case "opened":
        return this.#hear({ type: "opened", port: this.port });
      case "frame":
        this.heard += 1;
        return this.#hear({ type: "frame", bytes: cargo.bytes });
      case "closed":
        if (!this.#hasClosed) this.#out?.carry(cargo);
        return this.end(cargo.code, cargo.reason);
    }
  }

  end(code: number, reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#hear({ type: "closed", code, reason });
  }

  /** Its idle timeout has passed: told twice, as the platform does. */
  endTwice(): void {
    if (this.isOver) return;
    this.end(IDLE.code, IDLE.reason);
    this.#hear({ type: "closed", ...IDLE_AGAIN });
  }
}

/** A worker's or a client's connection to the master. */
export class Connection {
  readonly node: string;
  /** In the order in which they were opened. */
  readonly number: number;
  readonly dialer: Side;
  readonly master: Side;
  readonly #toMaster: Wire;
  readonly #toDialer: Wire;
  #isGone = false;

  constructor(
    { node, number }: Pick<Connection, "node" | "number">,
    dialer: Side,
    master: Side,
    wires: { toMaster: Wire; toDialer: Wire },
  ) {
    this.node = node;
    this.number = number;
    this.dialer = dialer;
    this.master = master;
    this.#toMaster = wires.toMaster;
    this.#toDialer = wires.toDialer;
  }

  get isOver(): boolean {
    return this.#isGone || (this.dialer.isOver && this.master.isOver);
  }

  /** Breaks: both sides hear of it, each in its time. */
  reset(): void {
    this.#lose(this.#toMaster);
    this.#lose(this.#toDialer);
  }

  /** A process has ended. Its peer hears so, unless the machine went with it. */
  ended(process: SimulatedProcess, how: "process" | "machine"): void {
    const isMaster = process === this.master.process;
    (isMaster ? this.#toMaster : this.#toDialer).vanish();
    const out = isMaster ? this.#toDialer : this.#toMaster;
    if (how === "machine") out.vanish();
    else this.#lose(out);
    this.#isGone = true;
  }

  /** Something arrived where no process is any more: its sender is told. */
  refused(by: "master" | "dialer"): void {
    this.#lose(by === "master" ? this.#toDialer : this.#toMaster);
  }

  /** From now on nothing passes, and nobody is told; one side may hear of it. */
  vanish(hears: "master" | "dialer" | undefined): void {
    this.#toMaster.vanish();
    this.#toDialer.vanish();
    if (hears === "master") this.#lose(this.#toMaster);
    if (hears === "dialer") this.#lose(this.#toDialer);
  }

  /** One side's idle timeout passes: it is told twice, the other hears that the connection broke. */
  idleOut(side: "master" | "dialer"): void {
    const hears = side === "master" ? this.master : this.dialer;
    this.#lose(side === "master" ? this.#toDialer : this.#toMaster);
    hears.process.enter(() => hears.endTwice());
  }

  /** One side is told that it is over, and what it had said arrives much later, at a side that was not told. */
  holdBack(hears: "master" | "dialer", untilMs: number): void {
    this.#lose(hears === "master" ? this.#toMaster : this.#toDialer);
    const wire = hears === "master" ? this.#toDialer : this.#toMaster;
    wire.hold(untilMs);
    wire.carryLast({ type: "closed", code: ABNORMAL, reason: "" });
  }

  #lose(wire: Wire): void {
    wire.cut();
    wire.carryLast({ type: "closed", code: ABNORMAL, reason: "" });
  }
}
