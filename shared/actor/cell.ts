/**
 * A cell: what the system keeps of one life of an actor.
 *
 * Promise: plain state without rules. Sets and maps are made when they are first needed: most actors of a large system
 * are leaves that watch nobody.
 * Not here: what happens at a beginning and an end (lives.ts), when messages are handled (turns.ts).
 *
 * @module
 */
import type { Actor, ExitReason, Ref, Timer } from "./actor.ts";
import { Fifo } from "./fifo.ts";

/**
 * A reference that leads to its cell without a look-up by id, which would cost as much as all the rest of a send.
 *
 * A copy of its two public properties works as well, only slower.
 */
export class Address<M> implements Ref<M> {
  declare readonly accepts?: (message: M) => void;
  /** Out of sight: whoever prints, compares or sends on a reference must not meet the actor behind it. */
  #cell: Cell | undefined;

  constructor(readonly path: string, readonly id: number) {}

  static cellOf(ref: Ref<never>): Cell | undefined {
    return #cell in ref ? ref.#cell : undefined;
  }

  static lead(address: Address<never>, cell: Cell): void {
    address.#cell = cell;
  }
}

/** A timer of the system's own. */
export interface PendingTimer extends Timer {
  readonly cancel: () => void;
}

/** What the system itself puts into a mailbox; being instances of a private class, no message is taken for one. */
export abstract class Signal {}

/** A child or a watched actor has ended. */
export class Exited extends Signal {
  constructor(readonly actor: Ref<never>, readonly reason: ExitReason) {
    super();
  }
}

/** The actor is asked to stop. */
export class StopAsked extends Signal {
  constructor(readonly dueMs: number) {
    super();
  }
}

/** Nothing to handle: lets the system see that the actor asked to exit outside of a message. */
export class Wake extends Signal {}

/** One life of an actor. */
export class Cell {
  actor: Actor<unknown> | undefined;
  readonly mailbox = new Fifo<unknown>();
  /** How many of the mailbox's items are signals: while there are none, the type of an item need not be looked at. */
  signals = 0;
  /** Whether it waits for its turn. */
  queued = false;
  /** Whether `turnEnded` has to be called. */
  touched = false;
  handled = 0;
  state: "running" | "stopping" | "ended" = "running";
  /** Whether it has to end, or has ended. */
  leaving = false;
  /** When a stopping actor is killed. */
  deadline: PendingTimer | undefined;
  children: Map<number, Cell> | undefined;
  /** Who wants to know of its end, and of whose end it wants to know. */
  watchers: Set<Cell> | undefined;
  watching: Set<Cell> | undefined;
  timers: Map<Timer, () => void> | undefined;
  /** What to call at the end of this life. */
  releases: (() => void)[] | undefined;

  constructor(
    readonly ref: Address<never>,
    readonly name: string,
    readonly parent: Cell | undefined,
    readonly startedAtMs: number,
  ) {
    Address.lead(ref, this);
  }
}
