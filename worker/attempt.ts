/**
 * One attempt whose evaluator is at work: its deadline, its reports, its end.
 *
 * Promise: tells the slots one end, when nothing of the evaluator is alive any more; however this actor ends, the
 * evaluator is stopped.
 * Not here: which attempt runs when, and what it is given (slots.ts).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../shared/actor/actor.ts";
import type { AttemptEnd, Metrics } from "../shared/model/outcome.ts";
import type { Lease } from "../shared/model/task.ts";
import { evaluatorFailed, fitEnd, metricsProblem } from "./attempt_end.ts";
import type { ExecutorEvent, Running } from "./executors/executor.ts";
import type { AttemptMessage, OutboxMessage, SlotsMessage, StopCause } from "./messages.ts";
import type { Measured } from "./outbox_reports.ts";

/** What an attempt is given. */
export interface AttemptOptions {
  readonly key: string;
  readonly lease: Lease;
  readonly running: Running;
  /** When the evaluator was started, by the context's clock. */
  readonly startedMs: number;
  readonly deadlineMs: number | undefined;
  /** How long it has to end after its deadline. */
  readonly graceMs: number;
  readonly slots: Ref<SlotsMessage>;
  readonly outbox: Ref<OutboxMessage>;
}

/** Watches over an evaluator that has been started. */
export function attempt(options: AttemptOptions): Start<AttemptMessage> {
  return (context) => new AttemptActor(context, options);
}

class AttemptActor implements Actor<AttemptMessage> {
  readonly #context: Context<AttemptMessage>;
  readonly #options: AttemptOptions;
  #stopCause: StopCause | undefined;
  #stopDueMs = Infinity;
  #isOver = false;
  #lastMetrics: Metrics = {};
  #reports: Measured[] = [];

  constructor(context: Context<AttemptMessage>, options: AttemptOptions) {
    this.#context = context;
    this.#options = options;
    context.atEnd(() => {
      if (!this.#isOver) options.running.stop(0);
    });
    if (options.deadlineMs === undefined) return;
    const leftMs = options.startedMs + options.deadlineMs - context.now();
    context.after(Math.max(0, leftMs), { type: "deadline" });
  }

  receive(message: AttemptMessage): void {
    switch (message.type) {
      case "report":
        return this.#report(message);
      case "checkpoint":
      case "file":
      case "output":
        return;
      case "ended":
        return this.#ended(message.end);
      case "stop":
        return this.#stop(message.why, message.graceMs);
      case "deadline":
        return this.#stop("deadline", this.#options.graceMs);
    }
  }

  turnEnded(): void {
    this.#sendReports();
  }

  #report({ step, metrics, checkpoint, file }: Extract<ExecutorEvent, { readonly type: "report" }>): void {
    const problem = Number.isSafeInteger(step) && step >= 0
      ? metricsProblem(metrics)
      : `the step ${step} is no whole number`;
    if (problem !== undefined) {
      return this.#context.log("warning", `a report was dropped: ${problem}`, { lease: this.#options.key });
    }
    const isMeasurement = checkpoint === undefined && file === undefined;
    if (isMeasurement) this.#lastMetrics = metrics;
    this.#reports.push(isMeasurement ? { step, metrics } : { step, metrics, checkpoint, file });
  }

  /** The first cause stays; a shorter grace counts. */
  #stop(why: StopCause, graceMs: number): void {
    const dueMs = this.#context.now() + graceMs;
    if (dueMs >= this.#stopDueMs) return;
    this.#stopCause ??= why;
    this.#stopDueMs = dueMs;
    this.#options.running.stop(graceMs);
  }

  #ended(end: Extract<ExecutorEvent, { readonly type: "ended" }>["end"]): void {
    this.#isOver = true;
    this.#sendReports();
    const { key, slots, startedMs } = this.#options;
    const elapsedMs = this.#context.now() - startedMs;
    this.#context.send(slots, { type: "attempt_over", key, end: this.#wholeEnd(end), elapsedMs });
    this.#context.exit();
  }

  /** What was measured counts, also when it was to be stopped; any other end after a stop is that stop's. */
  #wholeEnd(end: Extract<ExecutorEvent, { readonly type: "ended" }>["end"]): AttemptEnd {
    if (end.state === "completed") return fitEnd(end);
    switch (this.#stopCause) {
      case "cancelled":
        return { state: "cancelled" };
      case "pruned":
        return { state: "pruned", metrics: this.#lastMetrics };
      case "returned":
        return { state: "returned" };
      case "deadline":
        return deadlinePassed(this.#options.deadlineMs);
      case undefined:
        return end.state === "failed"
          ? fitEnd(end)
          : evaluatorFailed("the evaluator was stopped by something other than the worker", false);
    }
  }

  /** Reports stand before the result in the outbox: after it they would be stale. */
  #sendReports(): void {
    if (this.#reports.length === 0) return;
    const { lease, outbox } = this.#options;
    this.#context.send(outbox, { type: "reports", measured: { lease, reports: this.#reports } });
    this.#reports = [];
  }
}

function deadlinePassed(deadlineMs: number | undefined): AttemptEnd {
  const limit = deadlineMs === undefined ? "the master's limit" : `${deadlineMs} ms`;
  return {
    state: "failed",
    cause: "deadline",
    message: `the evaluator ran longer than its deadline of ${limit}`,
    final: false,
  };
}
