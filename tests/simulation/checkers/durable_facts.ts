/**
 * Looks at everything that becomes durable, as it does.
 *
 * Watches: at most one recorded outcome a task; a measurement is that of the task's own candidate and comes from a lease
 * that was executed to its end; failures count once, from leases that had not ended before; epochs rise.
 *
 * @module
 */
import { type Epoch, storeOf, type TaskId, taskParts } from "../../../shared/model/ids.ts";
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import { changesOf } from "../../../master/store/changes_of.ts";
import type { DiskState } from "../../../master/store/memory_state.ts";
import type { StoreChange, StoreVerdict } from "../../../master/store/store.ts";
import type { DiskObserver } from "../disk.ts";
import { candidateOf, measured, METRIC } from "../evaluator.ts";
import type { Executions } from "../executions.ts";
import type { Findings } from "../findings.ts";
import type { ScenarioName } from "../scenarios.ts";
import type { StoreLives } from "../store_lives.ts";
import type { Trace } from "../trace.ts";
import type { CheckpointFacts } from "./checkpoint_watch.ts";
import { hasCompletedAndPruned } from "./lease_scenarios.ts";

type Of<T extends StoreChange["type"]> = Extract<StoreChange, { type: T }>;

/** One change as the feed has to tell it. */
export interface FeedLine {
  readonly commit: number;
  readonly text: string;
}

/** What the durable facts are compared with. */
export interface DurableFactsOptions {
  readonly findings: Findings;
  readonly trace: Trace;
  readonly state: () => DiskState;
  readonly executions: () => Executions;
  readonly lives: StoreLives;
  /** Whether the commit that becomes durable now will be told to have failed. */
  readonly isUnanswered: () => boolean;
  readonly reached: (scenario: ScenarioName) => void;
  /** A result, or a failure, counts from now on. */
  readonly counted: (lease: Lease) => void;
  readonly checkpoints: CheckpointFacts;
}

/** What was durable when a copy was made. */
export interface FactsCopy {
  readonly feed: readonly FeedLine[];
  readonly epochs: readonly Epoch[];
  readonly outcomes: ReadonlyMap<TaskId, number>;
  readonly ended: ReadonlyMap<string, string>;
}

/** Everything that became durable. */
export class DurableFacts implements DiskObserver {
  readonly #options: DurableFactsOptions;
  /** All changes that the feed has to tell, in order. */
  feed: FeedLine[] = [];
  #epochs: Epoch[] = [];
  #outcomes = new Map<TaskId, number>();
  #ended = new Map<string, string>();

  readonly #commands = new Set<string>();

  constructor(options: DurableFactsOptions) {
    this.#options = options;
  }

  /** What is durable now, for a copy of the disk. */
  copy(): FactsCopy {
    return {
      feed: [...this.feed],
      epochs: [...this.#epochs],
      outcomes: new Map(this.#outcomes),
      ended: new Map(this.#ended),
    };
  }

  /** The disk was replaced: only this is durable now. */
  restore(copy: FactsCopy): void {
    this.feed = [...copy.feed];
    this.#commands.clear();
    this.#epochs = [...copy.epochs];
    this.#outcomes = new Map(copy.outcomes);
    this.#ended = new Map(copy.ended);
  }

  epochAdded(epoch: Epoch): void {
    const { findings, trace, lives } = this.#options;
    trace.add(`epoch ${epoch}`);
    const last = this.#epochs.at(-1);
    const rises = last === undefined || storeOf(last) !== storeOf(epoch) || number(epoch) > number(last);
    findings.expect("epoch_new", !lives.has(epoch) && rises, () => `${epoch} comes after ${last}`);
    this.#epochs.push(epoch);
    lives.epochAdded(epoch);
  }

  committed(commit: number, changes: readonly StoreChange[], verdicts: readonly StoreVerdict[]): void {
    if (hasCompletedAndPruned(changes)) this.#options.reached("completed_and_pruned");
    const words: string[] = [];
    for (const [index, change] of changes.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) continue;
      words.push(this.#change(change, verdict));
      for (const told of changesOf(change, verdict)) {
        this.feed.push({ commit, text: JSON.stringify(told) });
      }
    }
    this.#options.checkpoints.committed(changes, verdicts);
    this.#options.trace.add(`commit ${commit} ${words.join(", ")}`);
  }

  #change(change: StoreChange, verdict: StoreVerdict): string {
    switch (change.type) {
      case "command": {
        const nested = verdict.type === "recorded" ? verdict.nested ?? [] : [];
        const words = nested.map((each, index) => {
          const inner = change.changes[index];
          return inner === undefined ? "" : this.#change(inner, each);
        });
        if (verdict.type === "repeated") this.#repeated(change);
        this.#command(change, verdict);
        return `command ${change.id} ${verdict.type} (${words.join(", ")})`;
      }
      case "outcome":
        this.#outcome(change, verdict);
        return `outcome ${change.task} ${change.outcome.state} ${verdict.type}`;
      case "attempt_ended":
        this.#attemptEnded(change, verdict);
        return `attempt_ended ${leaseKey(change.lease)} ${change.cause} ${verdict.type}`;
      case "attempt_opened":
        return `attempt_opened ${leaseKey(change.lease)}${continuesWords(change)}`;
      case "tasks_submitted":
        return `submitted ${change.group} ${change.first}+${change.payloads.length}`;
      case "experiment_state":
        return `experiment ${change.experiment} ${change.state} ${change.reason}`;
      case "group_added":
      case "experiment_added":
      case "reports":
        return change.type;
    }
  }

  /** A client's submission came again: it had not heard the first reply. */
  #repeated({ changes }: Of<"command">): void {
    if (changes.some(({ type }) => type === "tasks_submitted" || type === "experiment_added")) {
      this.#options.reached("reply_lost");
    }
  }

  #command({ id }: Of<"command">, verdict: StoreVerdict): void {
    if (verdict.type !== "recorded") return;
    this.#options.findings.expect(
      "submissions_kept",
      !this.#commands.has(id),
      () => `${id} is carried out twice`,
    );
    this.#commands.add(id);
  }

  #outcome(change: Of<"outcome">, verdict: StoreVerdict): void {
    const { findings, isUnanswered, reached } = this.#options;
    if (verdict.type === "superseded" && isUnanswered()) reached("unknown_commit");
    if (verdict.type !== "recorded" || verdict.again === true) return;
    const count = (this.#outcomes.get(change.task) ?? 0) + 1;
    this.#outcomes.set(change.task, count);
    findings.expect("one_outcome", count === 1, () => `${change.task} has ${count} outcomes`);
    if (change.outcome.state === "completed") this.#measurement(change);
  }

  #measurement({ task, lease, outcome }: Of<"outcome">): void {
    const { findings, state, executions, counted } = this.#options;
    const { group, number } = taskParts(task);
    const payload = state().groups.get(group)?.tasks.get(number)?.payload;
    findings.expect(
      "store_fenced",
      lease === undefined ||
        (state().epochs.includes(lease.epoch) && storeOf(lease.epoch) === state().storeId),
      () => `${task} is completed by a lease of another store, ${lease?.epoch}`,
    );
    if (lease !== undefined) counted(lease);
    const value = outcome.state === "completed" ? outcome.metrics[METRIC] : undefined;
    findings.expect(
      "result_belongs",
      payload !== undefined && value === measured(candidateOf(payload)),
      () => `${task} has ${value}, which its candidate does not measure`,
    );
    const execution = lease === undefined ? undefined : executions().byLease.get(leaseKey(lease));
    findings.expect(
      "result_belongs",
      execution?.end === "completed" && execution.task === task,
      () => `${task} is completed by a lease whose execution ended ${execution?.end}`,
    );
  }

  #attemptEnded(change: Of<"attempt_ended">, verdict: StoreVerdict): void {
    if (verdict.type !== "recorded") return;
    const key = leaseKey(change.lease);
    const before = this.#ended.get(key);
    this.#options.findings.expect(
      "stale_words",
      before === undefined || verdict.again === true,
      () => `${key} ended as ${before}, and again as ${change.cause}`,
    );
    if (verdict.again === true) return;
    this.#ended.set(key, change.cause);
    if (change.cause === "evaluator") this.#options.counted(change.lease);
  }
}

function continuesWords({ continues }: Of<"attempt_opened">): string {
  return continues === undefined ? "" : ` from step ${continues.step} of attempt ${continues.attempt}`;
}

/** The epoch's number within its store. */
function number(epoch: Epoch): number {
  return Number(epoch.split(".")[1]);
}
