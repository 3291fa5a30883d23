/**
 * The simulator's run loop: time passes only from one event to the next, and a seed orders what falls on one instant.
 *
 * Promise: the same seed and the same calls give the same order of events, on every machine.
 *
 * @module
 */
import type { Random } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";

/** What a turn that was cut short has taken. */
const FULL_TURN_MS = 1;
/** Cancelled events are cleared out when they outnumber the others and there are at least so many. */
const CANCELLED_MIN = 1_024;

interface Event {
  readonly atMs: number;
  /** Orders events of one instant: drawn from the seed, so that every order is met by some seed. */
  readonly rank: number;
  readonly sequence: number;
  readonly call: () => void;
  state: "pending" | "cancelled" | "over";
}

/** A discrete-event loop on virtual time. */
export class VirtualLoop implements RunLoop {
  readonly #random: Random;
  readonly #startWallMs: number;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #sequence = 0;
  #cancelled = 0;

  constructor(random: Random, startWallMs = 1_700_000_000_000) {
    this.#random = random;
    this.#startWallMs = startWallMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallClock(): number {
    return this.#startWallMs + this.#nowMs;
  }

  /** How many events are kept, cancelled ones among them. */
  get size(): number {
    return this.#heap.length;
  }

  soon(call: () => void): void {
    this.#add(0, call);
  }

  yield(call: () => void): void {
    // So much work takes time on any machine; here too, or actors that never rest would stop the clock for all.
    this.#add(FULL_TURN_MS, call);
  }

  timer(delayMs: number, call: () => void): () => void {
    const event = this.#add(Math.max(0, delayMs), call);
    return () => this.#cancel(event);
  }

  /** Runs the next event; false where none is left. */
  step(): boolean {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      if (event.state === "cancelled") continue;
      event.state = "over";
      this.#nowMs = event.atMs;
      event.call();
      return true;
    }
    return false;
  }

  /**
   * Runs events until a condition holds, time is over or nothing is left.
   *
   * @returns whether the condition held
   */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    while (!condition()) {
      const next = this.#peek();
      if (next === undefined || next.atMs > limitMs) {
        this.#nowMs = Math.max(this.#nowMs, limitMs);
        return condition();
      }
      this.step();
    }
    return true;
  }

  /** Lets a span of virtual time pass. */
  runFor(spanMs: number): void {
    this.runUntil(() => false, this.#nowMs + spanMs);
  }

  #add(delayMs: number, call: () => void): Event {
    const event: Event = {
      atMs: this.#nowMs + delayMs,
      rank: this.#random.next(),
      sequence: this.#sequence++,
      call,
      state: "pending",
    };
    this.#insert(event);
    return event;
  }

  #insert(event: Event): void {
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  /** Deadlines that are moved with every message would otherwise fill the heap. */
  #cancel(event: Event): void {
    if (event.state !== "pending") return;
    event.state = "cancelled";
    this.#cancelled += 1;
    if (this.#cancelled < CANCELLED_MIN || this.#cancelled * 2 < this.#heap.length) return;
    const pending = this.#heap.filter((each) => each.state === "pending");
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const each of pending) this.#insert(each);
  }

  #peek(): Event | undefined {
    while (this.#heap[0]?.state === "cancelled") this.#take();
    return this.#heap[0];
  }

  #take(): Event | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first !== undefined && last !== undefined && first !== last) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    if (first?.state === "cancelled") this.#cancelled -= 1;
    return first;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      if (left >= this.#heap.length) return;
      const child = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (!this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    if (!this.#isBefore(lower, upper)) return false;
    const a = this.#heap[lower];
    const b = this.#heap[upper];
    if (a !== undefined && b !== undefined) {
      this.#heap[lower] = b;
      this.#heap[upper] = a;
    }
    return true;
  }

  #isBefore(one: number, other: number): boolean {
    const a = this.#heap[one];
    const b = this.#heap[other];
    if (a === undefined || b === undefined) return false;
    if (a.atMs !== b.atMs) return a.atMs < b.atMs;
    if (a.rank !== b.rank) return a.rank < b.rank;
    return a.sequence < b.sequence;
  }
}
