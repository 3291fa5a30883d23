/**
 * Watches what the cluster gives out, and what it writes down.
 *
 * Watches: nothing is given to a worker that is silent or leaves, or of a task that has its outcome, waits for its
 * worker after a restart, or failed for good; what runs on a worker is in the cluster's books; no assignment is called
 * never received that was executed, and none is executed that was.
 * Not here: what is said of results (verdicts.ts).
 *
 * @module
 */
import type { Context, Ref } from "../../../shared/actor/actor.ts";
import { storeOf, type TaskId, taskParts } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Register, ToWorker } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "../../../master/cluster/core.ts";
import type { LiveAttempt } from "../../../master/cluster/live_task.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { WorkerRecord } from "../../../master/cluster/worker_record.ts";
import type { DiskTask } from "../../../master/store/memory_state.ts";
import type { StoreChange } from "../../../master/store/store.ts";
import type { ClusterMemory } from "./cluster_tap.ts";
import { checkVerdict } from "./verdicts.ts";

/** One at work, and one in case it is gone. */
const LEASES_MAX = 2;
/** Clocks are compared to the millisecond. */
const ROUNDING_MS = 1;

type Said = Extract<ClusterMessage, { type: "worker_said" }>;

/** What one life of the cluster gives out. */
export class GrantWatch {
  readonly #context: Context<never>;
  readonly #core: ClusterCore;
  readonly #memory: ClusterMemory;
  readonly #doubtfulSince: (attempt: LiveAttempt) => number | undefined;
  readonly #leaving = new Set<number>();
  /** Tasks whose outcome was given to the store. */
  readonly #ending = new Set<TaskId>();
  /** Leases whose ends are on their way to the store, and their tasks. */
  readonly #endsOnTheirWay = new Map<string, TaskId>();
  /** Leases that their worker was told to end, when it said that they had failed. */
  readonly #toldToEnd = new Set<string>();
  readonly #neverReceived = new Set<string>();
  /** Leases that wait for their rows before they are assigned. */
  readonly #granted = new Set<string>();
  /** Leases that a worker may be running. */
  readonly #out = new Map<string, Set<string>>();
  #recoveredMs = 0;
  /** Who was told of what this store lacks. */
  #missedBy = "";

  constructor(
    context: Context<never>,
    core: ClusterCore,
    memory: ClusterMemory,
    doubtfulSince: (attempt: LiveAttempt) => number | undefined,
  ) {
    this.#context = context;
    this.#core = core;
    this.#memory = memory;
    this.#doubtfulSince = doubtfulSince;
    const say = core.say.bind(core);
    core.say = (session, envelope) => {
      if (session !== undefined) this.#says(session, envelope);
      say(session, envelope);
    };
    const add = core.log.add.bind(core.log);
    core.log.add = (change, then) => {
      this.#writes(change);
      if (change.type !== "attempt_ended") return add(change, then);
      const key = leaseKey(change.lease);
      // One that comes again adds nothing.
      if (!this.#diskTask(change.lease.task)?.ended.has(key)) {
        this.#endsOnTheirWay.set(key, change.lease.task);
      }
      add(change, (verdict, commit) => {
        this.#endsOnTheirWay.delete(key);
        then?.(verdict, commit);
      });
    };
  }

  /** The cluster is about to hear this. */
  hears(message: ClusterMessage): void {
    if (message.type === "recovered") this.#recoveredMs = this.#context.attentiveNow();
    if (message.type === "worker_joined") this.#joins(message.register);
    if (message.type === "worker_said") this.#said(message);
  }

  #joins(register: Register): void {
    this.#noteLoss(register);
    const record = this.#core.workers.get(register.worker);
    const listed = new Set(register.leases.map(leaseKey));
    const out = this.#outOn(register.worker);
    for (const lease of register.leases) if (lease.state !== "finished") out.add(leaseKey(lease));
    if (record?.incarnation !== register.incarnation) return;
    for (const { lease } of record.attempts) {
      const key = leaseKey(lease);
      if (listed.has(key)) continue;
      const end = this.#memory.executions().byLease.get(key)?.end;
      if (!this.#memory.executions().byLease.has(key)) this.#neverReceived.add(key);
      this.#expect(
        "stale_words",
        (end !== "completed" && end !== "failed") || this.#memory.mayForget(),
        () => `${register.worker} does not list ${key}, which it has ${end}`,
      );
    }
  }

  #noteLoss({ worker, seen }: Register): void {
    const { epoch, commit } = this.#core;
    if (seen === null || epoch === undefined || storeOf(seen.epoch) !== storeOf(epoch)) return;
    const end = seen.epoch === epoch ? commit : this.#memory.state().epochEnds.get(seen.epoch);
    if (end === undefined || seen.commit > end) this.#missedBy = worker;
  }

  #said({ session, envelopes }: Said): void {
    const worker = this.#core.sessions.get(session.id);
    if (worker === undefined) return;
    for (const envelope of envelopes) {
      if (envelope.type === "stop") this.#leaving.add(session.id);
      if (envelope.type !== "result" || envelope.end.state !== "failed") continue;
      const key = leaseKey(envelope);
      const attempt = [...worker.attempts].find((each) => leaseKey(each.lease) === key);
      const why = attempt?.cancelling;
      if (why === "cancelled" || why === "duplicate") this.#toldToEnd.add(key);
    }
  }

  #says(session: Ref<never>, envelope: ToWorker): void {
    const worker = this.#core.sessions.get(session.id);
    if (envelope.type === "acknowledge") checkVerdict(this.#memory, envelope);
    if (envelope.type !== "assign" || worker === undefined) return;
    const key = leaseKey(envelope);
    this.#expect(
      "leases_watched",
      !worker.doubtful,
      () => `${key} is given to ${worker.id}, which is silent`,
    );
    this.#expect(
      "leases_watched",
      !this.#leaving.has(session.id),
      () => `${key} is given to ${worker.id}, which leaves`,
    );
    this.#expect(
      "loss_noticed",
      this.#missedBy === "",
      () => `${key} is given, and ${this.#missedBy} knows more`,
    );
    this.#expect("one_outcome", !this.#ending.has(envelope.task), () => `${key} is given, and its task ends`);
    this.#books(worker, key);
    // One that goes on from a checkpoint was granted when its row was written.
    if (!this.#granted.delete(key)) this.#task(envelope.task, key);
  }

  /** What runs on a worker has its place in the books. */
  #books(worker: WorkerRecord, granted: string): void {
    const out = this.#outOn(worker.id);
    const books = new Set([...worker.attempts].map(({ lease }) => leaseKey(lease)));
    for (const key of out) {
      const execution = this.#memory.executions().byLease.get(key);
      if (execution?.end !== undefined) out.delete(key);
      // Another process of this name has books of its own.
      if (execution === undefined || execution.process.node !== worker.facts?.hostname) continue;
      this.#expect(
        "slots_kept",
        execution.end !== undefined || books.has(key),
        () => `${granted} is given to ${worker.id}, whose slot ${key} has`,
      );
    }
    out.add(granted);
  }

  #task(id: TaskId, key: string): void {
    const { attempts = [], group } = this.#core.tasks.get(id) ?? {};
    const nowMs = this.#context.now();
    this.#expect(
      "lease_once",
      attempts.length <= LEASES_MAX,
      () => `${key} is lease ${attempts.length} of those out`,
    );
    for (const attempt of attempts) {
      const sinceMs = this.#doubtfulSince(attempt);
      if (sinceMs === undefined || group === undefined) continue;
      this.#expect(
        "leases_watched",
        nowMs - sinceMs >= group.template.reassignAfterMs - ROUNDING_MS,
        () => `${key} is given ${nowMs - sinceMs} ms after ${leaseKey(attempt.lease)} became doubtful`,
      );
    }
    this.#expect(
      "leases_watched",
      ![...this.#endsOnTheirWay.values()].includes(id),
      () => `${key} is given, and the end of the attempt before is not durable`,
    );
    const task = this.#diskTask(id);
    const held = new Set(attempts.map(({ lease }) => leaseKey(lease)));
    for (const [open, { lease }] of task?.open ?? []) {
      // A newer master over the same store has leases of its own.
      if (!this.#core.isOurs(lease.epoch)) continue;
      this.#expect(
        "leases_watched",
        held.has(open),
        () => `${key} is given, and the row of ${open} is left open`,
      );
    }
    if (task !== undefined) this.#window(task, key);
    this.#finality(id, task, key);
  }

  /** What a worker may still run, from before a restart, is left to it for a while. */
  #window(task: DiskTask, key: string): void {
    if (this.#context.attentiveNow() - this.#recoveredMs >= this.#core.options.lostAfterMs - ROUNDING_MS) {
      return;
    }
    for (const { lease, worker } of task.open.values()) {
      const isBack = (this.#core.workers.get(worker)?.registrations ?? 0) > 0;
      this.#expect(
        "leases_watched",
        isBack || lease.epoch === this.#core.epoch || !this.#core.isOurs(lease.epoch),
        () => `${key} is given, and ${worker}, which has ${leaseKey(lease)}, has not come back yet`,
      );
    }
  }

  #finality(id: TaskId, task: DiskTask | undefined, key: string): void {
    const { finalFailures, byLease } = this.#memory.executions();
    if (!finalFailures.has(id)) return;
    const failed = [...byLease.values()].filter((each) => each.task === id && each.end === "failed").length;
    const counted = [...task?.ended.values() ?? []].filter((cause) => cause === "evaluator").length;
    this.#expect(
      "retries_bounded",
      failed === 0 || counted < failed,
      () => `${key} is given, and its task failed for good`,
    );
  }

  #writes(change: StoreChange): void {
    if (change.type === "outcome") {
      this.#ending.add(change.task);
      const others = this.#core.tasks.get(change.task)?.attempts.filter((each) =>
        each.cancelling === undefined
      );
      this.#expect(
        "leases_watched",
        change.outcome.state !== "failed" || others === undefined || others.length === 0,
        () => `${change.task} fails while ${others?.map((each) => leaseKey(each.lease))} may complete it`,
      );
    }
    if (change.type === "attempt_ended") this.#ends(leaseKey(change.lease), change.cause);
    if (change.type !== "attempt_opened" || change.continues === undefined) return;
    const key = leaseKey(change.lease);
    this.#granted.add(key);
    this.#task(change.lease.task, key);
  }

  #ends(key: string, cause: string): void {
    this.#expect(
      "stale_words",
      cause !== "evaluator" || !this.#toldToEnd.has(key),
      () => `${key} was told to end, and its failure counts`,
    );
  }

  /** Whatever was never received must never be executed. */
  look(): void {
    for (const key of this.#neverReceived) {
      const execution = this.#memory.executions().byLease.get(key);
      if (execution === undefined) continue;
      this.#neverReceived.delete(key);
      if (execution.end !== undefined) continue;
      this.#expect(
        "stale_words",
        false,
        () => `${key} runs, and its worker did not have it when it came back`,
      );
    }
  }

  #outOn(worker: string): Set<string> {
    const out = this.#out.get(worker) ?? new Set();
    this.#out.set(worker, out);
    return out;
  }

  #expect(
    checker: Parameters<ClusterMemory["findings"]["expect"]>[0],
    holds: boolean,
    message: () => string,
  ): void {
    this.#memory.findings.expect(checker, holds, message);
  }

  #diskTask(id: TaskId): DiskTask | undefined {
    const { group, number } = taskParts(id);
    return this.#memory.state().groups.get(group)?.tasks.get(number);
  }
}
