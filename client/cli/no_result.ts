/**
 * Why an experiment that is completed has no best trial.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import type { Client } from "../mod.ts";

/** A sentence; undefined where the experiment has a best trial, or is not completed. */
export async function whyNoResult(
  client: Pick<Client, "trials">,
  summary: ExperimentSummary,
): Promise<string | undefined> {
  const { experiment, state, best, trials, objectives } = summary;
  if (state !== "completed" || best !== null) return undefined;
  const failures = new Map<string, number>();
  const metrics = new Set<string>();
  for await (const trial of client.trials(experiment)) {
    for (const name of Object.keys(trial.metrics ?? {})) metrics.add(name);
    const failure = firstLine(trial.message ?? "") || trial.cause;
    if (failure !== null) failures.set(failure, (failures.get(failure) ?? 0) + 1);
  }
  if (trials.completed === 0) return `no trial of ${experiment} completed${describeFailures(failures)}`;
  return describeMetrics(experiment, objectives.map(({ metric }) => metric), metrics);
}

function describeFailures(failures: ReadonlyMap<string, number>): string {
  const [most] = [...failures].toSorted(([, a], [, b]) => b - a);
  if (most === undefined) return "";
  const [message, count] = most;
  return `; the most common failure, of ${count}: ${message}`;
}

function describeMetrics(
  experiment: string,
  wanted: readonly string[],
  present: ReadonlySet<string>,
): string {
  const missing = wanted.filter((name) => !present.has(name));
  const names = (missing.length > 0 ? missing : wanted).map((name) => `"${name}"`);
  const has = [...present].toSorted().join(", ") || "none";
  const what = names.length === 1 ? `the metric ${names.join()}` : `the metrics ${names.join(", ")}`;
  return `no trial of ${experiment} has ${what} of its objectives; the evaluator returns: ${has}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
