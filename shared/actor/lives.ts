/**
 * Lives: how an actor begins and ends, and who is told.
 *
 * Promise: an end takes everything below with it, the last started first; parent and watchers are told once each, by a
 * message, so that nobody's code runs within another's; an ended life leaves no timer and no entry behind.
 * Not here: restarts (supervisor.ts), the order of messages (turns.ts).
 *
 * @module
 */
import { type Actor, crashed, type ExitReason, type LogFields, type LogLevel } from "./actor.ts";
import type { Ref, Start, Timer } from "./actor.ts";
import { Attention } from "./attention.ts";
import { Address, Cell, Exited, StopAsked, Wake } from "./cell.ts";
import { ActorContext, type World } from "./context.ts";
import type { Random } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";
import { Turns } from "./turns.ts";

/** What the system tells the outside. */
export interface SystemEvents {
  log?(level: LogLevel, path: string, text: string, fields: LogFields): void;
  /** The root has ended: in a process, the moment to leave it. */
  rootExited?(reason: ExitReason): void;
}

/** All lives of a system. */
export class Lives implements World {
  readonly loop: RunLoop;
  readonly seed: string;
  readonly attention: Attention;
  readonly #events: SystemEvents;
  readonly #turns: Turns;
  readonly #cells = new Map<number, Cell>();
  #nextId = 1;
  root: Cell | undefined;
  deadLetters = 0;

  constructor(loop: RunLoop, seed: string, events: SystemEvents, shuffle: Random | undefined) {
    this.loop = loop;
    this.seed = seed;
    this.#events = events;
    this.attention = new Attention(loop, (lateMs) => {
      this.log("warning", this.root?.ref.path ?? "", `was not running for ${Math.round(lateMs)} ms`, {});
    });
    this.#turns = new Turns(loop, this.attention, (cell, reason) => this.end(cell, reason), shuffle);
  }

  get(ref: Ref<never>): Cell | undefined {
    return this.#cells.get(ref.id);
  }

  deliver(to: Ref<never>, message: unknown): void {
    const cell = Address.cellOf(to) ?? this.#cells.get(to.id);
    if (cell === undefined || cell.state === "ended") this.deadLetters += 1;
    else this.#turns.put(cell, message);
  }

  /** Begins the root's life. It may already have ended when this returns. */
  spawnRoot<M>(name: string, start: Start<M>): Ref<M> {
    if (this.root !== undefined) throw new Error(`the root ${this.root.ref.path} has not ended`);
    this.attention.start();
    const ref = new Address<M>(name, this.#nextId++);
    this.root = new Cell(ref, name, undefined, this.loop.now());
    this.#begin(this.root, ref, start);
    return ref;
  }

  spawn<M>(name: string, start: Start<M>, parent: Cell): Ref<M> {
    if (parent.state === "ended") throw new Error(`${parent.ref.path} has ended and cannot start ${name}`);
    const ref = new Address<M>(`${parent.ref.path}/${name}`, this.#nextId++);
    const cell = new Cell(ref, name, parent, this.loop.now());
    (parent.children ??= new Map()).set(ref.id, cell);
    this.#begin(cell, ref, start);
    return ref;
  }

  askToStop(cell: Cell, deadlineMs: number): void {
    const dueMs = this.loop.now() + deadlineMs;
    if (cell.state === "ended" || (cell.deadline !== undefined && cell.deadline.dueMs <= dueMs)) return;
    cell.deadline?.cancel();
    const cancel = this.loop.timer(deadlineMs, () => this.end(cell, { type: "killed" }));
    cell.deadline = { dueMs, cancel };
    if (cell.state === "stopping") return;
    cell.state = "stopping";
    this.#turns.signal(cell, new StopAsked(dueMs));
  }

  exit(cell: Cell): void {
    cell.leaving = true;
    // Where no message is being handled (an adapter calls), somebody has to notice.
    this.#turns.signal(cell, new Wake());
  }

  end(cell: Cell, reason: ExitReason): void {
    if (cell.state === "ended") return;
    cell.state = "ended";
    cell.leaving = true;
    this.#cells.delete(cell.ref.id);
    for (const child of [...cell.children?.values() ?? []].reverse()) this.end(child, { type: "killed" });
    if (reason.type === "crashed") {
      this.log("error", cell.ref.path, `crashed: ${reason.message}`, { stack: reason.stack });
    }
    this.#release(cell);
    this.#tell(cell, reason);
    this.#empty(cell);
    if (cell !== this.root) return;
    this.root = undefined;
    this.attention.stop();
    this.#events.rootExited?.(reason);
  }

  /** Ends everything, telling nobody and releasing nothing. */
  halt(): void {
    this.attention.stop();
    this.#turns.clear();
    for (const cell of this.#cells.values()) {
      cell.state = "ended";
      cell.leaving = true;
      this.#empty(cell);
    }
    this.#cells.clear();
    this.root = undefined;
  }

  watch(watcher: Cell, actor: Ref<never>): void {
    const target = this.#cells.get(actor.id);
    if (target === undefined) return this.#turns.signal(watcher, new Exited(actor, { type: "gone" }));
    if (watcher.state === "ended") return;
    (target.watchers ??= new Set()).add(watcher);
    (watcher.watching ??= new Set()).add(target);
  }

  after(cell: Cell, delayMs: number, message: unknown): Timer {
    const dueMs = this.loop.now() + delayMs;
    if (cell.state === "ended") return { dueMs };
    const cancel = this.loop.timer(delayMs, () => {
      cell.timers?.delete(timer);
      this.#turns.put(cell, message);
    });
    const timer: Timer = { dueMs };
    (cell.timers ??= new Map()).set(timer, cancel);
    return timer;
  }

  cancel(cell: Cell, timer: Timer): void {
    cell.timers?.get(timer)?.();
    cell.timers?.delete(timer);
  }

  log(level: LogLevel, path: string, text: string, fields: LogFields): void {
    this.#events.log?.(level, path, text, fields);
  }

  #begin<M>(cell: Cell, ref: Ref<M>, start: Start<M>): void {
    this.#cells.set(ref.id, cell);
    try {
      const actor = erase(start(new ActorContext(this, cell, ref)));
      if (cell.state !== "ended") cell.actor = actor;
    } catch (error) {
      this.end(cell, crashed(error));
    }
    if (cell.leaving) this.end(cell, { type: "normal" });
  }

  #release(cell: Cell): void {
    for (const release of cell.releases?.reverse() ?? []) {
      try {
        release();
      } catch (error) {
        this.log("error", cell.ref.path, `could not release what it held: ${String(error)}`, {});
      }
    }
  }

  #tell(cell: Cell, reason: ExitReason): void {
    const parent = cell.parent;
    parent?.children?.delete(cell.ref.id);
    const exited = new Exited(cell.ref, reason);
    if (parent !== undefined) this.#turns.signal(parent, exited);
    for (const watcher of cell.watchers ?? []) {
      watcher.watching?.delete(cell);
      if (watcher !== parent) this.#turns.signal(watcher, exited);
    }
    for (const target of cell.watching ?? []) target.watchers?.delete(cell);
  }

  /** References to a cell may outlive it; what it held may not. */
  #empty(cell: Cell): void {
    for (const cancel of cell.timers?.values() ?? []) cancel();
    cell.deadline?.cancel();
    this.deadLetters += cell.mailbox.length - cell.signals;
    cell.mailbox.clear();
    cell.signals = 0;
    cell.actor =
      cell.children =
      cell.watchers =
      cell.watching =
      cell.timers =
      cell.releases =
        undefined;
  }
}

/** The mailbox holds messages of every type; the reference that admitted them was typed. */
function erase<M>(actor: Actor<M>): Actor<unknown> {
  return actor as Actor<unknown>;
}
