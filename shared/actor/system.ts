/**
 * The system: a world of actors on one run loop, as the outside sees it.
 *
 * Promise: messages from one actor to another arrive in order; an exception ends the actor that threw and nobody else;
 * what is sent to an ended life is dropped and counted.
 * Not here: restarts (supervisor.ts), clocks and timers (run_loop.ts), beginnings and ends (lives.ts), when what is
 * handled (turns.ts).
 *
 * @module
 */
import type { Notes, Ref, RemoteChild, Start } from "./actor.ts";
import type { Cell } from "./cell.ts";
import { Lives, type SystemEvents } from "./lives.ts";
import type { Random } from "./random.ts";
import type { RunLoop } from "./run_loop.ts";

export type { SystemEvents } from "./lives.ts";

/** One actor as the supervision tree shows it. */
export interface ActorView {
  readonly name: string;
  readonly path: string;
  readonly id: number;
  readonly state: "running" | "stopping" | "ended";
  /** How many messages wait. */
  readonly mailbox: number;
  /** How many messages this life has handled. */
  readonly handled: number;
  /** On the system's monotonic clock. */
  readonly startedAtMs: number;
  readonly children: readonly ActorView[];
  readonly remote: readonly RemoteChild[];
  /** What the actor says about itself: a supervisor its strategy, restarts and the last failure of each child. */
  readonly notes: Notes;
}

/** A world of actors on one run loop. */
export class System {
  readonly #lives: Lives;

  /**
   * @param seed from which every actor's random stream is drawn
   * @param shuffle where given, orders the actors of each round: the simulator meets orders that a busy machine would
   */
  constructor(loop: RunLoop, seed: string, events: SystemEvents = {}, shuffle?: Random) {
    this.#lives = new Lives(loop, seed, events, shuffle);
  }

  /** Messages that were sent to ended lives, or that lives left unhandled. */
  get deadLetters(): number {
    return this.#lives.deadLetters;
  }

  /**
   * Starts the root actor.
   *
   * @throws Error where the present root has not ended: a system has one root at a time
   */
  start<M>(name: string, start: Start<M>): Ref<M> {
    return this.#lives.spawnRoot(name, start);
  }

  /** Delivers a message from outside the actors: the way in for adapters. */
  post<M>(to: Ref<M>, message: M): void {
    this.#lives.deliver(to, message);
  }

  /** Asks the root to stop; `rootExited` tells when it has. */
  stop(deadlineMs: number): void {
    if (this.#lives.root !== undefined) this.#lives.askToStop(this.#lives.root, deadlineMs);
  }

  /** Ends one life at once, as an operator or a fault injection would; its supervisor decides what follows. */
  kill(ref: Ref<never>): void {
    const cell = this.#lives.get(ref);
    if (cell !== undefined) this.#lives.end(cell, { type: "killed" });
  }

  /** Ends everything at once, telling nobody: what a killed process looks like from inside. */
  halt(): void {
    this.#lives.halt();
  }

  /** The tree of actors, for people to look at. */
  inspect(): ActorView | undefined {
    return this.#lives.root === undefined ? undefined : view(this.#lives.root);
  }

  /** Whether a life has not ended. */
  isAlive(ref: Ref<never>): boolean {
    return this.#lives.get(ref) !== undefined;
  }
}

function view(cell: Cell): ActorView {
  const { ref, name, state, handled, startedAtMs } = cell;
  return {
    name,
    path: ref.path,
    id: ref.id,
    state,
    mailbox: cell.mailbox.length,
    handled,
    startedAtMs,
    children: [...cell.children?.values() ?? []].map(view),
    ...ownWords(cell),
  };
}

/** An actor that cannot describe itself does not hide the tree. */
function ownWords({ actor }: Cell): Pick<ActorView, "remote" | "notes"> {
  try {
    return { remote: actor?.remoteChildren?.() ?? [], notes: actor?.notes?.() ?? {} };
  } catch (error) {
    return { remote: [], notes: { "cannot describe itself": String(error) } };
  }
}
