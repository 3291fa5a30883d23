/**
 * The system: delivers messages to actors, one at a time, and tells parents and watchers of their ends.
 *
 * Promise: messages from one actor to another arrive in order; an exception ends the actor that threw and nobody else;
 * what is sent to an ended life is dropped and counted.
 * Not here: restarts (supervisor.ts), clocks and timers (run_loop.ts).
 *
 * @module
 */
import type {
  Actor,
  Context,
  ExitReason,
  LogFields,
  LogLevel,
  Ref,
  RemoteChild,
  Start,
  Timer,
} from "./actor.ts";
import { type Random, seededRandom } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";

/** A turn handles at most this many messages before what waits outside has its turn. */
const TURN_MESSAGES_MAX = 20_000;
/** A turn that starts later than this was not listening: its lateness moves every silence deadline. */
const LATE_TURN_MS = 2_000;
/** How often a system looks at the clock when nothing else happens, to notice that it was not running. */
const ATTENTION_TICK_MS = 1_000;

/** What the system tells the outside. */
export interface SystemEvents {
  log?(level: LogLevel, path: string, text: string, fields: LogFields): void;
  /** The root has ended: in a process, the moment to leave it. */
  rootExited?(reason: ExitReason): void;
}

/** One actor as the supervision tree shows it. */
export interface ActorView {
  readonly name: string;
  readonly path: string;
  readonly mailbox: number;
  readonly handled: number;
  readonly startedAtMs: number;
  readonly children: readonly ActorView[];
  readonly remote: readonly RemoteChild[];
  /** Supervisors fill this in: strategy, restarts and the last failure of each child. */
  readonly notes: Readonly<Record<string, string | number>>;
}

interface Cell {
  readonly ref: Ref<never>;
  readonly name: string;
  readonly parent: Cell | undefined;
  readonly children: Map<number, Cell>;
  readonly watchers: Set<Cell>;
  readonly timers: Set<PendingTimer>;
  readonly startedAtMs: number;
  actor: Actor<unknown> | undefined;
  mailbox: Item[];
  /** What is being handled in this round, and how far. */
  draining: Item[];
  head: number;
  queued: boolean;
  touched: boolean;
  handled: number;
  state: "running" | "stopping" | "ended";
  exitAsked: boolean;
  cancelDeadline: (() => void) | undefined;
  notes: Record<string, string | number>;
}

type Item =
  | { readonly type: "message"; readonly message: unknown }
  | { readonly type: "exited"; readonly actor: Ref<never>; readonly reason: ExitReason }
  | { readonly type: "stop"; readonly deadlineMs: number };

interface PendingTimer extends Timer {
  readonly cancel: () => void;
}

/** A world of actors on one run loop. */
export class System {
  readonly #loop: RunLoop;
  readonly #events: SystemEvents;
  readonly #seed: string;
  readonly #shuffle: Random | undefined;
  readonly #cells = new Map<number, Cell>();
  #ready: Cell[] = [];
  #touched: Cell[] = [];
  #scheduled = false;
  #nextId = 1;
  #latenessMs = 0;
  #lastActiveMs: number;
  #tickDueMs: number;
  #cancelTick: (() => void) | undefined;
  #root: Cell | undefined;
  /** Messages that were sent to ended lives. */
  deadLetters = 0;

  /**
   * @param seed from which every actor's random stream is drawn
   * @param shuffle where given, orders the actors of each round: the simulator meets orders that a busy machine would
   */
  constructor(loop: RunLoop, seed: string, events: SystemEvents = {}, shuffle?: Random) {
    this.#loop = loop;
    this.#seed = seed;
    this.#events = events;
    this.#shuffle = shuffle;
    this.#lastActiveMs = loop.now();
    this.#tickDueMs = loop.now();
  }

  /** Starts the root actor. A system has one root at a time. */
  start<M>(name: string, start: Start<M>): Ref<M> {
    this.#armTick();
    const cell = this.#spawn(name, start, undefined);
    this.#root = cell;
    return cell.ref;
  }

  /** Delivers a message from outside the actors: the way in for adapters. */
  post<M>(to: Ref<M>, message: M): void {
    this.#deliver(to.id, { type: "message", message });
  }

  /** Asks the root to stop; `rootExited` tells when it has. */
  stop(deadlineMs: number): void {
    if (this.#root !== undefined) this.#askToStop(this.#root, deadlineMs);
  }

  /** Ends everything at once, telling nobody: what a killed process looks like from inside. */
  halt(): void {
    this.#cancelTick?.();
    for (const cell of this.#cells.values()) {
      cell.state = "ended";
      this.#clearTimers(cell);
      cell.cancelDeadline?.();
    }
    this.#cells.clear();
    this.#ready = [];
    this.#touched = [];
    this.#root = undefined;
  }

  /** The tree of actors, for people to look at. */
  inspect(): ActorView | undefined {
    return this.#root === undefined ? undefined : this.#view(this.#root);
  }

  isAlive(ref: Ref<never>): boolean {
    return this.#cells.has(ref.id);
  }

  #view(cell: Cell): ActorView {
    return {
      name: cell.name,
      path: cell.ref.path,
      mailbox: cell.mailbox.length + cell.draining.length - cell.head,
      handled: cell.handled,
      startedAtMs: cell.startedAtMs,
      children: [...cell.children.values()].map((child) => this.#view(child)),
      remote: cell.actor?.remoteChildren?.() ?? [],
      notes: cell.notes,
    };
  }

  #spawn<M>(name: string, start: Start<M>, parent: Cell | undefined): Cell & { readonly ref: Ref<M> } {
    const id = this.#nextId++;
    const path = parent === undefined ? name : `${parent.ref.path}/${name}`;
    const cell: Cell & { readonly ref: Ref<M> } = {
      ref: { path, id },
      name,
      parent,
      children: new Map(),
      watchers: new Set(),
      timers: new Set(),
      startedAtMs: this.#loop.now(),
      actor: undefined,
      mailbox: [],
      draining: [],
      head: 0,
      queued: false,
      touched: false,
      handled: 0,
      state: "running",
      exitAsked: false,
      cancelDeadline: undefined,
      notes: {},
    };
    this.#cells.set(id, cell);
    parent?.children.set(id, cell);
    const random = seededRandom(this.#seed, path, id);
    try {
      cell.actor = erase(start(this.#context<M>(cell, random)));
    } catch (error) {
      this.#end(cell, crashed(error));
    }
    if (cell.exitAsked) this.#end(cell, { type: "normal" });
    return cell;
  }

  #context<M>(cell: Cell & { readonly ref: Ref<M> }, random: Random): Context<M> {
    return {
      self: cell.ref,
      now: () => this.#loop.now(),
      attentiveNow: () => this.#loop.now() - this.#latenessMs,
      wallClock: () => this.#loop.wallClock(),
      random,
      send: (to, message) => this.#deliver(to.id, { type: "message", message }),
      spawn: (name, start) => this.#spawn(name, start, cell).ref,
      stop: (child, deadlineMs) => {
        const target = cell.children.get(child.id);
        if (target !== undefined) this.#askToStop(target, deadlineMs);
      },
      kill: (child) => {
        const target = cell.children.get(child.id);
        if (target !== undefined) this.#end(target, { type: "killed" });
      },
      watch: (actor) => this.#watch(cell, actor),
      after: (delayMs, message) => this.#after(cell, delayMs, message),
      cancel: (timer) => this.#cancel(cell, timer),
      log: (level, text, fields = {}) => this.#events.log?.(level, cell.ref.path, text, fields),
      exit: () => {
        cell.exitAsked = true;
      },
    };
  }

  /** Lets a supervisor's view of its children be seen in the tree. */
  note(ref: Ref<never>, notes: Record<string, string | number>): void {
    const cell = this.#cells.get(ref.id);
    if (cell !== undefined) Object.assign(cell.notes, notes);
  }

  #watch(watcher: Cell, actor: Ref<never>): void {
    const target = this.#cells.get(actor.id);
    if (target !== undefined) target.watchers.add(watcher);
    else this.#push(watcher, { type: "exited", actor, reason: { type: "normal" } });
  }

  #after(cell: Cell, delayMs: number, message: unknown): Timer {
    const cancel = this.#loop.timer(delayMs, () => {
      cell.timers.delete(timer);
      this.#push(cell, { type: "message", message });
    });
    const timer: PendingTimer = { dueMs: this.#loop.now() + delayMs, cancel };
    cell.timers.add(timer);
    return timer;
  }

  #cancel(cell: Cell, timer: Timer): void {
    for (const pending of cell.timers.has(timer as PendingTimer) ? [timer as PendingTimer] : []) {
      pending.cancel();
      cell.timers.delete(pending);
    }
  }

  #clearTimers(cell: Cell): void {
    for (const timer of cell.timers) timer.cancel();
    cell.timers.clear();
  }

  #deliver(id: number, item: Item): void {
    const cell = this.#cells.get(id);
    if (cell === undefined) this.deadLetters += 1;
    else this.#push(cell, item);
  }

  #push(cell: Cell, item: Item): void {
    if (cell.state === "ended") return;
    cell.mailbox.push(item);
    if (cell.queued) return;
    cell.queued = true;
    this.#ready.push(cell);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#loop.soon(() => this.#turn());
  }

  /** Handles what is ready, then lets everyone who was touched flush; repeats until nothing is left or it is long. */
  #turn(): void {
    this.#noticeLateness();
    let budget = TURN_MESSAGES_MAX;
    while (this.#ready.length > 0 && budget > 0) {
      const batch = this.#ready;
      this.#ready = [];
      if (this.#shuffle !== undefined) shuffle(batch, this.#shuffle);
      for (const cell of batch) budget -= this.#drain(cell);
      if (this.#ready.length === 0 || budget <= 0) this.#flush();
    }
    this.#lastActiveMs = this.#loop.now();
    this.#scheduled = this.#ready.length > 0;
    if (this.#scheduled) this.#loop.yield(() => this.#turn());
  }

  #drain(cell: Cell): number {
    const items = cell.mailbox;
    // What arrives meanwhile waits for the next round, so that nobody who writes to itself keeps the others waiting.
    cell.mailbox = [];
    cell.queued = false;
    cell.draining = items;
    cell.head = 0;
    while (cell.head < items.length && cell.state !== "ended") {
      const item = items[cell.head++];
      if (item !== undefined) this.#handle(cell, item);
    }
    const handled = cell.head;
    cell.draining = [];
    cell.head = 0;
    cell.handled += handled;
    if (!cell.touched && cell.actor?.turnEnded !== undefined) {
      cell.touched = true;
      this.#touched.push(cell);
    }
    return handled;
  }

  #handle(cell: Cell, item: Item): void {
    const actor = cell.actor;
    if (actor === undefined) return;
    try {
      if (item.type === "message") actor.receive(item.message);
      else if (item.type === "exited") actor.exited?.(item.actor, item.reason);
      else this.#handleStop(cell, actor, item.deadlineMs);
    } catch (error) {
      this.#end(cell, crashed(error));
      return;
    }
    if (cell.exitAsked) this.#end(cell, { type: cell.state === "stopping" ? "stopped" : "normal" });
  }

  #handleStop(cell: Cell, actor: Actor<unknown>, deadlineMs: number): void {
    if (actor.stopping === undefined || actor.stopping(deadlineMs) === "now") cell.exitAsked = true;
  }

  #flush(): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const cell of touched) {
      cell.touched = false;
      if (cell.state === "ended") continue;
      try {
        cell.actor?.turnEnded?.();
      } catch (error) {
        this.#end(cell, crashed(error));
        continue;
      }
      if (cell.exitAsked) this.#end(cell, { type: cell.state === "stopping" ? "stopped" : "normal" });
    }
  }

  #askToStop(cell: Cell, deadlineMs: number): void {
    if (cell.state !== "running") return;
    cell.state = "stopping";
    cell.cancelDeadline = this.#loop.timer(deadlineMs, () => this.#end(cell, { type: "killed" }));
    this.#push(cell, { type: "stop", deadlineMs });
  }

  #end(cell: Cell, reason: ExitReason): void {
    if (cell.state === "ended") return;
    cell.state = "ended";
    this.#cells.delete(cell.ref.id);
    this.#clearTimers(cell);
    cell.cancelDeadline?.();
    // Children do not outlive their parent: the last started ends first.
    for (const child of [...cell.children.values()].reverse()) this.#end(child, { type: "killed" });
    cell.parent?.children.delete(cell.ref.id);
    if (reason.type === "crashed") {
      this.#events.log?.("error", cell.ref.path, `crashed: ${reason.message}`, { stack: reason.stack });
    }
    const told = new Set(cell.watchers);
    if (cell.parent !== undefined) told.add(cell.parent);
    for (const other of told) this.#push(other, { type: "exited", actor: cell.ref, reason });
    if (cell === this.#root) {
      this.#root = undefined;
      this.#cancelTick?.();
      this.#events.rootExited?.(reason);
    }
  }

  #armTick(): void {
    this.#tickDueMs = this.#loop.now() + ATTENTION_TICK_MS;
    this.#cancelTick = this.#loop.timer(ATTENTION_TICK_MS, () => {
      this.#noticeLateness();
      this.#lastActiveMs = this.#loop.now();
      this.#armTick();
    });
  }

  /** The tick stands in for every timer: where it is late, the process was not running. */
  #noticeLateness(): void {
    const late = this.#loop.now() - Math.max(this.#tickDueMs, this.#lastActiveMs);
    if (late > LATE_TURN_MS) {
      this.#latenessMs += late;
      this.#lastActiveMs = this.#loop.now();
      this.#events.log?.("warning", this.#root?.ref.path ?? "", `was not running for ${Math.round(late)} ms`, {});
    }
  }
}

function shuffle<T>(items: T[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const a = items[i];
    const b = items[j];
    if (a === undefined || b === undefined) continue;
    items[i] = b;
    items[j] = a;
  }
}

/** The mailbox holds messages of every type; the reference that admitted them was typed. */
function erase<M>(actor: Actor<M>): Actor<unknown> {
  return actor as Actor<unknown>;
}

function crashed(error: unknown): ExitReason {
  if (error instanceof Error) return { type: "crashed", message: error.message, stack: error.stack ?? "" };
  return { type: "crashed", message: String(error), stack: "" };
}
