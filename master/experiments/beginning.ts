/**
 * An experiment of which nothing has happened yet: as it is shown, and as it is stored.
 *
 * @module
 */
import { type ExperimentSummary, NO_TRIALS } from "../../shared/model/experiment.ts";
import type { CommandId, GroupId } from "../../shared/model/ids.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import { encode } from "../../shared/protocol/codec.ts";
import { isRecord } from "../../shared/space/problem.ts";
import type { StoreChange } from "../store/store.ts";
import { trialLimit } from "./budget.ts";
import { templateOf } from "./template.ts";

/** Its summary before its first trial. */
export function beginning(experiment: GroupId, spec: Spec, createdAtMs: number): ExperimentSummary {
  return {
    experiment,
    name: spec.name,
    state: "running",
    reason: "",
    trials: NO_TRIALS,
    open: 0,
    attempts: 0,
    budgetTrials: trialLimit(spec) ?? null,
    objectives: spec.objectives,
    best: null,
    seconds: 0,
    createdAtMs,
  };
}

/** What makes it durable. @param value the reply to whoever ran it; @param written the spec as it was written */
export function experimentAdded(
  command: CommandId,
  value: unknown,
  group: GroupId,
  written: unknown,
  spec: Spec,
  atMs: number,
): StoreChange {
  const template = templateOf(spec);
  return {
    type: "command",
    id: command,
    reply: encode(value),
    changes: [
      { type: "group_added", group, template: encode(template), code: template.code?.sha256 },
      { type: "experiment_added", experiment: group, name: spec.name, spec: storedText(written, spec), atMs },
    ],
  };
}

/** As it was written, since it is checked again when it is read; with the objectives, which the store looks at. */
function storedText(written: unknown, checked: Spec): string {
  return JSON.stringify(isRecord(written) ? { ...written, objectives: checked.objectives } : written);
}
