/**
 * Turns: when each actor handles its mailbox, and when it may flush what it gathered.
 *
 * Promise: items of one mailbox are handled in order; everyone who has something waits at most for one share of each of
 * the others; a turn is short enough that sockets and timers are not kept waiting, whatever the actors do.
 *
 * @module
 */
import { type Actor, crashed, type ExitReason } from "./actor.ts";
import type { Attention } from "./attention.ts";
import { type Cell, Exited, Signal, StopAsked } from "./cell.ts";
import { Fifo } from "./fifo.ts";
import type { Random } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";

/** A turn handles at most this many messages before what waits outside has its turn. */
const TURN_MESSAGES_MAX = 20_000;
/** A turn of slow messages ends after this time: a heartbeat waits in its socket no longer. */
const TURN_MS_MAX = 20;
/** So many messages are handled between two looks at the clock: a look costs as much as a message. */
const CLOCK_EVERY_MESSAGES = 64;
/** One actor handles at most this many messages before the next one has its turn. */
const SHARE_MESSAGES_MAX = 256;

/** Ends a life: the one thing that a turn asks of the system. */
export type End = (cell: Cell, reason: ExitReason) => void;

/** Hands the items of all mailboxes to their actors. */
export class Turns {
  readonly #loop: RunLoop;
  readonly #attention: Attention;
  readonly #end: End;
  readonly #shuffle: Random | undefined;
  readonly #run = () => this.#turn();
  readonly #ready = new Fifo<Cell>();
  #touched: Cell[] = [];
  #scheduled = false;

  /** @param shuffle where given, orders the actors of each round */
  constructor(loop: RunLoop, attention: Attention, end: End, shuffle: Random | undefined) {
    this.#loop = loop;
    this.#attention = attention;
    this.#end = end;
    this.#shuffle = shuffle;
  }

  /** Puts an item into a mailbox. */
  put(cell: Cell, item: unknown): void {
    cell.mailbox.put(item);
    if (cell.queued) return;
    cell.queued = true;
    this.#ready.put(cell);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#loop.soon(this.#run);
  }

  /** Puts something of the system's own into a mailbox. */
  signal(cell: Cell, signal: Signal): void {
    if (cell.state === "ended") return;
    cell.signals += 1;
    this.put(cell, signal);
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#ready.clear();
    this.#touched = [];
  }

  /** Handles what is ready, then lets everyone who was touched flush; repeats until nothing is left or it was long. */
  #turn(): void {
    this.#attention.look();
    const untilMs = this.#loop.now() + TURN_MS_MAX;
    let left = TURN_MESSAGES_MAX;
    let sinceClock = 0;
    while (this.#ready.length > 0 && left > 0) {
      if (this.#shuffle !== undefined) shuffle(this.#ready, this.#shuffle);
      // Who becomes ready meanwhile is for the next round.
      for (let round = this.#ready.length; round > 0 && left > 0; round--) {
        const handled = this.#share();
        left -= handled;
        sinceClock += handled;
        if (sinceClock < CLOCK_EVERY_MESSAGES) continue;
        sinceClock = 0;
        if (this.#loop.now() > untilMs) left = 0;
      }
      if (this.#ready.length === 0 || left <= 0) this.#flush();
    }
    this.#attention.look();
    this.#scheduled = this.#ready.length > 0;
    if (this.#scheduled) this.#loop.yield(this.#run);
  }

  /** One actor's share of a round: what had come when its share began, up to a limit. Answers how much it handled. */
  #share(): number {
    const cell = this.#ready.take();
    const actor = cell?.actor;
    if (cell === undefined || actor === undefined) return 0;
    const mailbox = cell.mailbox;
    const share = Math.min(mailbox.length, SHARE_MESSAGES_MAX);
    let handled = 0;
    try {
      while (handled < share && !cell.leaving) {
        const item = mailbox.take();
        handled += 1;
        if (cell.signals > 0 && item instanceof Signal) this.#handleSignal(cell, actor, item);
        else actor.receive(item);
      }
    } catch (error) {
      this.#end(cell, crashed(error));
    }
    cell.handled += handled;
    if (cell.leaving) this.#leave(cell);
    else this.#afterShare(cell, actor);
    return handled;
  }

  #handleSignal(cell: Cell, actor: Actor<unknown>, signal: Signal): void {
    cell.signals -= 1;
    if (signal instanceof Exited) actor.exited?.(signal.actor, signal.reason);
    else if (signal instanceof StopAsked) {
      const leftMs = Math.max(0, signal.dueMs - this.#loop.now());
      if (actor.stopping === undefined || actor.stopping(leftMs) === "now") cell.leaving = true;
    }
  }

  #afterShare(cell: Cell, actor: Actor<unknown>): void {
    if (!cell.touched && actor.turnEnded !== undefined) {
      cell.touched = true;
      this.#touched.push(cell);
    }
    cell.queued = cell.mailbox.length > 0;
    if (cell.queued) this.#ready.put(cell);
  }

  #flush(): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const cell of touched) {
      cell.touched = false;
      if (cell.state === "ended") continue;
      if (cell.leaving) this.#leave(cell);
      else this.#flushOne(cell);
    }
  }

  #flushOne(cell: Cell): void {
    try {
      cell.actor?.turnEnded?.();
    } catch (error) {
      this.#end(cell, crashed(error));
    }
    if (cell.leaving) this.#end(cell, orderly(cell));
  }

  /** An orderly end: what was gathered goes out first. */
  #leave(cell: Cell): void {
    if (cell.state === "ended") return;
    if (cell.handled > 0) this.#flushOne(cell);
    this.#end(cell, orderly(cell));
  }
}

function orderly(cell: Cell): ExitReason {
  return { type: cell.state === "stopping" ? "stopped" : "normal" };
}

function shuffle<T>(queue: Fifo<T>, random: Random): void {
  const items: T[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) items.push(item);
  while (items.length > 0) {
    const index = random.integer(items.length);
    const chosen = items[index];
    const last = items.pop();
    if (chosen === undefined || last === undefined) return;
    if (index < items.length) items[index] = last;
    queue.put(chosen);
  }
}
