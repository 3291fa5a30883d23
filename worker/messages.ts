/**
 * What the worker's actors say to each other.
 *
 * What was said in one frame or one turn travels between them as one message with a list: an empty task costs less than
 * a message to each of them would.
 *
 * @module
 */
import type { Ref } from "../shared/actor/actor.ts";
import type { DeviceTrouble } from "../shared/model/devices.ts";
import type { AttemptEnd } from "../shared/model/outcome.ts";
import type { Lease } from "../shared/model/task.ts";
import type { SocketEvent } from "../shared/protocol/socket_port.ts";
import type {
  Acknowledge,
  HeldLease,
  Report,
  Result,
  Taken,
  ToWorker,
  WorkerVitals,
} from "../shared/protocol/worker_envelopes.ts";
import type { ExecutorEvent } from "./executors/executor.ts";
import type { LogsStarted, SayLogs } from "./logs_messages.ts";
import type { Measured } from "./outbox_reports.ts";

/** Leave: begin nothing more, give running attempts so long to finish, hand back the rest. */
export interface StopWorker {
  readonly type: "stop";
  readonly graceMs: number;
  readonly reason: string;
}

/** What the root of the tree understands. */
export type WorkerMessage =
  | StopWorker
  /** After a stop: nothing runs any more, and every result is acknowledged or has been waited for. */
  | { readonly type: "drained"; readonly unacknowledged: number }
  /** The master wants no worker like this one: a person must act. */
  | { readonly type: "leave"; readonly code: number; readonly message: string };

/** What the link understands. */
export type LinkMessage =
  | { readonly type: "socket"; readonly session: number; readonly event: SocketEvent }
  /** Answers `attach`: all leases that this worker has, and what has to be said about them, in order. */
  | {
    readonly type: "attached";
    readonly session: number;
    readonly leases: readonly HeldLease[];
    readonly envelopes: readonly (Report | Result)[];
  }
  /** To be said to the master, where `session` still is the session. */
  | {
    readonly type: "say";
    readonly session: number;
    readonly envelopes: readonly (Report | Result)[];
  }
  | { readonly type: "load"; readonly running: number; readonly queued: number }
  | {
    readonly type: "vitals";
    readonly vitals: WorkerVitals;
    readonly devicesOut: readonly DeviceTrouble[];
  }
  /** Time to see whether nothing ran for long. */
  | { readonly type: "idle_due" }
  | SayLogs
  | LogsStarted
  | StopWorker
  | LinkTimer;

/** The link's timers; those of an earlier session mean nothing. */
export interface LinkTimer {
  readonly type: "dial" | "dial_timeout" | "welcome_timeout" | "heartbeat_due" | "silence_due";
  readonly session: number;
}

/** What the master orders a worker to do with leases. */
export type Order = Extract<ToWorker, { readonly type: "assign" | "recall" | "cancel" }>;

/** What the slots understand. */
export type SlotsMessage =
  /** A session begins: passed on to the outbox with the leases that have no result yet. */
  | { readonly type: "attach"; readonly link: Ref<LinkMessage>; readonly session: number }
  | { readonly type: "orders"; readonly orders: readonly Order[] }
  /** The master does not keep these. */
  | { readonly type: "not_kept"; readonly leases: readonly Lease[] }
  /** These results need no more care. */
  | { readonly type: "settled"; readonly keys: readonly string[] }
  /** Results from an earlier life that wait in the outbox. */
  | { readonly type: "waiting"; readonly keys: readonly string[] }
  /** These devices, and no others, are out of service. */
  | { readonly type: "devices_out"; readonly out: readonly DeviceTrouble[] }
  | LogsStarted
  | StopWorker
  | {
    readonly type: "attempt_over";
    readonly key: string;
    readonly end: AttemptEnd;
    readonly elapsedMs: number;
  }
  /** Nothing of the evaluator is alive any more. */
  | { readonly type: "evaluator_ended"; readonly key: string }
  | { readonly type: "go_on" }
  | { readonly type: "grace_over" };

/** A result and its lease as a key. */
export interface Finished {
  readonly key: string;
  readonly result: Result;
}

/** What an attempt measured, in order. */
export interface MeasuredOf {
  readonly lease: Lease;
  readonly reports: readonly Measured[];
}

/** What the outbox understands. */
export type OutboxMessage =
  | { readonly type: "slots_started"; readonly slots: Ref<SlotsMessage> }
  | {
    readonly type: "attach";
    readonly link: Ref<LinkMessage>;
    readonly session: number;
    readonly held: readonly HeldLease[];
  }
  | { readonly type: "detached"; readonly session: number }
  | { readonly type: "results"; readonly finished: readonly Finished[] }
  | { readonly type: "reports"; readonly measured: MeasuredOf }
  | { readonly type: "taken"; readonly taken: readonly Taken[] }
  | { readonly type: "acknowledged"; readonly acknowledges: readonly Acknowledge[] }
  /** After a stop: no attempt is left, and their results have been sent here. */
  | { readonly type: "slots_empty" }
  | { readonly type: "waited_enough" };

/** What an attempt's actor understands. */
export type AttemptMessage =
  | ExecutorEvent
  | { readonly type: "stop"; readonly why: StopCause; readonly graceMs: number }
  | { readonly type: "deadline" };

/** Why an attempt is stopped before its evaluator has ended. */
export type StopCause = "cancelled" | "pruned" | "deadline" | "returned";
