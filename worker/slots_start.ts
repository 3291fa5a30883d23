/**
 * The start of an evaluator, and what it said before `start` came back.
 *
 * @module
 */
import type { Device } from "../shared/model/devices.ts";
import type { AttemptEnd } from "../shared/model/outcome.ts";
import type { Evaluator } from "../shared/model/task.ts";
import { evaluatorFailed, fitEnd, metricsProblem } from "./attempt_end.ts";
import type { Executor, ExecutorEvent, Running } from "./executors/executor.ts";
import type { Measured } from "./outbox_reports.ts";
import type { Held } from "./slots_held.ts";

/** The ways of running evaluators, by their kinds. */
export type Executors = ReadonlyMap<Evaluator["kind"], Pick<Executor, "start">>;

/** Starts a lease's evaluator. An executor is a seam: what a third party's throws fails one attempt, not the worker. */
export function startEvaluator(
  executors: Executors,
  held: Held,
  devices: readonly Device[] | undefined,
  events: (event: ExecutorEvent) => void,
): Running | undefined {
  const { lease, payload, slot, restore, template: { evaluator, resources, code, files } } = held;
  try {
    const given = { lease, evaluator, payload, slot, resources, devices, code, files, restore };
    return executors.get(evaluator.kind)?.start(given, events);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const end = evaluatorFailed(`the executor could not start the evaluator: ${message}`, false);
    events({ type: "ended", end });
    return undefined;
  }
}

/** The end of an attempt that ended before `start` came back; undefined where it has not. */
export function earlyEnd(early: readonly ExecutorEvent[]): AttemptEnd | undefined {
  const ended = early.find((event) => event.type === "ended");
  if (ended?.type !== "ended") return undefined;
  return ended.end.state === "stopped"
    ? evaluatorFailed("the evaluator was stopped by something other than the worker", false)
    : fitEnd(ended.end);
}

/** What an attempt measured before `start` came back, without what no envelope holds. */
export function earlyReports(early: readonly ExecutorEvent[]): readonly Measured[] {
  const reports: Measured[] = [];
  for (const event of early) {
    if (event.type !== "report" || metricsProblem(event.metrics) !== undefined) continue;
    if (!Number.isSafeInteger(event.step) || event.step < 0) continue;
    const { type: _, ...measured } = event;
    reports.push(measured);
  }
  return reports;
}
