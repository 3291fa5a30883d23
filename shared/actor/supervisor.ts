/**
 * Supervisors: who starts whom, in which order, and what happens after an end that nobody wanted.
 *
 * Promise: children start in order and stop in reverse order, each within its own deadline; a crash is answered by the
 * strategy; more than the allowed restarts within the window end the supervisor itself, and its own supervisor decides.
 *
 * The rules are those of Erlang/OTP's supervisor; the back-off between restarts is ours.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, Start } from "./actor.ts";

/** `one_for_one`: the child alone; `rest_for_one`: the child and all that were started after it. */
export type Strategy = "one_for_one" | "rest_for_one";

/** `permanent`: always restarted; `transient`: only after a crash or a kill; `temporary`: never. */
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
  /** At most so many restarts within the window; one more ends the supervisor. */
  readonly intensity: { readonly restarts: number; readonly windowMs: number };
  /** The wait before the first restart of a window; doubled for each further one up to the maximum. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  readonly children: readonly ChildSpec[];
  /** Told after each failure: lets the tree show it. */
  readonly onFailure?: (child: string, reason: ExitReason, restarts: number) => void;
  /** What to do with a child that exceeds the intensity, instead of ending the supervisor: park it. */
  readonly onExceeded?: (child: string, reason: ExitReason) => "escalate" | "drop";
}

/** What a supervisor understands. */
export type SupervisorMessage =
  | { readonly type: "start_child"; readonly child: ChildSpec }
  | { readonly type: "stop_child"; readonly name: string }
  | { readonly type: "restart_now" };

interface Child {
  readonly spec: ChildSpec;
  ref: Ref<never> | undefined;
  restartsAtMs: number[];
  lastFailure: string;
}

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
  #children: Child[];
  #restartsAtMs: number[] = [];
  /** Names that wait for their restart. */
  #waiting = new Set<string>();
  #restartPending = false;
  #stoppingUntilMs: number | undefined;

  constructor(context: Context<SupervisorMessage>, options: SupervisorOptions) {
    this.#context = context;
    this.#options = options;
    this.#children = options.children.map((spec) => newChild(spec));
    for (const child of this.#children) this.#start(child);
  }

  receive(message: SupervisorMessage): void {
    switch (message.type) {
      case "start_child":
        return this.#add(message.child);
      case "stop_child":
        return this.#remove(message.name);
      case "restart_now":
        return this.#restartWaiting();
    }
  }

  exited(ref: Ref<never>, reason: ExitReason): void {
    const child = this.#children.find((each) => each.ref?.id === ref.id);
    if (child === undefined) return;
    child.ref = undefined;
    if (this.#stoppingUntilMs !== undefined) return this.#stopNext();
    if (!deservesRestart(child.spec.restart, reason)) {
      if (child.spec.restart === "temporary" || !this.#options.children.includes(child.spec)) this.#forget(child);
      return;
    }
    this.#failed(child, reason);
  }

  stopping(deadlineMs: number): "now" | "later" {
    this.#stoppingUntilMs = this.#context.now() + deadlineMs;
    this.#waiting.clear();
    if (this.#children.every((child) => child.ref === undefined)) return "now";
    this.#stopNext();
    return "later";
  }

  #add(spec: ChildSpec): void {
    if (this.#stoppingUntilMs !== undefined) return;
    const present = this.#children.find((child) => child.spec.name === spec.name);
    if (present?.ref !== undefined || this.#waiting.has(spec.name)) return;
    if (present !== undefined) this.#forget(present);
    const child = newChild(spec);
    this.#children.push(child);
    this.#start(child);
  }

  #remove(name: string): void {
    const child = this.#children.find((each) => each.spec.name === name);
    if (child === undefined) return;
    this.#waiting.delete(name);
    this.#forget(child);
    if (child.ref !== undefined) this.#context.stop(child.ref, child.spec.shutdownMs);
  }

  #start(child: Child): void {
    const siblings: Siblings = { get: (name) => this.#sibling(name) };
    // `start` itself may throw: then there is no life whose end would be told, so it runs inside the child's.
    child.ref = this.#context.spawn(child.spec.name, (context: Context<never>) => child.spec.start(siblings)(context));
  }

  #sibling<N>(name: string): Ref<N> {
    const ref = this.#children.find((child) => child.spec.name === name)?.ref;
    if (ref === undefined) throw new Error(`no child "${name}" has been started before this one`);
    return { path: ref.path, id: ref.id };
  }

  #failed(child: Child, reason: ExitReason): void {
    const nowMs = this.#context.now();
    const since = nowMs - this.#options.intensity.windowMs;
    this.#restartsAtMs = [...this.#restartsAtMs.filter((at) => at > since), nowMs];
    child.restartsAtMs = [...child.restartsAtMs.filter((at) => at > since), nowMs];
    child.lastFailure = describe(reason);
    this.#options.onFailure?.(child.spec.name, reason, child.restartsAtMs.length);
    const perChild = this.#options.onExceeded !== undefined;
    const count = perChild ? child.restartsAtMs.length : this.#restartsAtMs.length;
    if (count > this.#options.intensity.restarts) return this.#exceeded(child, reason);
    this.#context.log("warning", `restarts ${child.spec.name}: ${child.lastFailure}`, { restarts: count });
    for (const each of this.#affected(child)) {
      this.#waiting.add(each.spec.name);
      if (each.ref !== undefined) this.#context.kill(each.ref);
      each.ref = undefined;
    }
    this.#restartAfterBackoff(count);
  }

  #affected(child: Child): readonly Child[] {
    if (this.#options.strategy === "one_for_one") return [child];
    // The last started goes first, as in a shutdown.
    return this.#children.slice(this.#children.indexOf(child)).reverse();
  }

  #exceeded(child: Child, reason: ExitReason): void {
    if (this.#options.onExceeded?.(child.spec.name, reason) === "drop") return this.#forget(child);
    throw new Error(
      `${child.spec.name} failed more than ${this.#options.intensity.restarts} times in ` +
        `${this.#options.intensity.windowMs} ms; last: ${describe(reason)}`,
    );
  }

  #restartAfterBackoff(count: number): void {
    const backoff = this.#options.backoff;
    const delayMs = backoff === undefined ? 0 : Math.min(backoff.maxMs, backoff.minMs * 2 ** (count - 1));
    if (delayMs === 0) return this.#restartWaiting();
    if (this.#restartPending) return;
    this.#restartPending = true;
    this.#context.after(delayMs, { type: "restart_now" });
  }

  #restartWaiting(): void {
    this.#restartPending = false;
    if (this.#stoppingUntilMs !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const child of this.#children) if (waiting.has(child.spec.name)) this.#start(child);
  }

  #stopNext(): void {
    const last = this.#children.findLast((child) => child.ref !== undefined);
    if (last?.ref === undefined) return this.#context.exit();
    this.#context.stop(last.ref, last.spec.shutdownMs);
  }

  #forget(child: Child): void {
    this.#children = this.#children.filter((each) => each !== child);
  }
}

function newChild(spec: ChildSpec): Child {
  return { spec, ref: undefined, restartsAtMs: [], lastFailure: "" };
}

function deservesRestart(restart: Restart, reason: ExitReason): boolean {
  if (restart === "temporary" || reason.type === "stopped") return false;
  return restart === "permanent" || reason.type !== "normal";
}

function describe(reason: ExitReason): string {
  return reason.type === "crashed" ? reason.message : reason.type;
}
