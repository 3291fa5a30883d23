/**
 * What a store needs to know of an experiment's spec: its objectives and its budget of trials.
 *
 * The spec was checked before it was stored; one that does not say these things has none of them.
 *
 * @module
 */
import type { Objective } from "../../shared/model/experiment.ts";
import type { Metrics } from "../../shared/model/outcome.ts";

/** The parts of a spec that summaries are made from. */
export interface StoredSpec {
  readonly objectives: readonly Objective[];
  readonly budgetTrials: number | null;
}

/** Reads a stored spec, without a library for schemas: the store's thread would need megabytes for it. */
export function readStoredSpec(json: string): StoredSpec {
  const spec = parsedJson(json);
  const objectives = field(spec, "objectives");
  const trials = field(field(spec, "budget"), "trials");
  return {
    objectives: Array.isArray(objectives) ? objectives.flatMap(readObjective) : [],
    budgetTrials: typeof trials === "number" ? trials : null,
  };
}

function readObjective(value: unknown): Objective[] {
  const metric = field(value, "metric");
  const direction = field(value, "direction");
  if (typeof metric !== "string") return [];
  return direction === "maximize" || direction === "minimize" ? [{ metric, direction }] : [];
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** A trial's value under an objective, turned so that higher is better; undefined where it was not measured. */
export function scoreOf(objective: Objective | undefined, metrics: Metrics): number | undefined {
  if (objective === undefined) return undefined;
  const value = metrics[objective.metric];
  if (value === undefined) return undefined;
  return objective.direction === "maximize" ? value : -value;
}

/** JSON that was stored, or null where it is none. */
export function parsedJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The number at the end of a group's id, 0 where there is none: `e12` has 12. */
export function groupNumber(group: string): number {
  return Number(/[0-9]{1,9}$/.exec(group)?.[0] ?? 0);
}
