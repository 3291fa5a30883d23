/**
 * Supervisors: who starts whom, in which order, and what happens after an end that nobody wanted.
 *
 * Promise: children start in order and stop in reverse order, each within its own deadline; a crash is answered by the
 * strategy; more than the allowed restarts within the window end the supervisor itself, and its own supervisor decides.
 *
 * The rules are those of Erlang/OTP's supervisor, with three differences. There is a back-off between restarts. A child
 * that needs no restart is forgotten at its end. And what `rest_for_one` takes down with a crashed child is killed, the
 * last started first, instead of asked to stop: what it depended on is gone already, and an end without notice is one
 * that every actor must bear anyway; what it held in the outside world is closed by `Context.atEnd`.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Notes, Ref, Start } from "./actor.ts";

/** `one_for_one`: the child alone; `rest_for_one`: the child and all that were started after it. */
export type Strategy = "one_for_one" | "rest_for_one";

/**
 * `permanent`: always restarted; `transient`: only after a crash or a kill; `temporary`: never, not even when
 * `rest_for_one` took it down.
 */
export type Restart = "permanent" | "transient" | "temporary";

/** Finds siblings that were started earlier. */
export interface Siblings {
  /** The present life of a child of this name. @throws Error where there is none: a bug in the order of children. */
  get<N>(name: string): Ref<N>;
}

/** How to start, restart and stop one child. */
export interface ChildSpec {
  readonly name: string;
  readonly restart: Restart;
  /** How long it may take to stop. */
  readonly shutdownMs: number;
  readonly start: (siblings: Siblings) => Start<never>;
}

/** How a supervisor supervises. */
export interface SupervisorOptions {
  readonly strategy: Strategy;
  /** At most so many restarts within the window, all children together; one more ends the supervisor. */
  readonly intensity: { readonly restarts: number; readonly windowMs: number };
  /** The wait before a child's first restart within the window; doubled for each further one up to the maximum. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  readonly children: readonly ChildSpec[];
  /** Told after each end that nobody wanted, with how many there were of this child within the window. */
  readonly onFailure?: (child: string, reason: ExitReason, failures: number) => void;
  /**
   * What to do with a child that exceeds the intensity, instead of ending the supervisor: drop it, and what
   * `rest_for_one` takes down with it. Where this is given, the intensity counts for each child by itself.
   */
  readonly onExceeded?: (child: string, reason: ExitReason) => "escalate" | "drop";
}

/** What a supervisor understands. */
export type SupervisorMessage =
  /** Adds a child after the others; without effect where one of that name runs or waits for its restart. */
  | { readonly type: "start_child"; readonly child: ChildSpec }
  /** Stops a child and forgets it; a child of that name that is added meanwhile starts after its end. */
  | { readonly type: "stop_child"; readonly name: string }
  /** Starts the children whose wait is over; without a time, all that wait. */
  | { readonly type: "restart_now"; readonly dueMs?: number };

interface Child {
  readonly spec: ChildSpec;
  state: ChildState;
  /** When it failed within the window. */
  failuresAtMs: readonly number[];
  lastFailure: string;
}

type ChildState =
  | { readonly type: "waiting"; readonly dueMs: number }
  | { readonly type: "running"; readonly ref: Ref<never> }
  | { readonly type: "leaving"; readonly ref: Ref<never>; readonly successor?: ChildSpec };

/** A supervisor's start, to be given to `System.start`, `Context.spawn` or another supervisor. */
export function supervisor(options: SupervisorOptions): Start<SupervisorMessage> {
  return (context) => new Supervisor(context, options);
}

/** How to put a supervisor below another. */
export function supervisorChild(name: string, shutdownMs: number, options: SupervisorOptions): ChildSpec {
  return childSpec({ name, restart: "permanent", shutdownMs, start: () => supervisor(options) });
}

/** A child as its author writes it, with the type of its messages. */
export interface TypedChildSpec<M> extends Omit<ChildSpec, "start"> {
  readonly start: (siblings: Siblings) => Start<M>;
}

/** Forgets the type of a child's messages, which its supervisor never sends. */
export function childSpec<M>(spec: TypedChildSpec<M>): ChildSpec {
  return { ...spec, start: (siblings) => spec.start(siblings) as Start<unknown> as Start<never> };
}

class Supervisor implements Actor<SupervisorMessage> {
  readonly #context: Context<SupervisorMessage>;
  readonly #options: SupervisorOptions;
  /** By name, in the order of their first start. */
  readonly #children = new Map<string, Child>();
  /** Those whose end is still to be told, by the id of their life. */
  readonly #living = new Map<number, Child>();
  #failuresAtMs: readonly number[] = [];
  #restarts = 0;
  #lastFailure = "";
  /** What is still to be stopped, the next one last. */
  #shutdown: { readonly dueMs: number; readonly children: Child[] } | undefined;

  constructor(context: Context<SupervisorMessage>, options: SupervisorOptions) {
    this.#context = context;
    this.#options = options;
    const nowMs = context.now();
    for (const spec of options.children) this.#children.set(spec.name, newChild(spec, nowMs));
    this.#startDue(nowMs);
  }

  receive(message: SupervisorMessage): void {
    if (this.#shutdown !== undefined) return;
    switch (message.type) {
      case "start_child":
        return this.#add(message.child);
      case "stop_child":
        return this.#remove(message.name);
      case "restart_now":
        return this.#startDue(message.dueMs ?? Infinity);
    }
  }

  exited(ref: Ref<never>, reason: ExitReason): void {
    const child = this.#living.get(ref.id);
    if (child === undefined) return;
    this.#living.delete(ref.id);
    if (this.#shutdown !== undefined) return this.#stopNext();
    if (child.state.type === "leaving") return this.#left(child, child.state.successor);
    const failed = isFailure(child.spec.restart, reason);
    if (failed) this.#noteFailure(child, reason);
    if (failed && child.spec.restart !== "temporary") this.#restart(child, reason);
    else this.#children.delete(child.spec.name);
  }

  stopping(deadlineMs: number): "now" | "later" {
    if (this.#living.size === 0) return "now";
    this.#shutdown = { dueMs: this.#context.now() + deadlineMs, children: [...this.#children.values()] };
    this.#stopNext();
    return "later";
  }

  notes(): Notes {
    const notes: Record<string, string | number> = {
      strategy: this.#options.strategy,
      restarts: this.#restarts,
    };
    if (this.#lastFailure !== "") notes["last failure"] = this.#lastFailure;
    for (const { spec, lastFailure, failuresAtMs, state } of this.#children.values()) {
      if (lastFailure !== "") {
        notes[`failures of ${spec.name}`] = `${failuresAtMs.length}, last: ${lastFailure}`;
      }
      if (state.type === "waiting") notes[`start of ${spec.name}`] = "waits";
    }
    return notes;
  }

  #add(spec: ChildSpec): void {
    const present = this.#children.get(spec.name);
    if (present?.state.type === "leaving") present.state = { ...present.state, successor: spec };
    if (present !== undefined) return;
    const child = newChild(spec, this.#context.now());
    // What stands before it must stand first.
    const mustWait = this.#options.strategy === "rest_for_one" ? this.#latestWait() : undefined;
    this.#children.set(spec.name, child);
    if (mustWait === undefined) this.#start(child);
    else child.state = mustWait;
  }

  #latestWait(): ChildState | undefined {
    return [...this.#children.values()].findLast((child) => child.state.type === "waiting")?.state;
  }

  #remove(name: string): void {
    const child = this.#children.get(name);
    if (child === undefined) return;
    if (child.state.type === "waiting") this.#children.delete(name);
    else {
      child.state = { type: "leaving", ref: child.state.ref };
      this.#context.stop(child.state.ref, child.spec.shutdownMs);
    }
  }

  #left(child: Child, successor: ChildSpec | undefined): void {
    this.#children.delete(child.spec.name);
    // Where its start had thrown, those after it wait for nobody any more.
    this.#startDue(this.#context.now());
    if (successor !== undefined) this.#add(successor);
  }

  /** Starts those whose wait is over, in order. */
  #startDue(dueMs: number): void {
    const inOrder = this.#options.strategy === "rest_for_one";
    for (const child of [...this.#children.values()]) {
      if (child.state.type !== "waiting") continue;
      const started = child.state.dueMs <= dueMs && this.#start(child);
      // The others depend on this one; they go on waiting until its end, if it had one, has been answered.
      if (!started && inOrder && child.spec.restart !== "temporary") return;
    }
  }

  /** Whether the child lives. Where its start threw, `exited` will be told as of any other crash. */
  #start(child: Child): boolean {
    let began = false;
    const siblings: Siblings = { get: (name) => this.#sibling(name) };
    // What `spec.start` throws must be the child's crash, not the supervisor's: so it runs inside the child's life.
    const ref = this.#context.spawn(child.spec.name, (context: Context<never>) => {
      const actor = child.spec.start(siblings)(context);
      began = true;
      return actor;
    });
    child.state = { type: "running", ref };
    this.#living.set(ref.id, child);
    return began;
  }

  #sibling<N>(name: string): Ref<N> {
    const state = this.#children.get(name)?.state;
    if (state?.type !== "running") throw new Error(`no child "${name}" has been started before this one`);
    return retype(state.ref);
  }

  #noteFailure(child: Child, reason: ExitReason): void {
    const nowMs = this.#context.now();
    const sinceMs = nowMs - this.#options.intensity.windowMs;
    child.failuresAtMs = [...child.failuresAtMs.filter((at) => at > sinceMs), nowMs];
    child.lastFailure = describe(reason);
    this.#lastFailure = `${child.spec.name}: ${child.lastFailure}`;
    if (child.spec.restart !== "temporary") {
      this.#failuresAtMs = [...this.#failuresAtMs.filter((at) => at > sinceMs), nowMs];
    }
    this.#options.onFailure?.(child.spec.name, reason, child.failuresAtMs.length);
  }

  #restart(child: Child, reason: ExitReason): void {
    const counted = this.#options.onExceeded === undefined ? this.#failuresAtMs : child.failuresAtMs;
    if (counted.length > this.#options.intensity.restarts) return this.#exceeded(child, reason);
    this.#restarts += 1;
    this.#context.log("warning", `restarts ${child.spec.name}: ${child.lastFailure}`, {
      restarts: counted.length,
    });
    const delayMs = backoffMs(this.#options.backoff, child.failuresAtMs.length);
    const dueMs = this.#context.now() + delayMs;
    for (const each of this.#affected(child)) this.#takeDown(each, dueMs);
    if (delayMs === 0) this.#startDue(dueMs);
    else this.#context.after(delayMs, { type: "restart_now", dueMs });
  }

  /** The child and what goes down with it, the last started first, as in a shutdown. */
  #affected(child: Child): readonly Child[] {
    if (this.#options.strategy === "one_for_one") return [child];
    const children = [...this.#children.values()];
    return children.slice(children.indexOf(child)).reverse();
  }

  #takeDown(child: Child, dueMs: number): void {
    const { state, spec } = child;
    if (state.type === "waiting") {
      child.state = { type: "waiting", dueMs: Math.max(dueMs, state.dueMs) };
      return;
    }
    this.#context.kill(state.ref);
    // The end of one that was leaving is told of in `exited`, and its successor takes the last place.
    if (state.type === "leaving") return;
    this.#living.delete(state.ref.id);
    if (spec.restart === "temporary") this.#children.delete(spec.name);
    else child.state = { type: "waiting", dueMs };
  }

  #exceeded(child: Child, reason: ExitReason): void {
    if (this.#options.onExceeded?.(child.spec.name, reason) === "drop") return this.#drop(child);
    const { restarts, windowMs } = this.#options.intensity;
    throw new Error(
      `${child.spec.name} needs one restart more than the ${restarts} allowed in ${windowMs} ms; last: ${
        describe(reason)
      }`,
    );
  }

  #drop(child: Child): void {
    for (const each of this.#affected(child)) {
      this.#takeDown(each, 0);
      if (each.state.type !== "leaving") this.#children.delete(each.spec.name);
    }
  }

  /** Stops the last child that lives; its end asks for the next. */
  #stopNext(): void {
    if (this.#shutdown === undefined) return;
    const { dueMs, children } = this.#shutdown;
    for (let last = children.at(-1); last !== undefined; last = children.at(-1)) {
      if (last.state.type !== "waiting" && this.#living.has(last.state.ref.id)) {
        const leftMs = Math.max(0, dueMs - this.#context.now());
        return this.#context.stop(last.state.ref, Math.min(last.spec.shutdownMs, leftMs));
      }
      children.pop();
    }
    this.#context.exit();
  }
}

/** Whoever asks for a sibling by its name knows what it accepts. */
function retype<N>(ref: Ref<never>): Ref<N> {
  return ref as Ref<unknown> as Ref<N>;
}

function newChild(spec: ChildSpec, dueMs: number): Child {
  return { spec, state: { type: "waiting", dueMs }, failuresAtMs: [], lastFailure: "" };
}

/** Whether nobody wanted this end: a permanent child has no business to end at all. */
function isFailure(restart: Restart, reason: ExitReason): boolean {
  return restart === "permanent" || (reason.type !== "normal" && reason.type !== "stopped");
}

function backoffMs(backoff: SupervisorOptions["backoff"], failures: number): number {
  return backoff === undefined ? 0 : Math.min(backoff.maxMs, backoff.minMs * 2 ** (failures - 1));
}

function describe(reason: ExitReason): string {
  return reason.type === "crashed" ? reason.message : `ended (${reason.type})`;
}
