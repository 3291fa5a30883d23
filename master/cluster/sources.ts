/**
 * Experiments as sources of tasks: they are asked when a slot is free and told when an outcome is durable.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import type { TaskTemplate } from "../../shared/model/task.ts";
import { cancelGroup } from "./cancellation.ts";
import type { ClusterCore } from "./core.ts";
import { newTask } from "./live_task.ts";
import type { ClusterToSource, SourceToCluster } from "./messages.ts";

/** Takes in what an experiment said. */
export function sourceSaid(core: ClusterCore, message: SourceToCluster): void {
  switch (message.type) {
    case "source_opened":
      return opened(core, message.source, message.group, message.template, message.minWorkers);
    case "source_submits":
      return submits(core, message);
    case "source_declines": {
      const source = core.sources.get(message.group);
      if (source === undefined) return;
      source.offered -= message.count;
      source.wants = false;
      return;
    }
    case "source_wants": {
      const source = core.sources.get(message.group);
      if (source !== undefined) source.wants = true;
      return;
    }
    case "source_closed":
      return closed(core, message);
  }
}

function opened(
  core: ClusterCore,
  ref: Ref<ClusterToSource>,
  id: GroupId,
  template: TaskTemplate,
  minWorkers: number,
): void {
  const group = core.group(id, template);
  const before = core.sources.get(id);
  core.sources.set(id, {
    ref,
    group,
    minWorkers,
    started: before?.started ?? false,
    wants: true,
    offered: 0,
    committing: before?.committing ?? 0,
  });
  core.context.send(ref, { type: "source_accepted", open: [...group.open.keys()] });
}

function closed(core: ClusterCore, message: Extract<SourceToCluster, { type: "source_closed" }>): void {
  // One that never opened (its code failed at its start) is closed all the same.
  const source = core.sources.get(message.group);
  core.sources.delete(message.group);
  const last = message.changes.length - 1;
  for (const [index, change] of message.changes.entries()) {
    core.log.add(
      change,
      index < last || source === undefined ? undefined : (_verdict, commit) => {
        core.context.send(source.ref, { type: "source_gone", commit });
      },
    );
  }
  if (message.cancelOpen) cancelGroup(core, message.group);
  if (core.groups.get(message.group)?.open.size === 0) core.groups.delete(message.group);
}

function submits(core: ClusterCore, message: Extract<SourceToCluster, { type: "source_submits" }>): void {
  const source = core.sources.get(message.group);
  if (source === undefined) return;
  const count = message.payloads.length;
  source.offered = Math.max(0, source.offered - count);
  source.committing += count;
  core.log.add({
    type: "tasks_submitted",
    group: message.group,
    first: message.first,
    payloads: message.payloads,
    trials: message.trials,
    atMs: core.context.wallClock(),
  }, (verdict) => {
    source.committing -= count;
    if (verdict.type !== "recorded") {
      throw new Error(`the store answered ${verdict.type} to trials of ${message.group}`);
    }
    for (let i = 0; i < count; i++) {
      const payload = message.payloads[i];
      if (payload === undefined || source.group.open.has(message.first + i)) continue;
      const task = newTask(source.group, message.first + i, payload);
      core.addTask(task);
      core.enqueueBack(task);
    }
    // An experiment that was cancelled meanwhile wants none of them.
    if (!core.sources.has(message.group)) cancelGroup(core, message.group);
  });
}
