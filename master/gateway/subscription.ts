/**
 * Subscriptions by session: who has subscribed to what under which name.
 *
 * Promise: a name means one thing within a session, and no session has more than a fixed number of them.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { ToClientSession } from "./messages.ts";

/** A page needs one, a command line two. */
export const SUBSCRIPTIONS_PER_SESSION_MAX = 16;

/** A subscription. */
export interface Subscription {
  /** Unique within the feed. */
  readonly key: number;
  readonly session: Ref<ToClientSession>;
  /** The client's name for it. */
  readonly id: string;
}

/** The open subscriptions of all sessions. */
export class Subscriptions {
  readonly #sessions = new Map<number, Map<string, Subscription>>();
  #nextKey = 1;

  /** How many there are. */
  get size(): number {
    let size = 0;
    for (const named of this.#sessions.values()) size += named.size;
    return size;
  }

  /** Whether this session has any. */
  has(session: Ref<never>): boolean {
    return this.#sessions.has(session.id);
  }

  /** Adds one, or says why not. */
  add(session: Ref<ToClientSession>, id: string): Subscription | "too_many" | "exists" {
    const named = this.#sessions.get(session.id) ?? new Map<string, Subscription>();
    if (named.has(id)) return "exists";
    if (named.size >= SUBSCRIPTIONS_PER_SESSION_MAX) return "too_many";
    const subscription = { key: this.#nextKey++, session, id };
    named.set(id, subscription);
    this.#sessions.set(session.id, named);
    return subscription;
  }

  /** One by its session's name for it. */
  find(session: Ref<never>, id: string): Subscription | undefined {
    return this.#sessions.get(session.id)?.get(id);
  }

  /** Takes one away; answers it. */
  remove(session: Ref<never>, id: string): Subscription | undefined {
    const named = this.#sessions.get(session.id);
    const subscription = named?.get(id);
    named?.delete(id);
    if (named?.size === 0) this.#sessions.delete(session.id);
    return subscription;
  }

  /** Takes all of a session away; answers them. */
  removeAll(session: Ref<never>): readonly Subscription[] {
    const named = this.#sessions.get(session.id);
    this.#sessions.delete(session.id);
    return named === undefined ? [] : [...named.values()];
  }
}
