/**
 * Experiments of an earlier run that can go on.
 *
 * @module
 */
import { type ExperimentSummary, isOver } from "../../shared/model/experiment.ts";
import { type Spec, specSchema } from "../../shared/protocol/spec.ts";
import { isRecord } from "../../shared/space/problem.ts";
import type { Client } from "../mod.ts";

/** What an earlier run left behind. */
export interface Unfinished {
  /** The newest one of the same name and the same spec. */
  readonly same: ExperimentSummary | undefined;
  /** Others that run: they go on too, since the master goes on with all it has. */
  readonly others: readonly ExperimentSummary[];
}

/** Looks for experiments that are not over. */
export async function findUnfinished(
  client: Pick<Client, "experiments" | "details">,
  spec: Spec,
): Promise<Unfinished> {
  const open = (await client.experiments()).filter(({ state }) => !isOver(state))
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  let same: ExperimentSummary | undefined;
  for (const summary of open) {
    if (summary.name !== spec.name || same !== undefined) continue;
    const details = await client.details(summary.experiment);
    if (isSameSpec(details.spec, spec)) same = summary;
  }
  return { same, others: open.filter((each) => each !== same && each.state === "running") };
}

/** Whether a stored spec says the same as a checked one, whatever the order of its keys and its defaults. */
export function isSameSpec(stored: unknown, spec: Spec): boolean {
  const checked = specSchema.safeParse(typeof stored === "string" ? parseJson(stored) : stored);
  return checked.success && canonical(checked.data) === canonical(spec);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => isRecord(inner) ? Object.fromEntries(sorted(inner)) : inner);
}

function sorted(record: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
