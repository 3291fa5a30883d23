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
import { storeOf } from "../../shared/model/ids.ts";
import { STATUS_KEY, type TreeLive } from "../../shared/model/live.ts";
import type { LiveEntry, Subscribe } from "../../shared/protocol/client_envelopes.ts";
import type { CloseName } from "../../shared/protocol/limits.ts";
import type { ClusterMessage } from "../cluster/messages.ts";
import type { RegistrarMessage } from "../experiments/messages.ts";
import type { StoreMessage } from "../store/messages.ts";
import { refusal } from "./connection.ts";
import { LiveFeed } from "./live_feed.ts";
import { LogFeed } from "./log_feed.ts";
import type { FeedMessage, KnownMessage, ToClientSession } from "./messages.ts";
import { Subscriptions, SUBSCRIPTIONS_PER_SESSION_MAX } from "./subscription.ts";

/** What the feed is given. */
export interface FeedOptions {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly registrar: Ref<RegistrarMessage>;
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
  readonly #subscriptions = new Subscriptions();
  readonly #live: LiveFeed;
  readonly #log: LogFeed;
  readonly #followers: Ref<KnownMessage>[] = [];
  #epoch: string | undefined;
  #commit = 0;
  #known: KnownMessage | undefined;
  #told: KnownMessage | undefined;

  constructor(context: Context<FeedMessage>, options: FeedOptions) {
    this.#context = context;
    this.#live = new LiveFeed(context, options.inspect ?? (() => undefined));
    this.#log = new LogFeed(context, options.store, options.recentChangesMax);
    context.send(options.store, { type: "attach_feed", feed: context.self });
    context.send(options.cluster, { type: "attach_feed", feed: context.self });
    context.send(options.registrar, { type: "attach_feed", feed: context.self });
  }

  receive(message: FeedMessage): void {
    switch (message.type) {
      case "commits":
        this.#log.committed(message);
        return this.#risen(message.commit);
      case "live":
        return this.#setLive(message.entries);
      case "subscribe":
        return this.#subscribe(message.session, message.subscribe);
      case "unsubscribe":
        return this.#unsubscribe(message.session, message.id);
      case "taken":
        this.#live.taken(message.subscription);
        return this.#log.ready(message.subscription, "sent");
      case "answer":
        return this.#log.answered(message);
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
      if (entry.topic !== "status" || entry.key !== STATUS_KEY) continue;
      const status = epochAndCommit(entry.value);
      if (status === undefined) continue;
      this.#epoch = status.epoch;
      this.#risen(status.commit);
    }
  }

  /** Someone spoke of a commit. */
  #risen(commit: number): void {
    this.#log.risen(commit);
    this.#commit = Math.max(this.#commit, commit);
    if (this.#epoch === undefined) return;
    if (this.#known?.epoch === this.#epoch && this.#known.commit === this.#commit) return;
    this.#known = { type: "known", epoch: this.#epoch, commit: this.#commit };
  }

  #follow(from: Ref<KnownMessage>): void {
    this.#followers.push(from);
    if (this.#told !== undefined) this.#context.send(from, this.#told);
  }

  #subscribe(session: Ref<ToClientSession>, subscribe: Subscribe): void {
    const known = this.#known;
    if (known === undefined) {
      return this.#refuse(session, "busy", "busy", "the master is starting", "", "come again");
    }
    const loss = lossOf(subscribe, known);
    if (loss !== undefined) {
      const advice =
        "see whether an older copy of the store was restored; then begin anew, without `after` and `seen`";
      return this.#refuse(session, "store_lost", "commit_unknown", loss.message, loss.path, advice);
    }
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
    if (subscribe.kind === "live") this.#live.open(added, known);
    else this.#log.open(added, subscribe.after ?? known.commit, known);
  }

  #unsubscribe(session: Ref<ToClientSession>, id: string): void {
    const removed = this.#subscriptions.remove(session, id);
    if (removed !== undefined) this.#close(removed.key);
  }

  #close(key: number): void {
    this.#live.close(key);
    this.#log.close(key);
  }

  #refuse(
    session: Ref<ToClientSession>,
    name: CloseName,
    code: string,
    message: string,
    path: string,
    advice: string,
  ): void {
    this.#context.send(session, { type: "send", envelopes: [refusal(code, message, path, advice)] });
    this.#context.send(session, { type: "close", name, message: "" });
  }
}

/** What the subscriber was told and this store does not have. */
function lossOf(
  subscribe: Subscribe,
  known: KnownMessage,
): { readonly message: string; readonly path: string } | undefined {
  const { seen, after } = subscribe;
  if (seen !== null && !known.epoch.startsWith(`${storeOf(seen.epoch)}.`)) {
    return { message: `the client knows another store (${storeOf(seen.epoch)})`, path: "seen.epoch" };
  }
  if (seen !== null && seen.commit > known.commit) {
    return {
      message: `the client was told of commit ${seen.commit}, the store ends with ${known.commit}`,
      path: "seen.commit",
    };
  }
  if (after !== null && after > known.commit) {
    return { message: `commit ${after} is not there, the store ends with ${known.commit}`, path: "after" };
  }
  return undefined;
}

/** Reads the epoch and the commit from the value of the entry `status`. */
function epochAndCommit(
  value: unknown,
): { readonly epoch: string; readonly commit: number } | undefined {
  if (typeof value !== "object" || value === null || !("epoch" in value) || !("commit" in value)) {
    return undefined;
  }
  const { epoch, commit } = value;
  return typeof epoch === "string" && typeof commit === "number" ? { epoch, commit } : undefined;
}
