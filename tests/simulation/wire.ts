/**
 * One direction of a connection.
 *
 * Promise: what arrives does so in order and at most once; a break takes away a tail of what was on its way, never
 * something from the middle. (Mutants of the network break this promise on purpose.)
 * Not here: who hears what of a break (connection.ts).
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { VirtualLoop } from "../../shared/actor/virtual_loop.ts";
import type { SimulatedProcess } from "./process.ts";

/** What travels. */
export type Cargo =
  | { readonly type: "opened" }
  | { readonly type: "frame"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "closed"; readonly code: number; readonly reason: string };

/** What a wire stands on. */
export interface WireOptions {
  readonly loop: VirtualLoop;
  readonly random: Random;
  readonly delayMs: number;
  /** Each cargo takes up to this much longer. */
  readonly jitterMs: number;
  /** Until when nothing passes. */
  readonly blockedUntilMs: () => number;
  readonly receiver: SimulatedProcess;
  readonly deliver: (cargo: Cargo) => void;
  /** It arrived, and there was nobody. */
  readonly nobody: () => void;
}

/** Carries in order. */
export class Wire {
  readonly #options: WireOptions;
  /** On its way: the loop shuffles what falls on one instant, so each event takes the first of the line. */
  readonly #flying: { readonly cargo: Cargo; readonly readyMs: number }[] = [];
  readonly #arrived: Cargo[] = [];
  #lastMs = 0;
  #isScheduled = false;
  #isCut = false;
  /** Bytes that were sent and have not been read. */
  unreadBytes = 0;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  carry(cargo: Cargo): void {
    if (this.#isCut) return;
    const { loop, random, delayMs, jitterMs } = this.#options;
    this.#lastMs = Math.max(this.#lastMs, loop.now() + delayMs + random.next() * jitterMs);
    this.#flying.push({ cargo, readyMs: this.#lastMs });
    if (cargo.type === "frame") this.unreadBytes += cargo.bytes.byteLength;
    this.#schedule();
  }

  /** A tail of what is on its way is lost, and nothing is taken any more. */
  cut(): void {
    const kept = this.#options.random.integer(this.#flying.length + 1);
    this.#flying.length = kept;
    this.#isCut = true;
  }

  /** Nothing arrives any more. */
  vanish(): void {
    this.#flying.length = 0;
    this.#isCut = true;
  }

  /** The last word after a cut. */
  carryLast(cargo: Cargo): void {
    this.#isCut = false;
    this.carry(cargo);
    this.#isCut = true;
  }

  #schedule(): void {
    const first = this.#flying[0];
    if (this.#isScheduled || first === undefined) return;
    this.#isScheduled = true;
    const { loop, blockedUntilMs } = this.#options;
    const atMs = Math.max(first.readyMs, blockedUntilMs());
    loop.timer(Math.max(0, atMs - loop.now()), () => {
      this.#isScheduled = false;
      this.#arrive();
      this.#schedule();
    });
  }

  #arrive(): void {
    const { loop, blockedUntilMs, receiver, nobody } = this.#options;
    const first = this.#flying[0];
    if (first === undefined || loop.now() < Math.max(first.readyMs, blockedUntilMs())) return;
    this.#flying.shift();
    if (receiver.hasEnded) return nobody();
    this.#arrived.push(first.cargo);
    receiver.enter(() => this.#read());
  }

  #read(): void {
    const cargo = this.#arrived.shift();
    if (cargo === undefined) return;
    if (cargo.type === "frame") this.unreadBytes -= cargo.bytes.byteLength;
    this.#options.deliver(cargo);
  }
}
