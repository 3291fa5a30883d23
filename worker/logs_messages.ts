/**
 * What the logs of a worker understand.
 *
 * @module
 */
import type { Ref } from "../shared/actor/actor.ts";
import type { Lease } from "../shared/model/task.ts";
import type { Log, Logged } from "../shared/protocol/worker_envelopes.ts";

/** Where to say what attempts print, as long as the session lasts. */
export interface LogSession {
  readonly link: Ref<SayLogs>;
  readonly number: number;
}

/** To be said to the master, where `session` still is the session. */
export interface SayLogs {
  readonly type: "say_logs";
  readonly session: number;
  readonly logs: readonly Log[];
}

/** Tells whoever is above that there is someone to tell. */
export interface LogsStarted {
  readonly type: "logs_started";
  readonly logs: Ref<LogsMessage>;
}

/** What the logs understand. */
export type LogsMessage =
  /** An evaluator printed. The offset counts all that it printed on this stream before. */
  | {
    readonly type: "printed";
    readonly lease: Lease;
    readonly key: string;
    readonly stream: Log["stream"];
    readonly offset: number;
    readonly data: Uint8Array;
  }
  /** An attempt that printed something has ended. */
  | { readonly type: "over"; readonly key: string }
  /** The master has welcomed this worker. */
  | { readonly type: "log_session"; readonly session: LogSession }
  | { readonly type: "session_over"; readonly number: number }
  | { readonly type: "logged"; readonly logged: readonly Logged[] }
  /** Its timer. */
  | { readonly type: "say_due" };
