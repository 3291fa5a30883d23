/**
 * What an actor is and what it may do.
 *
 * Promise: an actor owns its state and handles one message at a time, synchronously. Time, chance and the world reach
 * it through its context and as messages, so that it runs the same under a real and a virtual run loop.
 * Not here: how messages are delivered (system.ts), who restarts what (supervisor.ts).
 *
 * @module
 */
import type { Random } from "./random.ts";

/** The address of one life of an actor. A restarted actor has a new one; what is sent to an ended life is dropped. */
export interface Ref<M> {
  /** Names from the root down, such as `master/cluster`. */
  readonly path: string;
  /** Unique within the system. */
  readonly id: number;
  /** Never present: it lets the compiler check what is sent. */
  readonly accepts?: (message: M) => void;
}

/**
 * Why an actor ended: by itself, because it was asked to, at once because its parent had it so or ended too, or by an
 * exception. `gone`: it had ended before it was watched, and nobody remembers how.
 */
export type ExitReason =
  | { readonly type: "normal" }
  | { readonly type: "stopped" }
  | { readonly type: "killed" }
  | { readonly type: "gone" }
  | { readonly type: "crashed"; readonly message: string; readonly stack: string };

/** A pending timer. */
export interface Timer {
  readonly dueMs: number;
}

/** The levels of the log. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** What a message to the log may carry beside its text. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** What an actor can do. */
export interface Context<M> {
  readonly self: Ref<M>;
  /** Monotonic clock, in milliseconds. */
  now(): number;
  /**
   * Monotonic clock in milliseconds that stands still while this process was not running (stopped, asleep, blocked for
   * over 2 s; up to a second of the stall may count). Silence of others is measured on it: who was not listening cannot
   * call anyone silent.
   */
  attentiveNow(): number;
  /** Milliseconds since 1970, for people to read; never for deadlines. */
  wallClock(): number;
  /** A random stream of this actor's own. */
  readonly random: Random;
  send<N>(to: Ref<N>, message: N): void;
  /**
   * Starts a child; its end is told to `exited`, also where its start throws.
   *
   * @throws Error where this actor has ended: nobody would end the child
   */
  spawn<N>(name: string, start: Start<N>): Ref<N>;
  /**
   * Asks a child to stop once it has handled what it was sent before, and kills it after the deadline. Asked again, the
   * earlier deadline counts.
   */
  stop(child: Ref<never>, deadlineMs: number): void;
  /** Ends a child, and all below it, at once. */
  kill(child: Ref<never>): void;
  /** Asks to be told in `exited` when that actor ends; at once, as `gone`, where it already has. */
  watch(actor: Ref<never>): void;
  /** Sends a message to this actor after a time. An actor's timers end with it. */
  after(delayMs: number, message: M): Timer;
  cancel(timer: Timer): void;
  /**
   * Calls when this life ends, however it ends, last come first called: the place to close what it holds in the outside
   * world. A crashed session leaves no socket behind. The call must not touch the context any more.
   */
  atEnd(release: () => void): void;
  log(level: LogLevel, text: string, fields?: LogFields): void;
  /** Ends this actor when the present message has been handled and `turnEnded` has flushed; children end with it. */
  exit(): void;
}

/** One life of an actor. */
export interface Actor<M> {
  /** Handles one message. What it throws is a bug: the actor crashes and its supervisor decides. */
  receive(message: M): void;
  /** A child or a watched actor has ended. */
  exited?(actor: Ref<never>, reason: ExitReason): void;
  /**
   * Called after this actor handled something, when nobody has anything left to handle or the turn has lasted long
   * enough, and before an orderly end: the place to flush what was gathered.
   */
  turnEnded?(): void;
  /**
   * The actor was asked to stop. Without this method, or when it answers "now", it ends at once; after "later" it has
   * until the deadline to call `context.exit()`, and handles messages as before.
   */
  stopping?(deadlineMs: number): "now" | "later";
  /** What the supervision tree shows below this actor besides its children, such as connected workers. */
  remoteChildren?(): readonly RemoteChild[];
  /** What the supervision tree says about this actor. */
  notes?(): Notes;
}

/** Short facts for people who look at the supervision tree. */
export type Notes = Readonly<Record<string, string | number>>;

/** Something elsewhere that is supervised from here. */
export interface RemoteChild {
  readonly name: string;
  readonly state: string;
}

/** Begins a life. What it throws counts as a crash. */
export type Start<M> = (context: Context<M>) => Actor<M>;

/** The reason of an end by an exception. */
export function crashed(error: unknown): ExitReason {
  if (error instanceof Error) return { type: "crashed", message: error.message, stack: error.stack ?? "" };
  return { type: "crashed", message: String(error), stack: "" };
}
