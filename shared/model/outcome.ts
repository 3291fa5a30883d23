/**
 * How attempts and tasks end.
 *
 * Promise: a failure is never a bad score; it has a cause and a message and no metrics.
 *
 * @module
 */

/** Measured values by name. All are finite. */
export type Metrics = Readonly<Record<string, number>>;

/** Why an attempt failed. */
export const FAILURE_CAUSES = ["evaluator", "deadline", "worker_lost", "crash"] as const;
export type FailureCause = typeof FAILURE_CAUSES[number];

/** Every way in which an attempt can end that is not an outcome by itself. */
export type AttemptEndCause =
  | FailureCause
  | "returned"
  | "cancelled"
  | "duplicate"
  | "never_received"
  | "restarted";

/** What the worker says of an attempt that has ended. */
export type AttemptEnd =
  | { readonly state: "completed"; readonly metrics: Metrics }
  | {
    readonly state: "failed";
    readonly cause: "evaluator" | "deadline";
    readonly message: string;
    readonly stack?: string | undefined;
    /** The evaluator says that another try would fail too. */
    readonly final: boolean;
  }
  /** It was told to cancel and has. */
  | { readonly state: "cancelled" }
  /** It was stopped because of its reports, by the master's word. */
  | { readonly state: "pruned"; readonly metrics: Metrics }
  /** Handed back, not finished: recalled, or the worker is leaving. Counts nowhere. */
  | { readonly state: "returned" };

/** How a task ended. */
export type Outcome =
  | { readonly state: "completed"; readonly metrics: Metrics }
  | {
    readonly state: "failed";
    readonly cause: FailureCause;
    readonly message: string;
    readonly stack?: string | undefined;
  }
  | { readonly state: "cancelled" }
  | { readonly state: "pruned"; readonly metrics: Metrics };

/** The states in which a task can end. */
export const OUTCOME_STATES = ["completed", "failed", "cancelled", "pruned"] as const;
export type OutcomeState = (typeof OUTCOME_STATES)[number];

/** What became of a result. */
export type Verdict = "recorded" | "superseded" | "unknown";
