/**
 * Log subscriptions: every change after a commit, in order, none twice, at the client's pace.
 *
 * Promise: each subscriber has a cursor, the last commit that it was sent; whatever it is sent next begins right after
 * it and moves it, and comes from memory where that reaches back far enough, else from the store. Nothing is pushed to
 * someone who has not taken the share before, so a slow subscriber costs a cursor and no memory.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { QueryAnswer, StoreMessage } from "../store/messages.ts";
import { changeEnvelopes } from "./change_envelopes.ts";
import type { FeedMessage, KnownMessage } from "./messages.ts";
import { type FeedCommit, RecentCommits } from "./recent_commits.ts";
import type { Subscription } from "./subscription.ts";

/** About so many changes go out in one share, from memory or from the store. */
export const SHARE_CHANGES_MAX = 1_000;
/** How long to wait when the store could not answer. */
const ASK_AGAIN_MS = 500;

interface LogSubscription extends Subscription {
  /** Everything up to here was sent. */
  cursor: number;
  /** `sent`: until it is taken; `asking`: until the store answers; `resting`: until it is asked again. */
  state: "idle" | "sent" | "asking" | "resting";
}

/** Serves the log subscriptions of the feed. */
export class LogFeed {
  readonly #context: Context<FeedMessage>;
  readonly #store: Ref<StoreMessage>;
  readonly #recent: RecentCommits;
  readonly #subscriptions = new Map<number, LogSubscription>();
  /** The newest commit that anyone spoke of. */
  #newest = 0;

  constructor(context: Context<FeedMessage>, store: Ref<StoreMessage>, recentChangesMax?: number) {
    this.#context = context;
    this.#store = store;
    this.#recent = new RecentCommits(recentChangesMax);
  }

  /** Begins after a commit that the store has. */
  open(subscription: Subscription, after: number, known: KnownMessage): void {
    const log: LogSubscription = { ...subscription, cursor: after, state: "sent" };
    this.#subscriptions.set(log.key, log);
    const { key, id, session } = log;
    this.#context.send(session, {
      type: "deliver",
      subscription: key,
      envelopes: [{ type: "snapshot", subscription: id, epoch: known.epoch, commit: after, entries: [] }],
    });
  }

  close(key: number): void {
    this.#subscriptions.delete(key);
  }

  /** The store's word of a commit. */
  committed(commit: FeedCommit): void {
    this.#recent.add(commit, this.#subscriptions.size > 0);
    this.risen(commit.commit);
  }

  /** Someone spoke of a commit. */
  risen(commit: number): void {
    this.#newest = Math.max(this.#newest, commit);
  }

  /** The subscriber has room for more, or has rested. */
  ready(key: number, from: "sent" | "resting"): void {
    const log = this.#subscriptions.get(key);
    if (log?.state === from) log.state = "idle";
  }

  /** The store's answer to what was asked for a subscriber. */
  answered(answer: QueryAnswer): void {
    const log = this.#subscriptions.get(answer.token);
    if (answer.kind !== "changes" || log?.state !== "asking") return;
    if (!answer.result.ok || answer.result.value.upTo <= log.cursor) return this.#rest(log);
    log.state = "idle";
    this.#send(log, answer.result.value.commits, answer.result.value.upTo);
  }

  /** Moves everyone on who can. */
  flush(): void {
    for (const log of this.#subscriptions.values()) if (log.state === "idle") this.#advance(log);
  }

  #advance(log: LogSubscription): void {
    if (this.#recent.covers(log.cursor)) {
      if (log.cursor >= this.#recent.to) return;
      const { commits, upTo } = this.#recent.after(log.cursor, SHARE_CHANGES_MAX);
      return this.#send(log, commits, upTo);
    }
    if (log.cursor >= this.#newest) return;
    log.state = "asking";
    this.#context.send(this.#store, {
      type: "query",
      from: this.#context.self,
      token: log.key,
      kind: "changes",
      ask: { after: log.cursor, limit: SHARE_CHANGES_MAX },
    });
  }

  #send(log: LogSubscription, commits: readonly FeedCommit[], upTo: number): void {
    const envelopes = changeEnvelopes(log.id, log.cursor, commits);
    log.cursor = upTo;
    if (envelopes.length === 0) return;
    log.state = "sent";
    this.#context.send(log.session, { type: "deliver", subscription: log.key, envelopes });
  }

  #rest(log: LogSubscription): void {
    log.state = "resting";
    this.#context.after(ASK_AGAIN_MS, { type: "ask_again", subscription: log.key });
  }
}
