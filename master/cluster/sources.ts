/**
 * Experiments as sources of tasks: they are asked when a slot is free and told when an outcome is durable.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import { cancelGroup, cancelTask, cancelUnheard } from "./cancellation.ts";
import { taskId } from "../../shared/model/ids.ts";
import type { ClusterCore, Source } from "./core.ts";
import { type Group, newTask, shareOf } from "./live_task.ts";
import type { ClusterToSource, SourceToCluster } from "./messages.ts";
import { pruneTask } from "./pruning.ts";

/** Takes in what an experiment said. */
export function sourceSaid(core: ClusterCore, message: SourceToCluster): void {
  switch (message.type) {
    case "source_opened":
      return opened(core, message);
    case "source_submits":
      return submits(core, message);
    case "source_declines": {
      const source = core.sources.get(message.group);
      if (source === undefined) return;
      source.offered = Math.max(0, source.offered - message.count);
      source.wants = false;
      return;
    }
    case "source_wants": {
      const source = core.sources.get(message.group);
      if (source !== undefined) source.wants = true;
      return;
    }
    case "source_prunes":
      return pruneTask(core, message.group, message.number);
    case "source_closed":
      return closed(core, message);
  }
}

function opened(core: ClusterCore, message: Extract<SourceToCluster, { type: "source_opened" }>): void {
  const { source: ref, group: id, template, minWorkers } = message;
  const maxConcurrent = message.maxConcurrent ?? Infinity;
  const present = core.sources.get(id);
  core.context.watch(ref);
  if (present === undefined) {
    const share = core.queue.pin(shareOf(id));
    core.sources.set(id, newSource(ref, core.group(id, template), share, minWorkers, maxConcurrent));
  } else {
    // Another life of the same experiment: what is being committed of the one before is its own.
    present.ref = ref;
    present.minWorkers = minWorkers;
    present.maxConcurrent = maxConcurrent;
    present.wants = true;
    present.offered = 0;
    present.isAccepted = false;
  }
  const source = core.sources.get(id);
  // What its life before submitted must be in the store before this one reads its history there.
  if (source?.submitting === 0) accept(core, source);
}

function newSource(
  ref: Ref<ClusterToSource>,
  group: Group,
  share: Source["share"],
  minWorkers: number,
  maxConcurrent: number,
): Source {
  return {
    ref,
    group,
    minWorkers,
    started: false,
    wants: true,
    offered: 0,
    committing: 0,
    submitting: 0,
    submissions: new Set(),
    share,
    maxConcurrent,
    toldReason: "",
    isAccepted: false,
    isCancelled: false,
  };
}

function accept(core: ClusterCore, source: Source): void {
  source.isAccepted = true;
  core.context.send(source.ref, { type: "source_accepted", open: [...source.group.open.keys()] });
}

/** An experiment's actor has ended. One that is started again opens its source again. */
export function sourceEnded(core: ClusterCore, actor: Ref<never>): void {
  for (const source of core.sources.values()) {
    if (source.ref.id !== actor.id) continue;
    source.wants = false;
    source.offered = 0;
    source.isAccepted = false;
  }
}

function closed(core: ClusterCore, message: Extract<SourceToCluster, { type: "source_closed" }>): void {
  // One that never opened (its code failed at its start) is closed all the same.
  const source = core.sources.get(message.group);
  core.sources.delete(message.group);
  if (source !== undefined) core.queue.unpin(source.share);
  // First of all: who follows the log stops listening to an experiment when it is told that it is over.
  if (message.cancelOpen) cancelGroup(core, message.group);
  if (message.cancelOpen && source !== undefined) cancelSubmitted(core, source);
  const last = message.changes.length - 1;
  for (const [index, change] of message.changes.entries()) {
    core.log.add(
      change,
      index < last || source === undefined ? undefined : (_verdict, commit) => {
        core.context.send(source.ref, { type: "source_gone", commit });
      },
    );
  }
  if (message.cancelOpen && source !== undefined) source.isCancelled = true;
  if (core.groups.get(message.group)?.open.size === 0) core.groups.delete(message.group);
}

/**
 * What is on its way to the store is cancelled with the changes that say why, behind it: a master that ends before it
 * hears of such a trial must not find one open that nobody wants.
 */
function cancelSubmitted(core: ClusterCore, source: Source): void {
  for (const { first, payloads } of source.submissions) {
    for (const index of payloads.keys()) cancelUnheard(core, taskId(source.group.id, first + index));
  }
}

function submits(core: ClusterCore, message: Extract<SourceToCluster, { type: "source_submits" }>): void {
  const source = core.sources.get(message.group);
  if (source === undefined || !source.isAccepted) return;
  const count = message.payloads.length;
  source.offered = Math.max(0, source.offered - count);
  source.committing += count;
  source.submitting += count;
  source.submissions.add(message);
  core.log.add({
    type: "tasks_submitted",
    group: message.group,
    first: message.first,
    payloads: message.payloads,
    trials: message.trials,
    atMs: core.context.wallClock(),
  }, (verdict) => {
    source.committing -= count;
    source.submitting -= count;
    source.submissions.delete(message);
    if (verdict.type !== "recorded") {
      throw new Error(`the store answered ${verdict.type} to trials of ${message.group}`);
    }
    addTrials(core, source, message);
    if (!source.isAccepted && source.submitting === 0) accept(core, source);
  });
}

function addTrials(
  core: ClusterCore,
  source: Source,
  { first, payloads }: Extract<SourceToCluster, { type: "source_submits" }>,
): void {
  // It may have been closed and opened again meanwhile.
  const group = core.group(source.group.id, source.group.template, source.group.templateBytes);
  let queued = 0;
  for (const [index, payload] of payloads.entries()) {
    if (group.open.has(first + index)) continue;
    const task = newTask(group, first + index, payload);
    core.addTask(task);
    core.enqueueBack(task);
    queued += 1;
    // An experiment that was cancelled meanwhile wants none of them.
    if (source.isCancelled) cancelTask(core, task);
  }
  // Their turns were counted when their slots were offered.
  if (!source.isCancelled) core.queue.prepay(source.share, queued);
}
