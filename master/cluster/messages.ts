/**
 * What the cluster understands, and what it says to those around it.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { CommandId, GroupId, TaskId, WorkerId } from "../../shared/model/ids.ts";
import type { Metrics, Outcome } from "../../shared/model/outcome.ts";
import type { TaskTemplate } from "../../shared/model/task.ts";
import type { CommandError, LiveEntry } from "../../shared/protocol/client_envelopes.ts";
import type { CloseName } from "../../shared/protocol/limits.ts";
import type { FromWorker, Register, ToWorker } from "../../shared/protocol/worker_envelopes.ts";
import type { StoreAnswer, StoreMessage } from "../store/messages.ts";
import type { StoreChange, TrialRow } from "../store/store.ts";

/** What became of a command. */
export type CommandReply =
  | { readonly ok: true; readonly value: unknown; readonly commit: number }
  | { readonly ok: false; readonly error: CommandError };

/** How an experiment stands, as its registrar knows it. */
export interface Standing {
  readonly state: string;
  /** Why it is in this state, or why nothing of it runs. */
  readonly reason: string;
}

/** Tells whoever forwarded a command what became of it. */
export interface CommandAnswered {
  readonly type: "command_answered";
  readonly token: number;
  readonly reply: CommandReply;
}

/** Where the answer to a forwarded command goes. */
export interface Asker {
  readonly from: Ref<CommandAnswered>;
  readonly token: number;
}

/** What the cluster says to a worker's session actor. */
export type ToWorkerSession =
  | { readonly type: "send"; readonly envelopes: readonly ToWorker[] }
  /** Says `refused` with this text where there is one, then closes. */
  | { readonly type: "close"; readonly name: CloseName; readonly message: string };

/** What sessions, clients and experiments say to the cluster. */
export type ClusterMessage =
  | StoreAnswer
  // A worker's session: `joined` first, then `said`, then `left` once.
  | { readonly type: "worker_joined"; readonly session: Ref<ToWorkerSession>; readonly register: Register }
  | {
    readonly type: "worker_said";
    readonly session: Ref<ToWorkerSession>;
    readonly envelopes: readonly Exclude<FromWorker, Register>[];
  }
  | { readonly type: "worker_left"; readonly session: Ref<ToWorkerSession>; readonly reason: string }
  // Commands.
  | ({
    readonly type: "submit";
    readonly id: CommandId;
    readonly name: string;
    readonly template: TaskTemplate;
    readonly payloads: readonly Uint8Array[];
  } & Asker)
  | ({
    readonly type: "cancel";
    readonly id: CommandId;
    readonly group: GroupId;
    /** One task, or null for all of the group. */
    readonly number: number | null;
  } & Asker)
  | ({ readonly type: "stop_worker"; readonly target: string; readonly graceMs: number } & Asker)
  | ({ readonly type: "list_workers" } & Asker)
  | ({ readonly type: "explain"; readonly task: TaskId } & Asker)
  // Experiments.
  | SourceToCluster
  // The feed; the registrar, who is told `recovered` as soon as it is known.
  | { readonly type: "attach_feed"; readonly feed: Ref<LiveMessage> }
  | { readonly type: "attach_registrar"; readonly registrar: Ref<StoreAnswer> }
  // Its own timers.
  | ClusterTimer;

/** The cluster's timers. */
export type ClusterTimer =
  | { readonly type: "tick" }
  | { readonly type: "rival_silent"; readonly worker: WorkerId; readonly session: number }
  | { readonly type: "retry_due"; readonly task: TaskId };

/** An experiment, as the cluster sees it: something that can be asked for tasks. */
export type SourceToCluster =
  | {
    readonly type: "source_opened";
    readonly source: Ref<ClusterToSource>;
    readonly group: GroupId;
    readonly template: TaskTemplate;
    readonly minWorkers: number;
    /** So many of its trials may be open at once; null where there is no limit but the slots. */
    readonly maxConcurrent: number | null;
  }
  /** Answers `wanted`: so many of the asked for; the rest is declined. */
  | {
    readonly type: "source_submits";
    readonly group: GroupId;
    /** The number of the first; the others follow. */
    readonly first: number;
    readonly payloads: readonly Uint8Array[];
    readonly trials: readonly TrialRow[];
  }
  /** Answers `wanted`: not so many; asks again after the next outcome, or after `source_wants`. */
  | { readonly type: "source_declines"; readonly group: GroupId; readonly count: number }
  /** It would take an offer again. */
  | { readonly type: "source_wants"; readonly group: GroupId }
  /** One of its trials is to end for what it has reported: it is told `ended`, as pruned or as completed before that. */
  | { readonly type: "source_prunes"; readonly group: GroupId; readonly number: number }
  /**
   * It proposes no more. Its open tasks are cancelled where it says so, in one request with the changes that say why;
   * `source_gone` answers when they are durable.
   */
  | {
    readonly type: "source_closed";
    readonly group: GroupId;
    readonly cancelOpen: boolean;
    readonly changes: readonly StoreChange[];
  };

/** What the cluster says to an experiment. */
export type ClusterToSource =
  /** So many slots are free for it now: it answers with `source_submits` and `source_declines`. */
  | { readonly type: "wanted"; readonly count: number }
  /** Answers `source_closed` that came with changes: they are durable, and what was open is cancelled. */
  | { readonly type: "source_gone"; readonly commit: number }
  /** Answers `source_opened`: the tasks of the group that have no outcome. Its history in the store is complete. */
  | { readonly type: "source_accepted"; readonly open: readonly number[] }
  /** A task has its outcome, and it is durable. In the order of commits. */
  | {
    readonly type: "ended";
    readonly number: number;
    readonly outcome: Outcome;
    readonly attempts: number;
    readonly elapsedMs: number;
    readonly atMs: number;
  }
  /** An attempt failed by its evaluator's fault; the task may be tried again. */
  | { readonly type: "attempt_failed"; readonly number: number; readonly message: string }
  | {
    readonly type: "reported";
    readonly number: number;
    readonly step: number;
    readonly metrics: Metrics;
  }
  /** Why nothing is offered to it, in a sentence; empty where nothing stands in the way. */
  | { readonly type: "waiting"; readonly reason: string };

/** A live value for the feed; null where it is gone. */
export interface LiveMessage {
  readonly type: "live";
  readonly entries: readonly LiveEntry[];
}

/** What the cluster is given. */
export interface ClusterOptions {
  /** The store's actor. */
  readonly store: Ref<StoreMessage>;
  readonly heartbeatMs: number;
  readonly lostAfterMs: number;
  /** 0 switches prefetching off. */
  readonly prefetchMax: number;
  /** Goes on, as a new store, although the store lacks what peers were told. */
  readonly acceptLoss: boolean;
  /** Called where the store is an older copy, and that is not accepted. */
  readonly isOlderCopy?: (() => void) | undefined;
}
