/**
 * Makes what an evaluator says fit for the protocol: one result that the master cannot read would cost the session of
 * the whole worker.
 *
 * @module
 */
import type { AttemptEnd, Metrics } from "../shared/model/outcome.ts";
import {
  METRIC_NAME_MAX,
  METRIC_NAME_REFUSED,
  METRICS_MAX,
  STACK_LENGTH_MAX,
  TEXT_LENGTH_MAX,
} from "../shared/protocol/limits.ts";

/** An attempt that failed. */
export type FailedEnd = Extract<AttemptEnd, { readonly state: "failed" }>;

/** How an evaluator ends by itself. */
export type OwnEnd = Extract<AttemptEnd, { readonly state: "completed" | "failed" }>;

/** The same end, with texts cut to what an envelope holds; one with metrics that no envelope holds is a failure. */
export function fitEnd(end: OwnEnd): OwnEnd {
  if (end.state === "failed") {
    return {
      ...end,
      message: end.message.slice(0, TEXT_LENGTH_MAX),
      stack: end.stack?.slice(0, STACK_LENGTH_MAX),
    };
  }
  const problem = metricsProblem(end.metrics);
  // The same input would most likely be measured the same way again.
  return problem === undefined ? end : evaluatorFailed(problem, true);
}

/** A failure of the evaluator's. */
export function evaluatorFailed(message: string, final: boolean): FailedEnd {
  return { state: "failed", cause: "evaluator", message: message.slice(0, TEXT_LENGTH_MAX), final };
}

/** Why metrics cannot be told to the master; `undefined` where they can. */
export function metricsProblem(metrics: Metrics): string | undefined {
  let count = 0;
  for (const name in metrics) {
    if (!Object.hasOwn(metrics, name)) continue;
    count += 1;
    if (!Number.isFinite(metrics[name])) {
      return `the metric ${name.slice(0, METRIC_NAME_MAX)} is ${
        String(metrics[name])
      }; metrics must be finite numbers`;
    }
    if (name === METRIC_NAME_REFUSED) return `a metric cannot be called ${METRIC_NAME_REFUSED}`;
    if (name.length === 0 || name.length > METRIC_NAME_MAX) {
      return `a metric's name has ${name.length} characters; it must have 1 to ${METRIC_NAME_MAX}`;
    }
  }
  return count > METRICS_MAX ? `there are ${count} metrics; at most ${METRICS_MAX} are taken` : undefined;
}
