/**
 * The store's actor: group commit, retries, and who may go on.
 *
 * Promise: requests become durable in the order in which they came; all of one turn share one transaction, and whatever
 * comes while it runs shares the next; a batch that failed is kept and applied again until it is durable. An answer is
 * sent after the commit that it rests on.
 * Not here: what a commit does (the stores), when new work is refused (the cluster, told by `store_state`).
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, Start } from "../../shared/actor/actor.ts";
import type { Epoch } from "../../shared/model/ids.ts";
import { changesOf } from "./changes_of.ts";
import { type Batch, CommitQueue, type RecoverRequest } from "./commit_queue.ts";
import type { CommitsMessage, QueryAnswer, QueryMessage, StoreAnswer, StoreMessage } from "./messages.ts";
import type { Committed, Queries, Recovered, Store, StoreError, StoreResult } from "./store.ts";

/** The wait before a failed batch is applied again; doubled for each further failure up to the maximum. */
export const RETRY_MIN_MS = 100;
/** The longest wait before a failed batch is applied again. */
export const RETRY_MAX_MS = 5_000;

/** What the actor stands on. */
export interface StoreActorOptions {
  readonly store: Store;
  /** The way in for the store's answers, which come from outside the actors: `system.post`. */
  readonly post: <M>(to: Ref<M>, message: M) => void;
  /** The process must end: another master holds the store, or it cannot be opened or let go. */
  readonly fatal: (reason: string) => void;
}

/** Requests, and what the store answers. */
export type StoreActorMessage =
  | StoreMessage
  | { readonly type: "opened"; readonly result: StoreResult<Recovered> }
  | { readonly type: "applied"; readonly result: StoreResult<Committed> }
  | { readonly type: "closed"; readonly result: StoreResult<null> }
  /** Passes this mailbox so that no answer overtakes an earlier one. */
  | { readonly type: "deliver"; readonly to: Ref<StoreAnswer>; readonly answer: StoreAnswer }
  | { readonly type: "try_again" };

/** The actor of a store. */
export function storeActor(options: StoreActorOptions): Start<StoreActorMessage> {
  return (context) => new StoreActor(context, options);
}

class StoreActor implements Actor<StoreActorMessage> {
  readonly #context: Context<StoreActorMessage>;
  readonly #options: StoreActorOptions;
  readonly #queue = new CommitQueue();
  readonly #listeners = new Map<number, Ref<StoreAnswer>>();
  #feed: Ref<CommitsMessage> | undefined;
  /** Absent until the first recovery. */
  #epoch: Epoch | undefined;
  /** What the store does now, or what it failed to do and does again. */
  #work: Batch | RecoverRequest | undefined;
  #state: "idle" | "busy" | "backing_off" | "closing" = "idle";
  #failures = 0;
  #fault = "";
  #wasOverfull = false;
  #isStopping = false;

  constructor(context: Context<StoreActorMessage>, options: StoreActorOptions) {
    this.#context = context;
    this.#options = options;
  }

  receive(message: StoreActorMessage): void {
    switch (message.type) {
      case "commit":
      case "recover":
        return this.#queue.push(message);
      case "query":
        return this.#query(message);
      case "backup":
        return this.#backup(message.from, message.token, message.path);
      case "listen":
        return this.#listen(message.from);
      case "attach_feed":
        this.#feed = message.feed;
        return;
      case "opened":
        return this.#opened(message.result);
      case "applied":
        return this.#applied(message.result);
      case "closed":
        return this.#closed(message.result);
      case "deliver":
        return this.#context.send(message.to, message.answer);
      case "try_again":
        this.#state = "idle";
        return;
    }
  }

  exited(actor: Ref<never>, _reason: ExitReason): void {
    this.#listeners.delete(actor.id);
  }

  turnEnded(): void {
    this.#next();
    if (this.#queue.isOverfull !== this.#wasOverfull) this.#tellState();
  }

  stopping(_deadlineMs: number): "now" | "later" {
    this.#isStopping = true;
    return "later";
  }

  #next(): void {
    if (this.#state !== "idle") return;
    this.#work ??= this.#takeWork();
    if (this.#work !== undefined) return this.#start(this.#work);
    if (this.#isStopping) this.#close();
  }

  #takeWork(): Batch | RecoverRequest | undefined {
    const work = this.#queue.take();
    // A batch cannot come before the first recovery: who commits has an epoch.
    if (work?.type === "batch" && this.#epoch === undefined) {
      throw new Error("a commit was asked for before the store was recovered");
    }
    return work;
  }

  #start(work: Batch | RecoverRequest): void {
    this.#state = "busy";
    const { store } = this.#options;
    if (work.type === "recover") {
      store.open((result) => this.#post({ type: "opened", result }), { renew: work.renew ?? false });
    } else if (this.#epoch !== undefined) {
      store.commit(this.#epoch, work.changes, (result) => this.#post({ type: "applied", result }));
    }
  }

  #opened(result: StoreResult<Recovered>): void {
    if (!result.ok) return this.#failed(result.error);
    const work = this.#work;
    this.#epoch = result.value.epoch;
    this.#succeeded();
    if (work?.type === "recover") {
      this.#context.send(work.from, { type: "recovered", recovered: result.value });
    }
  }

  #applied(result: StoreResult<Committed>): void {
    if (!result.ok) return this.#failed(result.error);
    const work = this.#work;
    if (work?.type === "batch") {
      this.#queue.settle(work);
      this.#answer(work, result.value);
      this.#tellFeed(work, result.value);
    }
    this.#succeeded();
  }

  #answer(batch: Batch, { commit, verdicts }: Committed): void {
    let from = 0;
    for (const request of batch.requests) {
      const to = from + request.changes.length;
      const own = batch.requests.length === 1 ? verdicts : verdicts.slice(from, to);
      this.#context.send(request.from, { type: "committed", token: request.token, commit, verdicts: own });
      from = to;
    }
  }

  #tellFeed(batch: Batch, { commit, verdicts }: Committed): void {
    if (this.#feed === undefined) return;
    const changes = batch.changes.flatMap((change, index) => {
      const verdict = verdicts[index];
      return verdict === undefined ? [] : changesOf(change, verdict);
    });
    if (changes.length > 0) this.#context.send(this.#feed, { type: "commits", commit, changes });
  }

  #succeeded(): void {
    this.#work = undefined;
    this.#state = "idle";
    const wasDegraded = this.#failures > 0;
    this.#failures = 0;
    this.#fault = "";
    if (!wasDegraded) return;
    this.#context.log("info", "the store works again");
    this.#tellState();
  }

  #failed(error: StoreError): void {
    if (error.kind !== "fault") return this.#giveUp(error.kind, error.message);
    this.#failures += 1;
    this.#state = "backing_off";
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.#failures - 1));
    this.#context.after(delayMs * (0.5 + this.#context.random.next() / 2), { type: "try_again" });
    if (this.#fault === error.message) return;
    this.#fault = error.message;
    this.#context.log("error", `the store fails, its work is kept and tried again: ${error.message}`);
    this.#tellState();
  }

  #giveUp(kind: string, reason: string): void {
    this.#options.fatal(reason);
    throw new Error(`store ${kind}: ${reason}`);
  }

  #query<K extends keyof Queries>(message: QueryMessage<K>): void {
    const { from, token, kind } = message;
    this.#options.store.query<K>(kind, message.ask, (result) => {
      const answer: QueryAnswer<K> = { type: "answer", token, kind, result };
      // The compiler does not see that one of the kinds is among all of them.
      this.#post({ type: "deliver", to: from, answer: answer as QueryAnswer });
    });
  }

  #backup(from: Ref<StoreAnswer>, token: number, path: string): void {
    this.#options.store.backup(path, (result) => {
      this.#post({ type: "deliver", to: from, answer: { type: "backed_up", token, result } });
    });
  }

  #listen(listener: Ref<StoreAnswer>): void {
    this.#listeners.set(listener.id, listener);
    this.#context.watch(listener);
    this.#context.send(listener, this.#stateNow());
  }

  #tellState(): void {
    this.#wasOverfull = this.#queue.isOverfull;
    for (const listener of this.#listeners.values()) this.#context.send(listener, this.#stateNow());
  }

  #stateNow(): StoreAnswer {
    return {
      type: "store_state",
      state: this.#failures > 0 ? "degraded" : "ready",
      reason: this.#fault,
      waitingChanges: this.#queue.rows,
      isOverfull: this.#queue.isOverfull,
    };
  }

  #close(): void {
    this.#state = "closing";
    this.#options.store.close((result) => this.#post({ type: "closed", result }));
  }

  #closed(result: StoreResult<null>): void {
    // Nobody knows whether the old thread still writes: a second one beside it must never be.
    if (!result.ok) return this.#giveUp("not closed", result.error.message);
    this.#context.exit();
  }

  #post(message: StoreActorMessage): void {
    this.#options.post(this.#context.self, message);
  }
}
