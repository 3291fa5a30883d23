/**
 * Queries over the durable state of a `MemoryStore`.
 *
 * @module
 */
import {
  type ExperimentSummary,
  isOver,
  NO_TRIALS,
  type TrialSummary,
} from "../../shared/model/experiment.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import type { FailureCause, Outcome } from "../../shared/model/outcome.ts";
import { rowLimit } from "./limits.ts";
import { findTask } from "./memory_apply.ts";
import { artifactsUsed, continuedAttempts, curveOf, filesOf, openCheckpoints } from "./memory_kept.ts";
import type { DiskExperiment, DiskGroup, DiskState, DiskTask } from "./memory_state.ts";
import type { HistoryOutcome, HistoryTrial, OpenGroup, OpenTask, Queries, Recovered } from "./store.ts";
import { groupNumber, parsedJson } from "./stored_spec.ts";

type Answer<K extends keyof Queries> = Queries[K]["answer"];
type Answers = {
  readonly [K in keyof Queries]: (state: DiskState, ask: Queries[K]["ask"], nowMs: number) => Answer<K>;
};

/** How each question is answered. */
export const MEMORY_QUERIES: Answers = {
  outcome: (state, ask) => {
    const task = findTask(state, ask.task);
    const recorded = task?.outcome;
    const { attempt: by = null, epoch = null } = recorded?.lease ?? {};
    return { known: task !== undefined, state: recorded?.outcome.state ?? null, by, epoch };
  },
  history_trials: (state, ask) =>
    tasksAfter(state, ask)
      .flatMap((task): HistoryTrial[] =>
        task.trial === undefined ? [] : [{ number: task.number, ...task.trial }]
      )
      .slice(0, rowLimit(ask.limit)),
  history_outcomes: (state, ask) =>
    (state.groups.get(ask.experiment)?.outcomes ?? []).slice(ask.after, ask.after + rowLimit(ask.limit))
      .flatMap(historyOutcome),
  changes: changesAfter,
  experiments: (state, ask, nowMs) =>
    [...state.experiments.values()].reverse().slice(ask.offset, ask.offset + rowLimit(ask.limit))
      .map((experiment) => summaryOf(state, experiment, nowMs)),
  experiment: (state, ask, nowMs) => {
    const id = ask.experiment === "last" ? [...state.experiments.keys()].at(-1) : ask.experiment;
    const experiment = id === undefined ? undefined : state.experiments.get(id);
    if (experiment === undefined) return null;
    return { summary: summaryOf(state, experiment, nowMs), spec: experiment.spec };
  },
  trials: (state, ask) => tasksAfter(state, ask).slice(0, rowLimit(ask.limit)).map(trialSummary),
  curve: curveOf,
  files: filesOf,
  artifacts_used: artifactsUsed,
  epoch_end: (state, { epoch }) =>
    epoch === state.epochs.at(-1) ? state.commit : state.epochEnds.get(epoch) ?? null,
  counts: (state, ask) => ({ ...(state.groups.get(ask.group)?.counts ?? { ...NO_TRIALS, submitted: 0 }) }),
};

/** What a master needs to go on, read after the new epoch was taken. */
export function recoveredFrom(state: DiskState): Recovered {
  const epoch = state.epochs.at(-1);
  if (epoch === undefined) throw new Error("a store that was opened has an epoch");
  const openTasks = [...state.openTasks.values()];
  const names = [...state.groups.keys(), ...state.experiments.keys()];
  return {
    epoch,
    earlierEpochs: state.epochs.slice(0, -1),
    epochEnds: state.epochs.slice(0, -1).map((each) => state.epochEnds.get(each) ?? 0),
    commit: state.commit,
    groups: openGroups(state),
    tasks: openTasks.map(openTask),
    attempts: openTasks.flatMap((task) => [...task.open.values()]),
    lastFailures: openTasks.flatMap((task) => [...task.lastFailures.values()])
      .filter(({ lease }) => state.epochs.includes(lease.epoch)),
    checkpoints: openCheckpoints(state),
    continued: continuedAttempts(state),
    experiments: [...state.experiments.values()].filter((each) => !isOver(each.state)).map((each) => ({
      experiment: each.id,
      name: each.name,
      spec: each.spec,
      state: each.state,
      reason: each.reason,
      createdAtMs: each.createdAtMs,
    })),
    nextGroup: names.reduce((highest, name) => Math.max(highest, groupNumber(name)), 0) + 1,
  };
}

function openGroups(state: DiskState): readonly OpenGroup[] {
  return [...state.groups.values()].filter((group) => {
    const experiment = state.experiments.get(group.id);
    return openCount(group) > 0 || (experiment !== undefined && !isOver(experiment.state));
  }).map(({ id, template, lastNumber }) => ({ group: id, template, lastNumber }));
}

function openCount(group: DiskGroup): number {
  const { submitted, completed, failed, cancelled, pruned } = group.counts;
  return submitted - completed - failed - cancelled - pruned;
}

function openTask(task: DiskTask): OpenTask {
  const failures: Record<FailureCause, number> = { evaluator: 0, deadline: 0, worker_lost: 0, crash: 0 };
  for (const cause of task.ended.values()) if (cause in failures) failures[cause as FailureCause] += 1;
  return {
    task: task.id,
    payload: task.payload,
    failures,
    attempts: knownAttempts(task),
    isFinal: task.isFinal,
  };
}

function knownAttempts(task: DiskTask): number {
  let known = task.ended.size;
  // One that was lost and came back is in both.
  for (const key of task.open.keys()) if (!task.ended.has(key)) known += 1;
  return known;
}

/** Tasks of a group by number; trials and plain tasks alike. */
function tasksAfter(
  state: DiskState,
  ask: { readonly experiment: GroupId; readonly after: number },
): readonly DiskTask[] {
  const tasks = state.groups.get(ask.experiment)?.tasks.values() ?? [];
  return [...tasks].filter((task) => task.number > ask.after);
}

function historyOutcome(task: DiskTask): HistoryOutcome[] {
  const recorded = task.outcome;
  if (recorded === undefined) return [];
  const { outcome, attempts, atMs } = recorded;
  return [{ number: task.number, state: outcome.state, ...resultOf(outcome), attempts, atMs }];
}

function resultOf(outcome: Outcome): Pick<HistoryOutcome, "metrics" | "cause" | "message"> {
  return {
    metrics: "metrics" in outcome ? outcome.metrics : null,
    cause: outcome.state === "failed" ? outcome.cause : null,
    message: outcome.state === "failed" ? outcome.message : null,
  };
}

function changesAfter(state: DiskState, ask: Queries["changes"]["ask"]): Answer<"changes"> {
  const commits = [];
  const limit = rowLimit(ask.limit);
  let count = 0;
  for (const each of logAfter(state, ask.after)) {
    commits.push(each);
    count += each.changes.length;
    if (count >= limit) return { commits, upTo: each.commit };
  }
  return { commits, upTo: Math.max(ask.after, state.commit) };
}

function logAfter(state: DiskState, after: number): DiskState["log"] {
  let low = 0;
  let high = state.log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((state.log[middle]?.commit ?? 0) <= after) low = middle + 1;
    else high = middle;
  }
  return state.log.slice(low);
}

function summaryOf(state: DiskState, experiment: DiskExperiment, nowMs: number): ExperimentSummary {
  const group = state.groups.get(experiment.id);
  const { submitted: _submitted, ...trials } = group?.counts ?? { ...NO_TRIALS, submitted: 0 };
  const best = experiment.best === undefined ? undefined : group?.tasks.get(experiment.best.number);
  return {
    experiment: experiment.id,
    name: experiment.name,
    state: experiment.state,
    reason: experiment.reason,
    trials,
    open: group === undefined ? 0 : openCount(group),
    attempts: group === undefined ? 0 : group.attempts + openAttempts(group),
    budgetTrials: experiment.budgetTrials,
    objectives: experiment.objectives,
    best: best?.outcome?.outcome.state === "completed"
      ? { trial: best.number, metrics: best.outcome.outcome.metrics, candidate: candidateOf(best) }
      : null,
    seconds: ((experiment.endedAtMs ?? nowMs) - experiment.createdAtMs) / 1000,
    createdAtMs: experiment.createdAtMs,
  };
}

function openAttempts(group: DiskGroup): number {
  let sum = 0;
  for (const task of group.tasks.values()) if (task.outcome === undefined) sum += knownAttempts(task);
  return sum;
}

function candidateOf(task: DiskTask): unknown {
  return parsedJson(task.trial?.candidate ?? null);
}

function trialSummary(task: DiskTask): TrialSummary {
  const recorded = task.outcome;
  const result = recorded === undefined
    ? { metrics: null, cause: null, message: null }
    : resultOf(recorded.outcome);
  return {
    trial: task.number,
    state: recorded?.outcome.state ?? "pending",
    attempts: recorded?.attempts ?? knownAttempts(task),
    ...result,
    candidate: candidateOf(task),
    worker: recorded?.worker ?? null,
    elapsedMs: recorded?.elapsedMs ?? null,
    endedAtMs: recorded?.atMs ?? null,
    parents: task.trial?.parents ?? [],
  };
}
