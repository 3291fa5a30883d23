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
  /** @param tookMs since it was sent */
  readonly deliver: (cargo: Cargo, tookMs: number) => void;
  /** Something was sent: how much has not been read by then. */
  readonly queued: (unreadBytes: number) => void;
  /** It arrived, and there was nobody. */
  readonly nobody: () => void;
}

interface Flying {
  readonly cargo: Cargo;
  readonly sentMs: number;
  readonly readyMs: number;
}

/** Carries in order. */
export class Wire {
  readonly #options: WireOptions;
  /** On its way: the loop shuffles what falls on one instant, so each event takes the first of the line. */
  readonly #flying: Flying[] = [];
  readonly #arrived: Flying[] = [];
  #heldUntilMs = 0;
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
    this.#flying.push({ cargo, sentMs: loop.now(), readyMs: this.#lastMs });
    if (cargo.type === "frame") {
      this.unreadBytes += cargo.bytes.byteLength;
      this.#options.queued(this.unreadBytes);
    }
    this.#schedule();
  }

  /** A tail of what is on its way is lost, and nothing is taken any more. */
  cut(): void {
    const kept = this.#options.random.integer(this.#flying.length + 1);
    this.#flying.length = kept;
    this.#isCut = true;
  }

  /** What is on its way arrives, but not before a moment; nothing is taken any more. */
  hold(untilMs: number): void {
    this.#heldUntilMs = untilMs;
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
    const { loop } = this.#options;
    const atMs = this.#dueMs(first);
    loop.timer(Math.max(0, atMs - loop.now()), () => {
      this.#isScheduled = false;
      this.#arrive();
      this.#schedule();
    });
  }

  #arrive(): void {
    const { loop, receiver, nobody } = this.#options;
    const first = this.#flying[0];
    if (first === undefined || loop.now() < this.#dueMs(first)) return;
    this.#flying.shift();
    if (receiver.hasEnded) return nobody();
    this.#arrived.push(first);
    receiver.enter(() => this.#read());
  }

  #dueMs({ readyMs }: Flying): number {
    return Math.max(readyMs, this.#heldUntilMs, this.#options.blockedUntilMs());
  }

  #read(): void {
    const arrived = this.#arrived.shift();
    if (arrived === undefined) return;
    const { cargo, sentMs } = arrived;
    if (cargo.type === "frame") this.unreadBytes -= cargo.bytes.byteLength;
    this.#options.deliver(cargo, this.#options.loop.now() - sentMs);
  }
}
