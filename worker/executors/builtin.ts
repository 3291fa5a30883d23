/**
 * The evaluators that are part of the worker: `noop`, `sleep` and `heuristic`.
 *
 * Promise: `noop` answers within `start` and never looks at the payload, so that it measures the runtime and nothing
 * else; `sleep` ends as soon as it is stopped.
 *
 * @module
 */
import type { Metrics } from "../../shared/model/outcome.ts";
import { heuristicScore } from "../../shared/space/heuristic.ts";
import type { LayerGraph, LayerNode } from "../../shared/space/layer_graph.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "./executor.ts";
import { decodeInput } from "./input.ts";

/** An executor of the evaluators that are part of the worker. */
export function builtinExecutor(): Executor {
  const sleeping = new Set<Running>();
  let isClosed = false;
  return {
    kind: "builtin",
    start(attempt, events) {
      if (isClosed) return ended(events, { state: "stopped" });
      if (attempt.evaluator.kind !== "builtin") {
        return failed(
          events,
          `the builtin executor cannot run an evaluator of kind ${attempt.evaluator.kind}`,
        );
      }
      switch (attempt.evaluator.name) {
        case "noop":
          return ended(events, { state: "completed", metrics: NOOP_METRICS });
        case "sleep":
          return sleep(attempt, events, sleeping);
        case "heuristic":
          return score(attempt, events);
      }
    },
    close() {
      isClosed = true;
      for (const running of [...sleeping]) running.stop(0);
      return Promise.resolve();
    },
  };
}

/** What `noop` measures. */
const NOOP_METRICS: Metrics = { value: 0 };
/** The longest sleep: the longest delay of a timer. */
const SLEEP_MAX_MS = 2 ** 31 - 1;
/** What has ended already has nothing to stop. */
const ENDED: Running = { stop() {} };

type Events = (event: ExecutorEvent) => void;
type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

function ended(events: Events, end: End): Running {
  events({ type: "ended", end });
  return ENDED;
}

/** All failures of built-in evaluators are final: the same input fails again. */
function failed(events: Events, message: string): Running {
  return ended(events, { state: "failed", cause: "evaluator", message, final: true });
}

function sleep(attempt: Attempt, events: Events, sleeping: Set<Running>): Running {
  const input = decodeInput(attempt.payload);
  if (typeof input === "string") return failed(events, input);
  const ms = millisecondsOf(input.candidate);
  if (ms === undefined) {
    return failed(events, `sleep needs a candidate { ms } with a number from 0 to ${SLEEP_MAX_MS}`);
  }
  const finish = (end: End) => {
    clearTimeout(timer);
    if (sleeping.delete(running)) events({ type: "ended", end });
  };
  const timer = setTimeout(() => finish({ state: "completed", metrics: { ms } }), ms);
  const running: Running = { stop: () => finish({ state: "stopped" }) };
  sleeping.add(running);
  return running;
}

function millisecondsOf(candidate: unknown): number | undefined {
  if (typeof candidate !== "object" || candidate === null || !("ms" in candidate)) return undefined;
  const { ms } = candidate;
  return typeof ms === "number" && ms >= 0 && ms <= SLEEP_MAX_MS ? ms : undefined;
}

function score(attempt: Attempt, events: Events): Running {
  const input = decodeInput(attempt.payload);
  if (typeof input === "string") return failed(events, input);
  if (input.architecture === undefined) {
    return failed(
      events,
      "heuristic scores architectures, and this candidate has none: use it with a space that decodes to one, " +
        'such as "space: { kind: cnn, classes: 10 }"',
    );
  }
  if (!isLayerGraph(input.architecture)) {
    return failed(events, "the candidate's architecture is not a layer graph");
  }
  return ended(events, { state: "completed", metrics: { ...heuristicScore(input.architecture) } });
}

/** Whether a value from outside has all that the score looks at. */
function isLayerGraph(value: unknown): value is LayerGraph {
  return typeof value === "object" && value !== null && "nodes" in value && Array.isArray(value.nodes) &&
    value.nodes.length > 0 && value.nodes.every(isLayerNode);
}

function isLayerNode(value: unknown): value is LayerNode {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string" &&
    "inputs" in value && Array.isArray(value.inputs) && "shape" in value && Array.isArray(value.shape) &&
    value.shape.every(Number.isFinite) && "parameters" in value && Number.isFinite(value.parameters);
}
