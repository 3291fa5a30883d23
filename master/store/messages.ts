/**
 * What the store's actor understands and answers.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { Change } from "../../shared/model/change.ts";
import type { Queries, Recovered, StoreChange, StoreResult, StoreVerdict } from "./store.ts";

/** What can be asked of the store's actor. Answers carry the asker's token. */
export type StoreMessage =
  | { readonly type: "recover"; readonly from: Ref<StoreAnswer>; readonly renew?: boolean }
  | {
    readonly type: "commit";
    readonly from: Ref<StoreAnswer>;
    readonly token: number;
    readonly changes: readonly StoreChange[];
  }
  | QueryMessage
  | {
    readonly type: "backup";
    readonly from: Ref<StoreAnswer>;
    readonly token: number;
    readonly path: string;
  }
  /** Tells `store_state` now and whenever it changes. */
  | { readonly type: "listen"; readonly from: Ref<StoreAnswer> }
  /** Tells `commits` after each commit that changed something. */
  | { readonly type: "attach_feed"; readonly feed: Ref<CommitsMessage> };

/** A question, its kind and its words matching. */
export type QueryMessage<Kind extends keyof Queries = keyof Queries> = {
  [K in Kind]: {
    readonly type: "query";
    readonly from: Ref<StoreAnswer>;
    readonly token: number;
    readonly kind: K;
    readonly ask: Queries[K]["ask"];
  };
}[Kind];

/** What the store's actor answers. */
export type StoreAnswer =
  | { readonly type: "recovered"; readonly recovered: Recovered }
  | {
    readonly type: "committed";
    readonly token: number;
    readonly commit: number;
    /** One for each change of the request, in order. */
    readonly verdicts: readonly StoreVerdict[];
  }
  | QueryAnswer
  | {
    readonly type: "backed_up";
    readonly token: number;
    readonly result: StoreResult<{ readonly bytes: number }>;
  }
  | {
    readonly type: "store_state";
    readonly state: "ready" | "degraded";
    readonly reason: string;
    /** Rows that are not durable yet. */
    readonly waitingChanges: number;
    /** More waits than should: new work from outside is to be refused until this is false again. */
    readonly isOverfull: boolean;
  };

/** The answer to a question. */
export type QueryAnswer<Kind extends keyof Queries = keyof Queries> = {
  [K in Kind]: {
    readonly type: "answer";
    readonly token: number;
    readonly kind: K;
    readonly result: StoreResult<Queries[K]["answer"]>;
  };
}[Kind];

/** What a commit changed, for the feed: in the order of commits, without gap. */
export interface CommitsMessage {
  readonly type: "commits";
  readonly commit: number;
  readonly changes: readonly Change[];
}
