/**
 * Searches end where their budget does.
 *
 * @module
 */
import type { World } from "../world.ts";

/** Compares what every experiment counted with its budget. */
export function checkBudgets({ disk, findings }: World): void {
  for (const { id, budgetTrials } of disk.state.experiments.values()) {
    const counts = disk.state.groups.get(id)?.counts;
    if (budgetTrials === null || counts === undefined) continue;
    const counted = counts.completed + counts.failed + counts.pruned;
    findings.expect(
      "budget_kept",
      counted <= budgetTrials,
      () => `${id} counts ${counted} of ${budgetTrials} trials`,
    );
  }
}
