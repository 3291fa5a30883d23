/**
 * Output subscriptions: what evaluators printed for a task, at the reader's pace.
 *
 * Promise: nothing is sent to a reader that has not asked for more, so that a slow one costs a share and no memory beyond
 * it.
 * Not here: what a reader is told next (output_following.ts), what is kept of an attempt (master/logs).
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { Change } from "../../shared/model/change.ts";
import type { OutputAsk } from "../../shared/protocol/client_envelopes.ts";
import type { Logs } from "../logs/logs.ts";
import type { QueryAnswer, StoreMessage } from "../store/messages.ts";
import type { FeedMessage } from "./messages.ts";
import { OutputFollowing } from "./output_following.ts";
import type { Subscription, Subscriptions } from "./subscription.ts";

/** What the feed is told of readers of output. */
export type OutputMessage = Extract<FeedMessage, { readonly type: "more" | "output_came" | "output_waited" }>;

/** Serves the output subscriptions of the feed. */
export class OutputFeed {
  readonly #context: Context<FeedMessage>;
  readonly #store: Ref<StoreMessage>;
  readonly #logs: Logs;
  readonly #followings = new Map<number, OutputFollowing>();

  constructor(context: Context<FeedMessage>, store: Ref<StoreMessage>, logs: Logs) {
    this.#context = context;
    this.#store = store;
    this.#logs = logs;
    context.atEnd(() => this.#followings.forEach((following) => following.release()));
  }

  open(subscription: Subscription, ask: OutputAsk): void {
    const { key, session, id } = subscription;
    const context = this.#context;
    const { self } = context;
    const following = new OutputFollowing(ask, this.#logs, {
      send: (share) => {
        const envelopes = [{ type: "output", subscription: id, ...share } as const];
        context.send(session, { type: "send", envelopes });
      },
      // What comes from outside is taken in a turn of the feed's own.
      come: (take) => context.send(self, { type: "output_came", subscription: key, take }),
      after: (delayMs) => void context.after(delayMs, { type: "output_waited", subscription: key }),
      over: () => this.close(key),
    });
    this.#followings.set(key, following);
    this.#askOutcome(key, ask);
  }

  close(key: number): void {
    this.#followings.get(key)?.release();
    this.#followings.delete(key);
  }

  /** @param subscriptions by which the name in `more` is known */
  receive(message: OutputMessage, subscriptions: Subscriptions): void {
    switch (message.type) {
      case "more": {
        const key = subscriptions.find(message.session, message.id)?.key;
        return key === undefined ? undefined : this.#followings.get(key)?.more();
      }
      case "output_came":
        return this.#followings.has(message.subscription) ? message.take() : undefined;
      case "output_waited":
        return this.#followings.get(message.subscription)?.waited();
    }
  }

  /** Which attempt an outcome is from, the store knows. */
  committed(changes: readonly Change[]): void {
    if (this.#followings.size === 0) return;
    const ended = new Set(changes.flatMap((change) => change.kind === "ended" ? [change.task] : []));
    if (ended.size === 0) return;
    for (const [key, { ask }] of this.#followings) if (ended.has(ask.task)) this.#askOutcome(key, ask);
  }

  /** The store's answer about a task. */
  answered(answer: QueryAnswer): void {
    if (answer.kind === "outcome") this.#followings.get(answer.token)?.outcomeIs(answer.result);
  }

  #askOutcome(key: number, { task }: OutputAsk): void {
    const from = this.#context.self;
    this.#context.send(this.#store, { type: "query", from, token: key, kind: "outcome", ask: { task } });
  }
}
