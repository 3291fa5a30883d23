/**
 * Watches checkpoints from their recording to those who go on from them, from outside the rules that keep them.
 *
 * Watches: of a task without outcome the highest stay, as many as its policy says, and of one with its outcome none, or
 * the highest; what a lease says that was told to end is none to go on from; the next attempt goes on from the highest that
 * the cluster was told of, has its row before its worker hears of it, and nobody goes on from what was never recorded.
 * Not here: whether an evaluator saved it (saving.ts), the curves that come of it (curve.ts).
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import { type CheckpointPolicy, CHECKPOINTS_DEFAULT, type Restore } from "../../../shared/model/artifact.ts";
import { type TaskId, taskParts } from "../../../shared/model/ids.ts";
import { type Lease, leaseKey, type TaskTemplate } from "../../../shared/model/task.ts";
import type { Assign, ToWorker } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "../../../master/cluster/core.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { DiskState, DiskTask } from "../../../master/store/memory_state.ts";
import type { NewReport, StoreChange, StoreVerdict } from "../../../master/store/store.ts";
import type { Findings } from "../findings.ts";

type Reports = Extract<StoreChange, { type: "reports" }>;

/** A checkpoint that counts. */
interface Counted {
  readonly key: string;
  readonly number: number;
  readonly step: number;
  readonly sha256: string;
}

/** What the facts are compared with. */
export interface CheckpointFactsOptions {
  readonly findings: Findings;
  readonly state: () => DiskState;
  readonly templateOf: (task: string) => TaskTemplate | undefined;
}

/** What should be kept of each task, by a model of its own. */
export class CheckpointFacts {
  readonly #options: CheckpointFactsOptions;
  /** In the order of their recording. */
  #kept = new Map<TaskId, readonly Counted[]>();
  /** All that ever counted. */
  #ever = new Map<string, Counted>();

  constructor(options: CheckpointFactsOptions) {
    this.#options = options;
  }

  committed(changes: readonly StoreChange[], verdicts: readonly StoreVerdict[]): void {
    const touched = new Set<TaskId>();
    for (const [index, change] of changes.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) continue;
      if (change.type === "reports" && change.keep !== undefined) this.#count(change, verdict, touched);
      if (change.type === "outcome" && verdict.type === "recorded" && verdict.again !== true) {
        this.#end(change.task, touched);
      }
    }
    for (const task of touched) this.#check(task);
  }

  /** The disk was replaced: only what is on it counts. */
  restored(state: DiskState): void {
    this.#kept = new Map();
    this.#ever = new Map();
    for (const group of state.groups.values()) {
      for (const task of group.tasks.values()) {
        const counted = task.checkpoints.map((each) => {
          const key = leaseKey({ epoch: each.epoch, task: task.id, attempt: each.attempt });
          return { key, number: 0, step: each.step, sha256: each.sha256 };
        });
        if (counted.length > 0) this.#kept.set(task.id, counted);
        for (const each of counted) this.#ever.set(each.sha256, each);
      }
    }
  }

  /** Whether a lease's checkpoint ever counted. */
  hasCounted(task: TaskId, { epoch, attempt, step, sha256 }: Restore): boolean {
    const counted = this.#ever.get(sha256);
    return counted?.step === step && counted.key === leaseKey({ epoch, task, attempt });
  }

  /** The highest step of a task's checkpoints that count; those of a lease alone up to a report's number, where it is named. */
  highest(task: TaskId, lease?: Lease, upTo = Infinity): number {
    const key = lease === undefined ? undefined : leaseKey(lease);
    const steps = (this.#kept.get(task) ?? [])
      .filter((each) => (key === undefined || each.key === key) && each.number <= upTo);
    return Math.max(-1, ...steps.map(({ step }) => step));
  }

  #count({ lease, reports }: Reports, verdict: StoreVerdict, touched: Set<TaskId>): void {
    const { keep } = this.#policy(lease.task);
    for (const { number, step, checkpoint } of fresh(reports, verdict)) {
      if (checkpoint === undefined) continue;
      const counted = { key: leaseKey(lease), number, step, sha256: checkpoint.sha256 };
      this.#ever.set(counted.sha256, counted);
      const all = [...this.#kept.get(lease.task) ?? [], counted];
      this.#kept.set(lease.task, highest(all, keep));
      touched.add(lease.task);
    }
  }

  #end(task: TaskId, touched: Set<TaskId>): void {
    const kept = this.#kept.get(task);
    if (kept === undefined) return;
    this.#kept.set(task, highest(kept, this.#policy(task).keepEnded ? 1 : 0));
    touched.add(task);
  }

  #check(task: TaskId): void {
    const expected = (this.#kept.get(task) ?? []).map(({ sha256, step }) => `${step} ${sha256}`);
    const { group, number } = taskParts(task);
    const stored = this.#options.state().groups.get(group)?.tasks.get(number)?.checkpoints ?? [];
    const found = stored.map(({ sha256, step }) => `${step} ${sha256}`);
    this.#options.findings.expect(
      "checkpoints_kept",
      JSON.stringify(found) === JSON.stringify(expected),
      () => `of ${task} the checkpoints ${found} are kept, and should be ${expected}`,
    );
  }

  #policy(task: TaskId): CheckpointPolicy {
    return this.#options.templateOf(task)?.checkpoints ?? CHECKPOINTS_DEFAULT;
  }
}

/** Those that a commit recorded. */
function fresh(reports: readonly NewReport[], verdict: StoreVerdict): readonly NewReport[] {
  if (verdict.type === "gap") {
    return reports.filter(({ number }) => number <= verdict.last).slice(verdict.known ?? 0);
  }
  return verdict.type === "recorded" && verdict.again !== true ? reports.slice(verdict.known ?? 0) : [];
}

/** The highest of them, of equal steps the newest, in the order in which they stand. */
function highest(all: readonly Counted[], keep: number): readonly Counted[] {
  const kept = new Set(all.toReversed().sort((one, other) => other.step - one.step).slice(0, keep));
  return all.filter((each) => kept.has(each));
}

/** What one life of the cluster makes of checkpoints. */
export class CheckpointWatch {
  readonly #core: ClusterCore;
  readonly #findings: Findings;
  readonly #facts: CheckpointFacts;
  readonly #state: () => DiskState;
  readonly #isNewest: () => boolean;
  /** The highest step that the cluster was told of, by task. */
  readonly #known = new Map<TaskId, number>();
  /** Leases that were told to end before this turn, and in it. */
  readonly #toldToEnd = new Set<string>();
  #toldNow: string[] = [];
  readonly #registered = new Map<number, readonly Lease[]>();

  constructor(
    core: ClusterCore,
    { findings, checkpoints, state }: {
      readonly findings: Findings;
      readonly checkpoints: CheckpointFacts;
      readonly state: () => DiskState;
    },
    isNewest: () => boolean,
  ) {
    this.#core = core;
    this.#findings = findings;
    this.#facts = checkpoints;
    this.#state = state;
    this.#isNewest = isNewest;
    const say = core.say.bind(core);
    core.say = (session, envelope) => {
      if (session !== undefined) this.#says(session, envelope);
      say(session, envelope);
    };
    const add = core.log.add.bind(core.log);
    core.log.add = (change, then) => {
      this.#writes(change);
      add(change, then);
    };
  }

  /** The cluster is about to hear this. */
  hears(message: ClusterMessage): void {
    if (message.type === "worker_joined") this.#registered.set(message.session.id, message.register.leases);
    if (message.type !== "recovered") return;
    for (const task of this.#state().openTasks.keys()) this.#known.set(task, this.#facts.highest(task));
  }

  turnEnded(): void {
    for (const key of this.#toldNow) this.#toldToEnd.add(key);
    this.#toldNow = [];
  }

  #says(session: Ref<never>, envelope: ToWorker): void {
    switch (envelope.type) {
      case "cancel":
        this.#toldNow.push(leaseKey(envelope));
        return;
      case "welcome":
        for (const [index, lease] of (this.#registered.get(session.id) ?? []).entries()) {
          if (envelope.keep[index] === false) this.#toldNow.push(leaseKey(lease));
        }
        this.#registered.delete(session.id);
        return;
      case "taken": {
        const { task, reports } = envelope;
        const told = this.#facts.highest(task, envelope, reports);
        this.#known.set(task, Math.max(told, this.#known.get(task) ?? -1));
        return;
      }
      case "assign":
        return this.#assigns(envelope);
      default:
        return;
    }
  }

  #writes(change: StoreChange): void {
    if (change.type === "reports" && change.keep !== undefined) {
      const key = leaseKey(change.lease);
      this.#expect(
        !this.#toldToEnd.has(key),
        () => `${key} was told to end, and its checkpoint counts`,
      );
    }
    if (change.type !== "attempt_opened" || change.continues === undefined) return;
    this.#goesOn(change.lease, change.continues.step);
  }

  #assigns(assign: Assign): void {
    const { restore } = assign;
    if (restore === undefined) return this.#goesOn(assign, -1);
    const key = leaseKey(assign);
    this.#expect(
      this.#facts.hasCounted(assign.task, restore),
      () => `${key} goes on from step ${restore.step}, which was never recorded`,
    );
    const row = this.#diskTask(assign.task)?.continued.get(key)?.from;
    this.#expect(
      row?.sha256 === restore.sha256 && row.step === restore.step,
      () => `${key} goes on from step ${restore.step}, and its row says ${row?.step}`,
    );
  }

  /** A lease is granted. */
  #goesOn({ epoch, task, attempt }: Lease, step: number): void {
    const known = this.#known.get(task) ?? -1;
    this.#expect(
      step >= known,
      () => `${leaseKey({ epoch, task, attempt })} goes on from step ${step}, and ${known} is durable`,
    );
  }

  #expect(holds: boolean, message: () => string): void {
    // One that a second master has superseded does not know what that has written.
    if (!this.#isNewest() || this.#core.lost !== undefined) return;
    this.#findings.expect("checkpoints_kept", holds, message);
  }

  #diskTask(id: TaskId): DiskTask | undefined {
    const { group, number } = taskParts(id);
    return this.#state().groups.get(group)?.tasks.get(number);
  }
}
