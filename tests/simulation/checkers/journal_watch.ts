/**
 * Watches what a worker takes off its disk: a measurement stays there until it is durable elsewhere.
 *
 * @module
 */
import { taskParts } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Journal } from "../../../worker/tree_ports.ts";
import type { World } from "../world.ts";

/** The same journal, watched. */
export function watchedJournal(journal: Journal, world: World): Journal {
  return {
    ...journal,
    settle: (lease) => {
      const { executions, findings, disk, memory, storeLives } = world;
      const { group, number } = taskParts(lease.task);
      // A worker whose actor crashed says of what was measured that it failed.
      const wasMeasured = !memory.mayForget() && executions.byLease.get(leaseKey(lease))?.end === "completed";
      const outcome = disk.state.groups.get(group)?.tasks.get(number)?.outcome;
      findings.expect(
        "acknowledged_is_durable",
        !wasMeasured || outcome !== undefined || !storeLives.isPresent(lease.epoch),
        () => `${leaseKey(lease)} leaves its worker's disk, and its task has no outcome`,
      );
      journal.settle(lease);
    },
  };
}
