/**
 * A feed with a store, a cluster and subscribers that behave as a test has it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { RegistrarMessage } from "../../../master/experiments/messages.ts";
import { feed, type FeedOptions } from "../../../master/gateway/feed.ts";
import type { FeedMessage, ToClientSession } from "../../../master/gateway/messages.ts";
import type { FeedCommit } from "../../../master/gateway/recent_commits.ts";
import type { CommitsMessage, StoreMessage } from "../../../master/store/messages.ts";
import type { Ref } from "../../../shared/actor/actor.ts";
import type { Change } from "../../../shared/model/change.ts";
import type {
  ChangeEnvelope,
  LiveEntry,
  Snapshot,
  Subscribe,
} from "../../../shared/protocol/client_envelopes.ts";
import type { Refused } from "../../../shared/protocol/worker_envelopes.ts";
import { EPOCH, GROUP, type Heard, World } from "./rig.ts";

/** How a store behaves. */
export interface StoreHabits {
  /** How long a query takes, each time. */
  readonly delayMs?: () => number;
  readonly fails?: () => boolean;
}

/** A subscriber's session, and what it has got. */
export interface Subscriber {
  readonly session: Heard<ToClientSession>;
  readonly snapshots: Snapshot[];
  readonly changes: ChangeEnvelope[];
  readonly refused: Refused[];
  /** Shares that it has not taken. */
  readonly waiting: number[];
  take(): void;
}

/** A feed in its surroundings. */
export class FeedRig {
  readonly world: World;
  readonly feed: Ref<FeedMessage>;
  readonly commits: FeedCommit[] = [];
  queries = 0;
  /** The last commit, also where it changed nothing that the feed shows. */
  commit = 0;
  readonly #habits: StoreHabits;
  readonly #feeds: Ref<CommitsMessage>[] = [];

  /** @param earlier commits that were made before this feed began */
  constructor(options: Partial<FeedOptions> = {}, habits: StoreHabits = {}, seed = "feed", earlier = 0) {
    this.world = new World(seed);
    this.#habits = habits;
    for (let index = 0; index < earlier; index++) this.committed(1);
    const cluster = this.world.listener<ClusterMessage>("cluster");
    const registrar = this.world.listener<RegistrarMessage>("registrar");
    const store = this.world.listener<StoreMessage>("store", (message) => this.#store(message));
    this.feed = this.world.spawn(
      "feed",
      feed({ store: store.ref, cluster: cluster.ref, registrar: registrar.ref, ...options }),
    );
    this.world.settle();
  }

  /** The cluster's word of the epoch and the commit. */
  status(): void {
    const value = { epoch: EPOCH, commit: this.commit, store: { state: "ready", reason: "" } };
    this.live([{ topic: "status", key: "status", value }]);
  }

  live(entries: readonly LiveEntry[]): void {
    this.world.post(this.feed, { type: "live", entries });
  }

  /** Something becomes durable. */
  committed(changes: number): void {
    this.commit += 1;
    const committed = { commit: this.commit, changes: numbered(this.commit, changes) };
    if (changes > 0) this.commits.push(committed);
    for (const each of this.#feeds) this.world.post(each, { type: "commits", ...committed });
  }

  /** A session; `takes` where it answers each share at once. */
  session(name: string, takes = true): Subscriber {
    const snapshots: Snapshot[] = [];
    const changes: ChangeEnvelope[] = [];
    const refused: Refused[] = [];
    const waiting: number[] = [];
    const take = () => {
      for (const subscription of waiting.splice(0)) {
        this.world.post(this.feed, { type: "taken", subscription });
      }
    };
    const session = this.world.listener<ToClientSession>(name, (message) => {
      if (message.type === "close") return;
      for (const envelope of message.envelopes) {
        if (envelope.type === "snapshot") snapshots.push(envelope);
        else if (envelope.type === "change") changes.push(envelope);
        else if (envelope.type === "refused") refused.push(envelope);
      }
      if (message.type !== "deliver") return;
      assert.equal(
        waiting.includes(message.subscription),
        false,
        "a second share before the first was taken",
      );
      waiting.push(message.subscription);
      if (takes) take();
    });
    return { session, snapshots, changes, refused, waiting, take };
  }

  subscribe(subscriber: Subscriber, kind: "live" | "log", words: Partial<Subscribe> = {}): void {
    const subscribe: Subscribe = { type: "subscribe", id: "s", kind, after: null, seen: null, ...words };
    this.world.post(this.feed, { type: "subscribe", session: subscriber.session.ref, subscribe });
  }

  #store(message: StoreMessage): void {
    if (message.type === "attach_feed") this.#feeds.push(message.feed);
    if (message.type !== "query" || message.kind !== "changes") return;
    this.queries += 1;
    const { from, token, kind, ask } = message;
    const answer = () => {
      if (this.#habits.fails?.() === true) {
        const error = { kind: "fault", message: "" } as const;
        return this.world.post(from, { type: "answer", token, kind, result: { ok: false, error } });
      }
      const value = this.#page(ask.after, ask.limit);
      this.world.post(from, { type: "answer", token, kind, result: { ok: true, value } });
    };
    const delayMs = this.#habits.delayMs?.() ?? 0;
    if (delayMs === 0) answer();
    else this.world.loop.timer(delayMs, answer);
  }

  #page(after: number, limit: number): { readonly commits: readonly FeedCommit[]; readonly upTo: number } {
    const commits: FeedCommit[] = [];
    let changes = 0;
    for (const each of this.commits) {
      if (each.commit <= after) continue;
      commits.push(each);
      changes += each.changes.length;
      if (changes >= limit) return { commits, upTo: each.commit };
    }
    return { commits, upTo: Math.max(after, this.commit) };
  }
}

/** Changes that can be told apart. */
export function numbered(commit: number, count: number): readonly Change[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: "submitted",
    group: GROUP,
    first: commit * 1_000_000 + index,
    count: 1,
  }));
}

/** What a subscriber was told, in order. */
export function marks(changes: readonly Change[]): number[] {
  return changes.map((change) => change.kind === "submitted" ? change.first : -1);
}
