/**
 * Recovery: what the store holds becomes the cluster's state.
 *
 * Promise: tasks whose worker may still run them are withheld until it returns or its window closes; all others are
 * placed at once.
 *
 * @module
 */
import { taskParts } from "../../shared/model/ids.ts";
import { FAILURE_CAUSES } from "../../shared/model/outcome.ts";
import { leaseKey } from "../../shared/model/task.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { taskTemplate } from "../../shared/protocol/fields.ts";
import type { LastFailure, Recovered } from "../store/store.ts";
import { knownStep, recoverCheckpoints } from "./checkpoints.ts";
import type { ClusterCore } from "./core.ts";
import { goOn } from "./failures.ts";
import { holdLease, type LiveTask, newTask } from "./live_task.ts";
import { retriesAllowed } from "./retry.ts";
import { WorkerRecord } from "./worker_record.ts";

/** Takes in what the store holds. */
export function recover(core: ClusterCore, recovered: Recovered): void {
  core.epoch = recovered.epoch;
  core.earlierEpochs = new Map(recovered.earlierEpochs.map((each, i) => [each, recovered.epochEnds[i] ?? 0]));
  core.commit = recovered.commit;
  core.nextGroup = recovered.nextGroup;
  for (const { group, template } of recovered.groups) {
    core.group(group, taskTemplate.parse(decode(template)), template);
  }
  for (const { task: id, payload, failures, attempts } of recovered.tasks) {
    const { group: groupName, number } = taskParts(id);
    const group = core.groups.get(groupName);
    if (group === undefined) throw new Error(`the store has task ${id} and not its group`);
    const task = newTask(group, number, payload, failures, attempts);
    core.addTask(task);
    core.enqueueBack(task);
  }
  recoverCheckpoints(core, recovered);
  withhold(core, recovered);
  const failures = Map.groupBy(recovered.lastFailures, ({ lease }) => lease.task);
  for (const { task: id, isFinal } of recovered.tasks) {
    const task = core.tasks.get(id);
    if (task !== undefined) giveUpExhausted(core, task, isFinal, failures.get(id) ?? []);
  }
  core.context.log("info", `epoch ${recovered.epoch}`, {
    tasks: recovered.tasks.length,
    attempts: recovered.attempts.length,
    commit: recovered.commit,
  });
}

/** The master ended between the row of a last failure and the outcome that follows from it. */
function giveUpExhausted(
  core: ClusterCore,
  task: LiveTask,
  isFinal: boolean,
  failures: readonly LastFailure[],
): void {
  const { retry } = task.group.template;
  const usedUp = FAILURE_CAUSES.find((each) => task.failures[each] > retriesAllowed(retry, each));
  const cause = isFinal ? "evaluator" : usedUp;
  if (cause === undefined) return;
  const last = failures.findLast((each) => isFinal ? each.isFinal : each.cause === cause);
  const message = last?.message ?? `it failed ${task.failures[cause]} times before its store was renewed`;
  task.exhausted = {
    outcome: { state: "failed", cause, message },
    lease: last?.lease,
    worker: last?.worker ?? "",
    elapsedMs: 0,
  };
  goOn(core, task, 0);
}

function withhold(core: ClusterCore, recovered: Recovered): void {
  // In the order of their grants: the first of a worker's have its slots.
  const inOrder = recovered.attempts.toSorted((one, other) => one.openedAtMs - other.openedAtMs);
  for (const { lease, worker: id, incarnation } of inOrder) {
    const task = core.tasks.get(lease.task);
    if (task === undefined) continue;
    let worker = core.workers.get(id);
    if (worker === undefined) {
      worker = new WorkerRecord(id, incarnation, core.context.attentiveNow());
      core.workers.set(id, worker);
    }
    core.takeOut(task);
    const attempt = holdLease(lease, task, worker, core.context.now());
    attempt.opened = true;
    attempt.doubtful = true;
    attempt.checkpointStep = knownStep(task, lease);
    task.earlierRows = [...task.earlierRows, { key: leaseKey(lease), worker: id }];
    task.state = "withheld";
  }
}
