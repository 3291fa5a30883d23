/**
 * Verdicts: what a worker is told of a measurement is what the disk says of it.
 *
 * @module
 */
import { taskParts } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Acknowledge } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterMemory } from "./cluster_tap.ts";

/** Compares a verdict with the outcome that is durable. */
export function checkVerdict(memory: ClusterMemory, { verdict, ...lease }: Acknowledge): void {
  const { findings, results, state } = memory;
  const { group, number } = taskParts(lease.task);
  const outcome = state().groups.get(group)?.tasks.get(number)?.outcome;
  const key = leaseKey(lease);
  if (results.get(key) !== "completed" || outcome === undefined || verdict === "unknown") return;
  const recorded = outcome.lease === undefined ? "no lease's" : leaseKey(outcome.lease);
  findings.expect(
    "acknowledged_is_durable",
    (recorded === key) === (verdict === "recorded"),
    () => `${key} is told ${verdict}, and what is recorded is ${recorded}`,
  );
}
