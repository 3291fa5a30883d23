/**
 * What a store needs to know of an experiment's spec: its objectives and its budget of trials.
 *
 * The spec was checked before it was stored; one that does not say these things has none of them.
 *
 * @module
 */
import { z } from "zod";
import type { Objective } from "../../shared/model/experiment.ts";
import type { Metrics } from "../../shared/model/outcome.ts";

const objectives = z.array(z.object({ metric: z.string(), direction: z.enum(["maximize", "minimize"]) }));

const schema = z.object({
  objectives: objectives.catch([]),
  budget: z.object({ trials: z.number().nullable().catch(null) }).catch({ trials: null }),
});

/** The parts of a spec that summaries are made from. */
export interface StoredSpec {
  readonly objectives: readonly Objective[];
  readonly budgetTrials: number | null;
}

/** Reads a stored spec. */
export function readStoredSpec(json: string): StoredSpec {
  const parsed = schema.safeParse(parsedJson(json));
  if (!parsed.success) return { objectives: [], budgetTrials: null };
  return { objectives: parsed.data.objectives, budgetTrials: parsed.data.budget.trials };
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
