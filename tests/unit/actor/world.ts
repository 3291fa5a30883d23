/**
 * A world for tests of the kernel: a system on virtual time, and actors made of functions.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, Start } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { type ChildSpec, childSpec, type Restart } from "../../../shared/actor/supervisor.ts";
import { type ActorView, System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";

/** A system, its loop, and what it told the outside. */
export class World {
  readonly loop = new VirtualLoop(seededRandom("loop"));
  readonly log: string[] = [];
  /** What actors wrote down, in the order in which it happened. */
  readonly seen: string[] = [];
  readonly rootExits: ExitReason[] = [];
  readonly system = new System(this.loop, "world", {
    log: (level, path, text) => this.log.push(`${level} ${path}: ${text}`),
    rootExited: (reason) => this.rootExits.push(reason),
  });

  /** Lets everything happen that falls into the next instant. */
  settle(): void {
    this.loop.runFor(0.001);
  }

  /** Sends and lets the consequences happen. */
  tell<M>(to: Ref<M>, message: M): void {
    this.system.post(to, message);
    this.settle();
  }

  /** The actor of a path such as `root/store`. */
  find(path: string): ActorView | undefined {
    const root = this.system.inspect();
    return root === undefined ? undefined : findBelow(root, path);
  }

  /** Names of the children of an actor, in the order of their start. */
  childrenOf(path: string): string[] {
    return this.find(path)?.children.map((child) => child.name) ?? [];
  }

  /** A reference to a living actor. */
  ref<M>(path: string): Ref<M> {
    const view = this.find(path);
    if (view === undefined) throw new Error(`nobody lives at ${path}`);
    return { path, id: view.id };
  }

  /** Takes what was seen. */
  takeSeen(): string[] {
    return this.seen.splice(0);
  }

  /** A child that writes down its starts and ends, and does what it is told. */
  obedient(name: string, restart: Restart = "permanent", more: Partial<ObedientOptions> = {}): ChildSpec {
    const shutdownMs = more.shutdownMs ?? 1_000;
    return childSpec<Order>({ name, restart, shutdownMs, start: () => this.#obedient(name, more) });
  }

  #obedient(name: string, { start, stopping, released = false }: Partial<ObedientOptions>): Start<Order> {
    return (context) => {
      this.seen.push(`start ${name}`);
      start?.();
      if (released) context.atEnd(() => this.seen.push(`release ${name}`));
      return {
        receive: (order) => obey(context, order),
        stopping: () => {
          this.seen.push(`stop ${name}`);
          return stopping?.(context) ?? "now";
        },
      };
    };
  }
}

/** How an obedient child differs from the simplest one. */
export interface ObedientOptions {
  readonly start: () => void;
  readonly stopping: (context: Context<Order>) => "now" | "later";
  readonly released: boolean;
  readonly shutdownMs: number;
}

/** What an obedient child can be told. */
export type Order = "crash" | "exit" | "stay";

function obey(context: Context<Order>, order: Order): void {
  if (order === "crash") throw new Error("as ordered");
  if (order === "exit") context.exit();
}

/** An actor made of a function. */
export function handler<M>(
  receive: (message: M, context: Context<M>) => void,
  more: (context: Context<M>) => Partial<Actor<M>> = () => ({}),
): Start<M> {
  return (context) => ({ receive: (message) => receive(message, context), ...more(context) });
}

function findBelow(view: ActorView, path: string): ActorView | undefined {
  if (view.path === path) return view;
  for (const child of view.children) {
    const found = findBelow(child, path);
    if (found !== undefined) return found;
  }
  return undefined;
}
