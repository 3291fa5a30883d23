/**
 * Recognises the scenarios about leases and workers' sessions where they come about, in drawn and in directed runs.
 *
 * Promise: looks on from outside, and changes nothing.
 * Not here: what must hold in them (the checkers); what can only be seen on the network or in a process.
 *
 * @module
 */
import type { Incarnation, WorkerId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { HeldLease, Register, Result } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "../../../master/cluster/core.ts";
import type { LiveAttempt, LiveTask } from "../../../master/cluster/live_task.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { WorkerRecord } from "../../../master/cluster/worker_record.ts";
import type { StoreChange } from "../../../master/store/store.ts";
import type { ScenarioName } from "../scenarios.ts";

const HOUR_MS = 3_600_000;

/** A lease that a worker brings back, and how things stood before it did. */
interface Return {
  readonly key: string;
  readonly task: LiveTask;
  readonly state: HeldLease["state"];
  /** The attempt of another worker to which the task had been given. */
  readonly other: LiveAttempt;
  /** How far the two had come: the steps of their checkpoints. */
  readonly checkpoints: readonly [mine: number, others: number];
}

/** What is met over all lives of the cluster. */
export class LeaseScenarios {
  readonly #reached: (scenario: ScenarioName) => void;
  readonly #now: () => number;
  /** Of each worker: the life that was welcomed last, and when it was heard last. */
  readonly #lives = new Map<WorkerId, { readonly incarnation: Incarnation; readonly heardMs: number }>();
  readonly #leftMs = new Map<WorkerId, number>();
  /** By the session: what came and may have to wait before it is welcomed. */
  #registers = new Map<number, Register>();
  #returns: readonly Return[] = [];
  /** Leases of tasks that were given away, whose results are announced. */
  readonly #announced = new Set<string>();
  #last: { readonly process: object; readonly hadDuplicates: boolean } | undefined;

  /** @param now virtual time, in ms */
  constructor(reached: (scenario: ScenarioName) => void, now: () => number) {
    this.#reached = reached;
    this.#now = now;
  }

  /** A life of the cluster begins. @param process whose it is */
  begins(process: object): void {
    if (this.#last?.process === process && this.#last.hadDuplicates) {
      this.#reached("cluster_restarted_in_process");
    }
    this.#last = undefined;
    this.#registers = new Map();
  }

  /** A life of the cluster has ended, its process maybe not. */
  ends(process: object, core: ClusterCore): void {
    const hadDuplicates = [...core.tasks.values()].some((task) =>
      task.attempts.filter((each) => each.cancelling === undefined).length > 1
    );
    this.#last = { process, hadDuplicates };
  }

  /** The cluster is about to hear something. */
  hears(core: ClusterCore, message: ClusterMessage): void {
    switch (message.type) {
      case "worker_joined":
        return this.#joins(core, message.session.id, message.register);
      case "worker_said": {
        const worker = core.sessions.get(message.session.id);
        if (worker !== undefined) this.#isHeard(worker.id, worker.incarnation);
        for (const each of message.envelopes) if (each.type === "result") this.#result(each);
        return;
      }
      case "worker_left":
        return this.sessionEnds(core, message.session.id);
      default:
        return;
    }
  }

  /** The cluster has heard it. */
  heard(): void {
    for (const { key, task, state, other, checkpoints: [mine, others] } of this.#returns) {
      if (mine > others && isKept(task, key)) this.#reached("returned_with_further_checkpoint");
      if (state === "finished") this.#announced.add(key);
      else if (other.cancelling === "duplicate") this.#reached("back_running_further");
      else if (other.cancelling === undefined && !isKept(task, key)) this.#reached("back_running_less_far");
    }
    this.#returns = [];
  }

  /** A session is over, by its own word or by its actor's end. */
  sessionEnds(core: ClusterCore, session: number): void {
    const worker = core.sessions.get(session);
    if (worker !== undefined) this.#leaves(worker);
  }

  /** The cluster welcomes whom it has taken in. */
  welcomes(session: number): void {
    const register = this.#registers.get(session);
    this.#registers.delete(session);
    if (register === undefined) return;
    const { worker, incarnation, leases } = register;
    const last = this.#lives.get(worker);
    if (last !== undefined && last.incarnation !== incarnation) {
      if (leases.some(({ state }) => state === "finished")) this.#reached("new_life_with_results");
    } else if (last !== undefined && this.#now() - last.heardMs > HOUR_MS) {
      this.#reached("back_after_an_hour");
    }
    this.#isHeard(worker, incarnation);
  }

  /** The cluster closes a session. @param message as its worker is told */
  closes(name: string, message: string): void {
    if (name === "rival") this.#reached("one_id_two_processes");
    if (name === "replaced" && message.startsWith("another process")) this.#reached("power_cycle");
  }

  #joins(core: ClusterCore, session: number, register: Register): void {
    this.#registers.set(session, register);
    const worker = core.workers.get(register.worker);
    if (worker === undefined) return;
    const isSame = worker.incarnation === register.incarnation;
    if (worker.session !== undefined) {
      // Another process of its name has to wait: how things stand when it is taken in is not seen here.
      if (!isSame) return;
      this.#leaves(worker);
    }
    const listed = new Set(register.leases.map((lease) => leaseKey(lease)));
    const missing = [...worker.attempts].some((each) =>
      each.cancelling === undefined && !listed.has(leaseKey(each.lease))
    );
    if (missing && isSame) this.#reached("never_received");
    this.#returns = register.leases.flatMap((lease) => this.#returned(core, worker, lease));
    if (isSame) this.#deadlines(core, worker, listed);
  }

  #returned(core: ClusterCore, worker: WorkerRecord, lease: HeldLease): Return[] {
    const task = core.tasks.get(lease.task);
    if (task === undefined || task.state === "settling") return [];
    const key = leaseKey(lease);
    if (task.lost.includes(key)) this.#reached("back_after_loss");
    const mine = task.attempts.find((each) => leaseKey(each.lease) === key);
    if (mine !== undefined && (mine.cancelling !== undefined || !mine.doubtful)) return [];
    const other = task.attempts.find((each) =>
      each.worker !== worker && !each.doubtful && each.cancelling === undefined
    );
    if (other === undefined) return [];
    const checkpoints = [lease.checkpoint ?? -1, other.checkpointStep] as const;
    return [{ key, task, state: lease.state, other, checkpoints }];
  }

  /** Deadlines of what it brings back that passed since its session had ended. */
  #deadlines(core: ClusterCore, worker: WorkerRecord, listed: ReadonlySet<string>): void {
    const leftMs = this.#leftMs.get(worker.id);
    if (leftMs === undefined) return;
    const awayMs = this.#now() - leftMs;
    for (const { lease, task, startedAtMs } of worker.attempts) {
      const { deadlineMs } = task.group.template;
      if (deadlineMs === undefined || !listed.has(leaseKey(lease))) continue;
      const passedMs = core.context.now() - startedAtMs - deadlineMs;
      if (passedMs > 0 && passedMs < awayMs) this.#reached("deadline_across_break");
    }
  }

  #result(result: Result): void {
    if (!this.#announced.delete(leaseKey(result))) return;
    if (result.end.state === "completed") this.#reached("back_finished");
    if (result.end.state === "failed") this.#reached("back_failed");
  }

  #leaves(worker: WorkerRecord): void {
    this.#leftMs.set(worker.id, this.#now());
    if ([...worker.attempts].some((each) => each.cancelling === "cancelled")) {
      this.#reached("cancelled_in_grace");
    }
  }

  #isHeard(worker: WorkerId, incarnation: Incarnation): void {
    this.#lives.set(worker, { incarnation, heardMs: this.#now() });
  }
}

function isKept(task: LiveTask, key: string): boolean {
  return task.attempts.some((each) => leaseKey(each.lease) === key && each.cancelling === undefined);
}

/** Whether one batch holds a completed and a pruned result of one task. */
export function hasCompletedAndPruned(changes: readonly StoreChange[]): boolean {
  const pruned = new Set<string>();
  for (const each of changes) {
    if (each.type === "outcome" && each.outcome.state === "pruned") pruned.add(each.task);
  }
  return changes.some((each) =>
    each.type === "outcome" && each.outcome.state === "completed" && pruned.has(each.task)
  );
}
