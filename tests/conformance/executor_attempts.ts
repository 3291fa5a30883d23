/**
 * Attempts for tests of executors, and what is seen of them.
 *
 * @module
 */
import { encode } from "@msgpack/msgpack";
import { epochOf, groupId, taskId } from "../../shared/model/ids.ts";
import type { Metrics } from "../../shared/model/outcome.ts";
import type { Evaluator } from "../../shared/model/task.ts";
import type { Attempt, Executor, ExecutorEvent, Output, Running } from "../../worker/executors/executor.ts";

/** What is run: an evaluator and its input. */
export interface Sample {
  readonly evaluator: Evaluator;
  readonly input: { readonly candidate: unknown; readonly architecture?: unknown; readonly seed?: number };
}

export type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

/** An attempt under observation. */
export interface Observed {
  readonly running: Running;
  /** Everything that was told but the output, in order. */
  readonly events: readonly Exclude<ExecutorEvent, Output>[];
  /** What was printed, in order. */
  readonly outputs: readonly Output[];
  /** The first report. */
  readonly reported: Promise<Metrics>;
  readonly ended: Promise<End>;
}

const EPOCH = epochOf("0".repeat(32), 1, "00000000");

/** The module of tests/fixtures/evaluators with this name. */
export function fixture(name: string): Evaluator {
  return { kind: "module", path: new URL(`../fixtures/evaluators/${name}.ts`, import.meta.url).pathname };
}

/** Attempt 1 of task `number`. */
export function attemptOf(sample: Sample, slot = 0, number = 1): Attempt {
  const task = taskId(groupId("test"), number);
  return {
    lease: { epoch: EPOCH, task, attempt: 1 },
    evaluator: sample.evaluator,
    payload: encode(sample.input, { ignoreUndefined: true }),
    slot,
  };
}

/** Starts an attempt and keeps what is told of it. */
export function observe(executor: Executor, attempt: Attempt): Observed {
  const events: Exclude<ExecutorEvent, Output>[] = [];
  const outputs: Output[] = [];
  const reported = Promise.withResolvers<Metrics>();
  const ended = Promise.withResolvers<End>();
  const running = executor.start(attempt, (event) => {
    if (event.type === "output") return void outputs.push(event);
    events.push(event);
    if (event.type === "report") reported.resolve(event.metrics);
    if (event.type === "ended") ended.resolve(event.end);
  });
  return { running, events, outputs, reported: reported.promise, ended: ended.promise };
}

/** Runs a sample to its end. */
export function run(executor: Executor, sample: Sample, slot = 0): Promise<End> {
  return observe(executor, attemptOf(sample, slot)).ended;
}
