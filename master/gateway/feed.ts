/**
 * The feed: tells clients what changes.
 *
 * Promise: `live` subscribers see the newest values, conflated; `log` subscribers see every change after a commit, in
 * order, none twice and none left out. No subscriber, however slow, costs memory or holds up another.
 * Not here: how a share reaches the client (client_session.ts), who makes the values (the cluster, the registrar).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../../shared/actor/actor.ts";
import { type Epoch, storeOf } from "../../shared/model/ids.ts";
import type { TreeLive } from "../../shared/model/live.ts";
import type { LiveEntry, Subscribe } from "../../shared/protocol/client_envelopes.ts";
import type { CloseName } from "../../shared/protocol/limits.ts";
import type { ClusterMessage } from "../cluster/messages.ts";
import type { RegistrarMessage } from "../experiments/messages.ts";
import { type Logs, NO_LOGS } from "../logs/logs.ts";
import type { QueryAnswer, StoreMessage } from "../store/messages.ts";
import { refusal } from "./connection.ts";
import { statusIn } from "./feed_status.ts";
import { LiveFeed } from "./live_feed.ts";
import { LogFeed } from "./log_feed.ts";
import type { FeedMessage, KnownMessage, ToClientSession } from "./messages.ts";
import { OutputFeed } from "./output_feed.ts";
import { Subscriptions, SUBSCRIPTIONS_PER_SESSION_MAX } from "./subscription.ts";

/** What the feed is given. */
export interface FeedOptions {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly registrar: Ref<RegistrarMessage>;
  /** What evaluators printed; without it nobody can read that. */
  readonly logs?: Logs | undefined;
  /** Looks at the supervision tree of this process. */
  readonly inspect?: () => TreeLive | undefined;
  /** Changes of recent commits that are kept in memory. */
  readonly recentChangesMax?: number;
}

/** Begins a feed: it attaches itself to the store, the cluster and the registrar. */
export function feed(options: FeedOptions): Start<FeedMessage> {
  return (context) => new Feed(context, options);
}

class Feed implements Actor<FeedMessage> {
  readonly #context: Context<FeedMessage>;
  readonly #options: FeedOptions;
  readonly #subscriptions = new Subscriptions();
  readonly #live: LiveFeed;
  readonly #log: LogFeed;
  readonly #output: OutputFeed;
  readonly #followers: Ref<KnownMessage>[] = [];
  /** Subscriptions that know of a later commit than we do: the store is asked. By token. */
  readonly #doubted = new Map<number, Subscribing>();
  #known: KnownMessage | undefined;
  #commit = 0;
  #nextDoubt = -1;
  #told: KnownMessage | undefined;

  constructor(context: Context<FeedMessage>, options: FeedOptions) {
    this.#context = context;
    this.#options = options;
    this.#live = new LiveFeed(context, options.inspect ?? (() => undefined));
    this.#log = new LogFeed(context, options.store, options.recentChangesMax);
    this.#output = new OutputFeed(context, options.store, options.logs ?? NO_LOGS);
    context.send(options.store, { type: "attach_feed", feed: context.self });
    context.send(options.cluster, { type: "attach_feed", feed: context.self });
    context.send(options.registrar, { type: "attach_feed", feed: context.self });
  }

  receive(message: FeedMessage): void {
    switch (message.type) {
      case "commits":
        this.#log.committed(message);
        this.#output.committed(message.changes);
        return this.#risen(message.commit);
      case "live":
        return this.#setLive(message.entries);
      case "subscribe":
        return this.#subscribe(message);
      case "unsubscribe":
        return this.#unsubscribe(message.session, message.id);
      case "more":
      case "output_came":
      case "output_waited":
        return this.#output.receive(message, this.#subscriptions);
      case "taken":
        this.#live.taken(message.subscription);
        return this.#log.ready(message.subscription, "sent");
      case "answer":
        return this.#answered(message);
      case "told":
        return this.#risen(message.commit);
      case "follow":
        return this.#follow(message.from);
      case "live_due":
        return this.#live.due();
      case "look_at_tree":
        return this.#live.treeDue();
      case "ask_again":
        return this.#log.ready(message.subscription, "resting");
      case "recovered":
      case "committed":
      case "backed_up":
      case "store_state":
        return;
    }
  }

  exited(session: Ref<never>): void {
    for (const { key } of this.#subscriptions.removeAll(session)) this.#close(key);
  }

  turnEnded(): void {
    if (this.#known === undefined) return;
    if (this.#known !== this.#told) {
      this.#told = this.#known;
      for (const follower of this.#followers) this.#context.send(follower, this.#known);
    }
    this.#log.flush();
    this.#live.flush(this.#known);
  }

  notes(): Readonly<Record<string, number>> {
    return { subscriptions: this.#subscriptions.size, commit: this.#known?.commit ?? 0 };
  }

  #setLive(entries: readonly LiveEntry[]): void {
    this.#live.set(entries);
    for (const entry of entries) {
      const status = statusIn(entry);
      if (status === undefined) continue;
      const { epoch, commit, store } = status;
      const trouble = store.state === "ready" ? "" : store.reason || store.state;
      if (this.#known?.epoch !== epoch || this.#known.trouble !== trouble) {
        this.#known = { type: "known", epoch, commit: this.#commit, trouble };
      }
      this.#risen(commit);
    }
  }

  /** Someone spoke of a commit. */
  #risen(commit: number): void {
    this.#log.risen(commit);
    this.#commit = Math.max(this.#commit, commit);
    if (this.#known === undefined || this.#known.commit === this.#commit) return;
    this.#known = { ...this.#known, commit: this.#commit };
  }

  #follow(from: Ref<KnownMessage>): void {
    this.#followers.push(from);
    if (this.#told !== undefined) this.#context.send(from, this.#told);
  }

  #subscribe(subscribing: Subscribing): void {
    const known = this.#known;
    if (known === undefined) {
      return this.#refuse(subscribing.session, "busy", "busy", "the master is starting");
    }
    const { seen } = subscribing.subscribe;
    if (seen !== null && !known.epoch.startsWith(`${storeOf(seen.epoch)}.`)) {
      const message = `the client knows another store, ${storeOf(seen.epoch)}`;
      return this.#refuse(
        subscribing.session,
        "store_lost",
        "store_lost",
        message,
        "seen.epoch",
        LOST_ADVICE,
      );
    }
    if (seen !== null && seen.epoch !== known.epoch) return this.#askEnd(seen.epoch, subscribing);
    this.#compare(subscribing, known);
  }

  #compare(subscribing: Subscribing, known: KnownMessage): void {
    const { seen, after } = subscribing.subscribe;
    const newest = Math.max(seen?.commit ?? 0, after ?? 0);
    if (newest > known.commit) this.#askWhether(newest, subscribing);
    else this.#open(subscribing, known);
  }

  /** A copy that was written to since may have as many commits as the client knows, and other ones. */
  #askEnd(epoch: Epoch, subscribing: Subscribing): void {
    const token = this.#doubt(subscribing);
    const { store } = this.#options;
    this.#context.send(store, {
      type: "query",
      from: this.#context.self,
      token,
      kind: "epoch_end",
      ask: { epoch },
    });
  }

  #doubt(subscribing: Subscribing): number {
    const token = this.#nextDoubt--;
    this.#doubted.set(token, subscribing);
    return token;
  }

  /** We may be behind, having started after it was told. Only the store knows that it is not there. */
  #askWhether(commit: number, subscribing: Subscribing): void {
    const token = this.#doubt(subscribing);
    this.#context.send(this.#options.store, {
      type: "query",
      from: this.#context.self,
      token,
      kind: "changes",
      ask: { after: commit - 1, limit: 1 },
    });
  }

  #answered(answer: QueryAnswer): void {
    const subscribing = this.#doubted.get(answer.token);
    if (subscribing === undefined) {
      return answer.kind === "outcome" ? this.#output.answered(answer) : this.#log.answered(answer);
    }
    this.#doubted.delete(answer.token);
    if (!answer.result.ok) {
      const message = `the store could not answer: ${answer.result.error.message}`;
      return this.#refuse(subscribing.session, "busy", "busy", message);
    }
    if (answer.kind === "epoch_end") this.#endIs(subscribing, answer.result.value);
    if (answer.kind === "changes") this.#storeEndsWith(subscribing, answer.result.value.upTo);
  }

  #endIs(subscribing: Subscribing, end: number | null): void {
    const { session, subscribe: { seen } } = subscribing;
    if (seen === null || this.#known === undefined) return;
    if (end !== null && seen.commit <= end) return this.#compare(subscribing, this.#known);
    const there = end === null ? "the store does not have it" : `the store ended it at commit ${end}`;
    const message = `the client knows commit ${seen.commit} of epoch ${seen.epoch}, and ${there}`;
    this.#refuse(session, "store_lost", "commit_unknown", message, "seen.commit", LOST_ADVICE);
  }

  #storeEndsWith(subscribing: Subscribing, upTo: number): void {
    const { session, subscribe } = subscribing;
    const newest = Math.max(subscribe.seen?.commit ?? 0, subscribe.after ?? 0);
    if (upTo >= newest && this.#known !== undefined) {
      this.#risen(newest);
      return this.#compare(subscribing, this.#known);
    }
    const message =
      `the client knows commit ${newest}, which is not there; the store ends with ${this.#commit}`;
    const path = subscribe.after === newest ? "after" : "seen.commit";
    this.#refuse(session, "store_lost", "commit_unknown", message, path, LOST_ADVICE);
  }

  #open({ session, subscribe }: Subscribing, known: KnownMessage): void {
    if (!this.#subscriptions.has(session)) this.#context.watch(session);
    const added = this.#subscriptions.add(session, subscribe.id);
    if (added === "exists") {
      const message = `this session has a subscription "${subscribe.id}"`;
      return this.#refuse(session, "malformed", "subscription_exists", message, "id", "unsubscribe it first");
    }
    if (added === "too_many") {
      const message = `this session has ${SUBSCRIPTIONS_PER_SESSION_MAX} subscriptions`;
      return this.#refuse(session, "malformed", "too_many", message, "", "unsubscribe what is not needed");
    }
    if (subscribe.output !== undefined) this.#output.open(added, subscribe.output);
    else if (subscribe.kind === "live") this.#live.open(added, known);
    else this.#log.open(added, subscribe.after ?? known.commit, known);
  }

  #unsubscribe(session: Ref<ToClientSession>, id: string): void {
    const removed = this.#subscriptions.remove(session, id);
    if (removed !== undefined) this.#close(removed.key);
  }

  #close(key: number): void {
    this.#live.close(key);
    this.#log.close(key);
    this.#output.close(key);
  }

  #refuse(
    session: Ref<ToClientSession>,
    name: CloseName,
    code: string,
    message: string,
    path = "",
    advice = "come again",
  ): void {
    this.#context.send(session, { type: "send", envelopes: [refusal(code, message, path, advice)] });
    this.#context.send(session, { type: "close", name, message: "" });
  }
}

/** A subscription that someone asks for. */
interface Subscribing {
  readonly session: Ref<ToClientSession>;
  readonly subscribe: Subscribe;
}

const LOST_ADVICE =
  "see whether an older copy of the store was restored; to begin anew, leave out `after` and `seen`";
