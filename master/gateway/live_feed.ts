/**
 * Live subscriptions: for pages.
 *
 * Promise: a subscriber sees the present values at once, then every entry's newest value, at most ten times a second
 * and never before it has taken what it was sent; a slow one skips values and holds up nobody.
 *
 * @module
 */
import type { Context } from "../../shared/actor/actor.ts";
import { TREE_KEY, type TreeLive } from "../../shared/model/live.ts";
import type { LiveEntry, ToClient } from "../../shared/protocol/client_envelopes.ts";
import { LiveBoard, type LiveShare, takeShare } from "./live_board.ts";
import type { FeedMessage, KnownMessage } from "./messages.ts";
import type { Subscription } from "./subscription.ts";

/** A page is told of changes at most every so often: ten times a second. */
export const LIVE_EVERY_MS = 100;
/** How often the supervision tree is looked at while someone watches. */
export const TREE_EVERY_MS = 1_000;

interface LiveSubscription extends Subscription {
  readonly share: LiveShare;
  /** Whether what was sent has not been taken. */
  isSent: boolean;
}

/** Serves the live subscriptions of the feed. */
export class LiveFeed {
  readonly #context: Context<FeedMessage>;
  readonly #inspect: () => TreeLive | undefined;
  readonly #board = new LiveBoard();
  readonly #subscriptions = new Map<number, LiveSubscription>();
  #toldAtMs: number;
  #isDue = false;
  #looksAtTree = false;

  /** @param inspect looks at the supervision tree of this process, where there is one to show */
  constructor(context: Context<FeedMessage>, inspect: () => TreeLive | undefined) {
    this.#context = context;
    this.#inspect = inspect;
    this.#toldAtMs = context.now() - LIVE_EVERY_MS;
  }

  set(entries: readonly LiveEntry[]): void {
    this.#board.set(entries);
  }

  open(subscription: Subscription, known: KnownMessage): void {
    if (!this.#board.isWatched) this.lookAtTree();
    const live: LiveSubscription = { ...subscription, share: new Map(), isSent: true };
    const [first = [], ...rest] = this.#board.join(live.share);
    this.#subscriptions.set(live.key, live);
    const { epoch, commit } = known;
    this.#deliver(live, [
      { type: "snapshot", subscription: live.id, epoch, commit, entries: [...first] },
      ...rest.map((entries) => changeOf(live.id, commit, entries)),
    ]);
    this.#watchTree();
  }

  close(key: number): void {
    const live = this.#subscriptions.get(key);
    if (live === undefined) return;
    this.#board.leave(live.share);
    this.#subscriptions.delete(key);
  }

  taken(key: number): void {
    const live = this.#subscriptions.get(key);
    if (live !== undefined) live.isSent = false;
  }

  /** Tells everyone what they have not seen, or sees to it that it will be done when it is time. */
  flush(known: KnownMessage): void {
    const ready = [...this.#subscriptions.values()].filter((each) => !each.isSent && each.share.size > 0);
    if (ready.length === 0 || this.#isDue) return;
    const nowMs = this.#context.now();
    const waitMs = this.#toldAtMs + LIVE_EVERY_MS - nowMs;
    if (waitMs > 0) {
      this.#isDue = true;
      this.#context.after(waitMs, { type: "live_due" });
      return;
    }
    this.#toldAtMs = nowMs;
    for (const live of ready) {
      live.isSent = true;
      this.#deliver(live, takeShare(live.share).map((part) => changeOf(live.id, known.commit, part)));
    }
  }

  /** The timer of `flush`. */
  due(): void {
    this.#isDue = false;
  }

  /** Shows the supervision tree as it is now. */
  lookAtTree(): void {
    const tree = this.#inspect();
    if (tree !== undefined) this.#board.set([{ topic: "tree", key: TREE_KEY, value: tree }]);
  }

  /** The timer of the tree. */
  treeDue(): void {
    this.#looksAtTree = false;
    if (!this.#board.isWatched) return;
    this.lookAtTree();
    this.#watchTree();
  }

  #watchTree(): void {
    if (this.#looksAtTree) return;
    this.#looksAtTree = true;
    this.#context.after(TREE_EVERY_MS, { type: "look_at_tree" });
  }

  #deliver(live: LiveSubscription, envelopes: readonly ToClient[]): void {
    this.#context.send(live.session, { type: "deliver", subscription: live.key, envelopes });
  }
}

function changeOf(subscription: string, commit: number, entries: readonly LiveEntry[]): ToClient {
  return { type: "change", subscription, commit, changes: [], entries: [...entries] };
}
