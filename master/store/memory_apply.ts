/**
 * The rules of verdicts over maps: what the SQLite store does in a transaction, in plain words.
 *
 * @module
 */
import { taskId, taskParts } from "../../shared/model/ids.ts";
import type { Epoch, GroupId, TaskId } from "../../shared/model/ids.ts";
import { isOver } from "../../shared/model/experiment.ts";
import { FAILURE_CAUSES } from "../../shared/model/outcome.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { DiskGroup, DiskOutcome, DiskState, DiskTask } from "./memory_state.ts";
import type { StoreChange, StoreVerdict } from "./store.ts";
import { highestOf, recordReports, superseded } from "./memory_reports.ts";
import { readStoredSpec, scoreOf } from "./stored_spec.ts";

const RECORDED: StoreVerdict = { type: "recorded" };
const AGAIN: StoreVerdict = { type: "recorded", again: true };
const UNKNOWN: StoreVerdict = { type: "unknown" };

type Of<T extends StoreChange["type"]> = Extract<StoreChange, { type: T }>;

/** Applies one change and says what became of it. */
export function applyChange(state: DiskState, change: StoreChange): StoreVerdict {
  switch (change.type) {
    case "command":
      return applyCommand(state, change);
    case "group_added":
      return addGroup(state, change);
    case "tasks_submitted":
      return submitTasks(state, change);
    case "attempt_opened":
      return openAttempt(state, change);
    case "attempt_ended":
      return endAttempt(state, change);
    case "outcome":
      return recordOutcome(state, change);
    case "experiment_added":
      return addExperiment(state, change);
    case "experiment_state":
      return setExperimentState(state, change);
    case "reports":
      return recordReports(change, taskOfLease(state, change.lease));
  }
}

function applyCommand(state: DiskState, change: Of<"command">): StoreVerdict {
  const reply = state.commands.get(change.id);
  if (reply !== undefined) return { type: "repeated", reply };
  state.commands.set(change.id, change.reply);
  return { type: "recorded", nested: change.changes.map((each) => applyChange(state, each)) };
}

function addGroup(state: DiskState, change: Of<"group_added">): StoreVerdict {
  if (state.groups.has(change.group)) return AGAIN;
  state.groups.set(change.group, {
    id: change.group,
    template: change.template,
    code: change.code,
    tasks: new Map(),
    submissions: new Map(),
    lastNumber: 0,
    attempts: 0,
    counts: { submitted: 0, completed: 0, failed: 0, cancelled: 0, pruned: 0 },
    outcomes: [],
  });
  return RECORDED;
}

function submitTasks(state: DiskState, change: Of<"tasks_submitted">): StoreVerdict {
  const group = state.groups.get(change.group);
  const count = change.payloads.length;
  if (group === undefined) return UNKNOWN;
  if (change.trials !== undefined && change.trials.length !== count) return UNKNOWN;
  if (group.submissions.get(change.first) === count) return AGAIN;
  if (change.first <= group.lastNumber) return UNKNOWN;
  if (count === 0) return RECORDED;
  for (const [index, payload] of change.payloads.entries()) {
    addTask(state, group, change.first + index, payload, change.trials?.[index]);
  }
  group.submissions.set(change.first, count);
  group.lastNumber = change.first + count - 1;
  group.counts.submitted += count;
  return RECORDED;
}

function addTask(
  state: DiskState,
  group: DiskGroup,
  number: number,
  payload: Uint8Array,
  trial: DiskTask["trial"],
): void {
  const id = taskId(group.id, number);
  const task = {
    id,
    number,
    payload,
    trial,
    ended: new Map(),
    open: new Map(),
    curves: new Map(),
    continued: new Map(),
    checkpoints: [],
    files: new Map(),
    isFinal: false,
    lastFailures: new Map(),
    outcome: undefined,
  };
  group.tasks.set(number, task);
  state.openTasks.set(id, task);
}

function openAttempt(state: DiskState, change: Of<"attempt_opened">): StoreVerdict {
  const { lease, worker, incarnation, atMs, continues } = change;
  const task = taskOfLease(state, lease);
  if (task === undefined || (continues !== undefined && !isKnown(state, continues.epoch))) return UNKNOWN;
  if (task.outcome !== undefined) return superseded(task.outcome);
  const key = leaseKey(lease);
  if (task.open.has(key) || (task.ended.get(key) ?? "worker_lost") !== "worker_lost") return AGAIN;
  task.open.set(key, { lease, worker, incarnation, openedAtMs: atMs });
  if (continues !== undefined && !task.continued.has(key)) {
    task.continued.set(key, { lease, from: continues });
  }
  return RECORDED;
}

function endAttempt(state: DiskState, change: Of<"attempt_ended">): StoreVerdict {
  const task = taskOfLease(state, change.lease);
  if (task === undefined) return UNKNOWN;
  const key = leaseKey(change.lease);
  if (task.ended.has(key)) {
    task.open.delete(key);
    return AGAIN;
  }
  if (task.outcome?.lease !== undefined && leaseKey(task.outcome.lease) === key) {
    return superseded(task.outcome);
  }
  task.ended.set(key, change.cause);
  if (change.final === true) task.isFinal = true;
  noteFailure(task, change);
  task.open.delete(key);
  return RECORDED;
}

function noteFailure(task: DiskTask, { lease, worker, cause, message, final }: Of<"attempt_ended">): void {
  const counted = FAILURE_CAUSES.find((each) => each === cause);
  if (counted === undefined) return;
  const isFinal = final === true;
  task.lastFailures.set(`${cause} ${isFinal}`, { lease, worker, cause: counted, message, isFinal });
}

function recordOutcome(state: DiskState, change: Of<"outcome">): StoreVerdict {
  const { lease, worker, outcome, attempts, elapsedMs, atMs } = change;
  const task = findTask(state, change.task);
  const group = state.groups.get(taskParts(change.task).group);
  if (task === undefined || group === undefined) return UNKNOWN;
  if (lease !== undefined && !state.epochs.includes(lease.epoch)) return UNKNOWN;
  if (task.outcome !== undefined) return isSame(task.outcome, change) ? AGAIN : superseded(task.outcome);
  task.outcome = { outcome, lease, worker, attempts, elapsedMs, atMs };
  task.open.clear();
  task.checkpoints = change.keepCheckpoint === true ? highestOf(task.checkpoints, 1) : [];
  state.openTasks.delete(task.id);
  group.counts[outcome.state] += 1;
  group.attempts += attempts;
  if (task.trial !== undefined) group.outcomes.push(task);
  noteBest(state, group.id, task);
  return RECORDED;
}

/** The first of equals stays the best. Only completed trials compete: a pruned one was measured too early. */
function noteBest(state: DiskState, experimentId: GroupId, task: DiskTask): void {
  const experiment = state.experiments.get(experimentId);
  const outcome = task.outcome?.outcome;
  if (experiment === undefined || outcome?.state !== "completed") return;
  const score = scoreOf(experiment.objectives[0], outcome.metrics);
  if (score === undefined || (experiment.best !== undefined && experiment.best.score >= score)) return;
  experiment.best = { number: task.number, score };
}

function addExperiment(state: DiskState, change: Of<"experiment_added">): StoreVerdict {
  if (state.experiments.has(change.experiment)) return AGAIN;
  state.experiments.set(change.experiment, {
    ...readStoredSpec(change.spec),
    id: change.experiment,
    name: change.name,
    spec: change.spec,
    createdAtMs: change.atMs,
    state: "running",
    reason: "",
    endedAtMs: null,
    best: undefined,
  });
  return RECORDED;
}

function setExperimentState(state: DiskState, change: Of<"experiment_state">): StoreVerdict {
  const experiment = state.experiments.get(change.experiment);
  if (experiment === undefined) return UNKNOWN;
  if (experiment.state === change.state && experiment.reason === change.reason) return AGAIN;
  experiment.endedAtMs = isOver(change.state) ? experiment.endedAtMs ?? change.atMs : null;
  experiment.state = change.state;
  experiment.reason = change.reason;
  return { type: "recorded", name: experiment.name };
}

/** A task by its id. */
export function findTask(state: DiskState, id: TaskId): DiskTask | undefined {
  const { group, number } = taskParts(id);
  return state.groups.get(group)?.tasks.get(number);
}

/** The task of a lease that this store granted: one of another store's epoch counts for nothing here. */
function taskOfLease(state: DiskState, lease: Lease): DiskTask | undefined {
  return state.epochs.includes(lease.epoch) ? findTask(state, lease.task) : undefined;
}

/** Whether an epoch is this store's, now or under an earlier id. */
function isKnown(state: DiskState, epoch: Epoch): boolean {
  return state.epochs.includes(epoch) || state.formerEpochs.includes(epoch);
}

function isSame(recorded: DiskOutcome, change: Of<"outcome">): boolean {
  if (recorded.outcome.state !== change.outcome.state) return false;
  if (recorded.lease === undefined || change.lease === undefined) return recorded.lease === change.lease;
  return leaseKey(recorded.lease) === leaseKey(change.lease);
}
