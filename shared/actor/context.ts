/**
 * What an actor holds in its hand: its own place in the system.
 *
 * Promise: an actor reaches others through this alone. The methods need their object: call `context.send(…)`.
 *
 * @module
 */
import type { Context, ExitReason, LogFields, LogLevel, Ref, Start, Timer } from "./actor.ts";
import type { Attention } from "./attention.ts";
import type { Cell } from "./cell.ts";
import { type Random, seededRandom } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";

/** What a context asks of the system. */
export interface World {
  readonly loop: RunLoop;
  readonly attention: Attention;
  readonly seed: string;
  deliver(to: Ref<never>, message: unknown): void;
  spawn<M>(name: string, start: Start<M>, parent: Cell): Ref<M>;
  askToStop(cell: Cell, deadlineMs: number): void;
  end(cell: Cell, reason: ExitReason): void;
  exit(cell: Cell): void;
  watch(watcher: Cell, actor: Ref<never>): void;
  after(cell: Cell, delayMs: number, message: unknown): Timer;
  cancel(cell: Cell, timer: Timer): void;
  log(level: LogLevel, path: string, text: string, fields: LogFields): void;
}

/** The context of one life. */
export class ActorContext<M> implements Context<M> {
  readonly self: Ref<M>;
  readonly #world: World;
  readonly #cell: Cell;
  #random: Random | undefined;

  constructor(world: World, cell: Cell, self: Ref<M>) {
    this.#world = world;
    this.#cell = cell;
    this.self = self;
  }

  /** Made when it is first drawn from: most actors never do. */
  get random(): Random {
    this.#random ??= seededRandom(this.#world.seed, this.self.path, this.self.id);
    return this.#random;
  }

  now(): number {
    return this.#world.loop.now();
  }

  attentiveNow(): number {
    return this.#world.attention.now();
  }

  wallClock(): number {
    return this.#world.loop.wallClock();
  }

  send<N>(to: Ref<N>, message: N): void {
    this.#world.deliver(to, message);
  }

  spawn<N>(name: string, start: Start<N>): Ref<N> {
    return this.#world.spawn(name, start, this.#cell);
  }

  stop(child: Ref<never>, deadlineMs: number): void {
    const cell = this.#cell.children?.get(child.id);
    if (cell !== undefined) this.#world.askToStop(cell, deadlineMs);
  }

  kill(child: Ref<never>): void {
    const cell = this.#cell.children?.get(child.id);
    if (cell !== undefined) this.#world.end(cell, { type: "killed" });
  }

  watch(actor: Ref<never>): void {
    this.#world.watch(this.#cell, actor);
  }

  after(delayMs: number, message: M): Timer {
    return this.#world.after(this.#cell, delayMs, message);
  }

  cancel(timer: Timer): void {
    this.#world.cancel(this.#cell, timer);
  }

  atEnd(release: () => void): void {
    if (this.#cell.state === "ended") release();
    else (this.#cell.releases ??= []).push(release);
  }

  log(level: LogLevel, text: string, fields: LogFields = {}): void {
    this.#world.log(level, this.self.path, text, fields);
  }

  exit(): void {
    this.#world.exit(this.#cell);
  }
}
