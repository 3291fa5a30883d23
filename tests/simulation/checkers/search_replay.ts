/**
 * Folds each experiment's history anew, and compares what it would propose with what was proposed.
 *
 * Watches: whatever lives and restarts an experiment had, its optimizer was told exactly what is durable, in order.
 *
 * @module
 */
import { specSchema } from "../../../shared/protocol/spec.ts";
import { SearchFold } from "../../../master/experiments/search_fold.ts";
import type { DiskExperiment, DiskGroup } from "../../../master/store/memory_state.ts";
import type { Findings } from "../findings.ts";
import type { World } from "../world.ts";

/** Replays every experiment of the run. */
export function replaySearches(world: World): void {
  for (const experiment of world.disk.state.experiments.values()) {
    const group = world.disk.state.groups.get(experiment.id);
    if (group !== undefined) replay(world.findings, experiment, group);
  }
}

function replay(findings: Findings, experiment: DiskExperiment, group: DiskGroup): void {
  const fold = new SearchFold(specSchema.parse(JSON.parse(experiment.spec)));
  let told = 0;
  for (const { id, number, trial } of group.tasks.values()) {
    if (trial === undefined) continue;
    for (; told < trial.toldBefore; told++) {
      const task = group.outcomes[told];
      const outcome = task?.outcome;
      if (task !== undefined && outcome !== undefined) {
        fold.ended(task.number, outcome.outcome, outcome.attempts);
      }
    }
    const next = fold.next();
    const proposed = typeof next === "string" ? next : `${next.number} ${next.row.candidate}`;
    const expected = `${number} ${trial.candidate}`;
    findings.expect(
      "search_replays",
      proposed === expected,
      () => `${id}: the history leads to ${proposed}, but ${expected} was proposed`,
    );
    if (proposed !== expected) return;
  }
}
