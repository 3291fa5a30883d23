/**
 * Watches leases from their grant to their end, from outside the rules that grant and end them.
 *
 * Watches: at most two leases of a task are out, at most one of them at work on a worker that is there; what is doubtful
 * is given away, neither too early nor never; who is silent is lost in time; what has its outcome, its deadline or its
 * cancellation ends; a session that has ended is nobody's; what lives long has a row.
 * Not here: what is granted and what is written (grant_watch.ts).
 *
 * @module
 */
import type { Context, Ref } from "../../../shared/actor/actor.ts";
import { workerId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import { RIVAL_ANSWER_MS } from "../../../shared/protocol/limits.ts";
import type { Register } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "../../../master/cluster/core.ts";
import type { LiveAttempt } from "../../../master/cluster/live_task.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { WorkerRecord } from "../../../master/cluster/worker_record.ts";
import type { ClusterMemory } from "./cluster_tap.ts";
import { GrantWatch } from "./grant_watch.ts";
import { Lasting } from "./lasting.ts";

/** Whoever has to be told to end is told within this time. */
const TOLD_WITHIN_MS = 2_000;
/** A lease that lives longer than a second has a row soon after. */
const ROW_WITHIN_MS = 3_000;
/** The cluster looks at the clock every 250 ms. */
const TICK_SLACK_MS = 1_000;
/** A worker that does not hear that an attempt must end leaves its silent session by then. */
const HEARD_WITHIN_MS = 30_000;
/** Clocks are compared to the millisecond. */
const ROUNDING_MS = 1;
/** A killed evaluator is dead by then. */
const KILL_SLACK_MS = 2_000;

/** A process that came while another had its name. */
interface Newcomer {
  /** Who had it then. */
  readonly incarnation: string;
  readonly session: number;
  readonly sinceMs: number;
}

/** The leases of one life of the cluster. */
export class LeaseWatch {
  readonly #context: Context<never>;
  readonly #core: ClusterCore;
  readonly #memory: ClusterMemory;
  readonly #grants: GrantWatch;
  readonly #lasting = new Lasting();
  readonly #endedSessions = new Set<number>();
  /** By name, then by incarnation: processes that came while another had their name. */
  readonly #newcomers = new Map<string, Map<string, Newcomer>>();
  /** Doubtful, and not told to end, when it was looked last. */
  #doubtful = new Map<LiveAttempt, number>();

  constructor(context: Context<never>, core: ClusterCore, memory: ClusterMemory) {
    this.#context = context;
    this.#core = core;
    this.#memory = memory;
    this.#grants = new GrantWatch(context, core, memory, (attempt) => this.#doubtful.get(attempt));
  }

  /** The cluster is about to hear this. */
  hears(message: ClusterMessage): void {
    if (message.type === "worker_left") this.exits(message.session);
    if (message.type === "worker_joined") this.#joins(message.register);
    this.#grants.hears(message);
  }

  /** An actor that the cluster watches has ended. */
  exits(actor: Ref<never>): void {
    // Who has taken its name by now did not wait for this.
    for (const id of this.#newcomers.keys()) {
      const worker = this.#core.workers.get(workerId(id));
      if (worker !== undefined) this.#name(worker);
    }
    this.#endedSessions.add(actor.id);
  }

  /** A turn has ended: looks at everything that is out. */
  look(): void {
    this.#lasting.look(this.#context.now());
    this.#sessions();
    const doubtful = new Map<LiveAttempt, number>();
    for (const worker of this.#core.workers.values()) {
      this.#worker(worker);
      for (const attempt of worker.attempts) {
        this.#attempt(attempt, worker);
        if (attempt.doubtful && attempt.cancelling === undefined) {
          doubtful.set(attempt, this.#doubtful.get(attempt) ?? this.#context.now());
        }
      }
    }
    this.#doubtful = doubtful;
    this.#grants.look();
  }

  #expect(holds: boolean, message: () => string): void {
    this.#memory.findings.expect("leases_watched", holds, message);
  }

  #sessions(): void {
    for (const [id, worker] of this.#core.sessions) {
      this.#expect(
        worker.session?.id === id,
        () => `session ${id} of ${worker.id} is heard and not its newest`,
      );
      this.#expect(!this.#endedSessions.has(id), () => `session ${id} of ${worker.id} has ended and counts`);
    }
  }

  #joins({ worker: id, incarnation }: Register): void {
    const worker = this.#core.workers.get(id);
    if (worker?.session === undefined || worker.incarnation === incarnation) return;
    const nowMs = this.#context.attentiveNow();
    const newcomers = this.#newcomers.get(id) ?? new Map<string, Newcomer>();
    this.#newcomers.set(id, newcomers);
    // One that registers again while it waits does not wait anew.
    const known = newcomers.get(incarnation);
    if (known !== undefined && nowMs - known.sinceMs <= RIVAL_ANSWER_MS) return;
    const rival = { incarnation: worker.incarnation, session: worker.session.id };
    newcomers.set(incarnation, { ...rival, sinceMs: nowMs });
  }

  /** Whoever has a name keeps it for as long as it may take to answer, unless its session ends. */
  #name(worker: WorkerRecord): void {
    const taken = this.#newcomers.get(worker.id)?.get(worker.incarnation);
    if (taken === undefined) return;
    this.#newcomers.delete(worker.id);
    const askedMs = this.#context.attentiveNow() - taken.sinceMs;
    this.#expect(
      askedMs >= RIVAL_ANSWER_MS - ROUNDING_MS || this.#endedSessions.has(taken.session),
      () => `${taken.incarnation} lost its name to ${worker.incarnation} after ${askedMs} ms`,
    );
  }

  #worker(worker: WorkerRecord): void {
    this.#name(worker);
    if (!worker.doubtful || worker.attempts.size === 0) return;
    const silentMs = this.#context.attentiveNow() - worker.heardAtMs;
    if (silentMs < this.#core.options.lostAfterMs + TICK_SLACK_MS) return;
    const lastsMs = this.#lasting.claim(`${worker.id} is silent`);
    this.#expect(lastsMs < TICK_SLACK_MS, () => `${worker.id} is silent for ${silentMs} ms and not lost`);
  }

  #attempt(attempt: LiveAttempt, worker: WorkerRecord): void {
    const key = leaseKey(attempt.lease);
    this.#atWork(attempt, key);
    this.#givenAway(attempt, key);
    this.#told(attempt, worker, key);
    this.#row(attempt, key);
    this.#evaluator(attempt, worker, key);
  }

  #atWork(attempt: LiveAttempt, key: string): void {
    if (!isAtWork(attempt)) return;
    const others = attempt.task.attempts.filter((each) => each !== attempt && isAtWork(each));
    this.#expect(others.length === 0, () => `${key} and ${others.map(nameOf)} both go on`);
  }

  #givenAway(attempt: LiveAttempt, key: string): void {
    const { task } = attempt;
    const isHeldUp = task.exhausted !== undefined || task.isPruned || (task.ending?.leases.length ?? 0) > 0;
    const isLeft = task.state === "out" && task.attempts.length === 1 && !isHeldUp && this.#core.isOpen(task);
    this.#expect(
      !(isLeft && attempt.doubtful && attempt.cancelling === undefined),
      () => `${key} is doubtful, and its task waits for nothing`,
    );
  }

  #told(attempt: LiveAttempt, worker: WorkerRecord, key: string): void {
    this.#expect(
      attempt.cancelling !== "deadline" || !attempt.doubtful || !this.#doubtful.has(attempt),
      () => `${key} is doubtful and was ended by the master's deadline`,
    );
    const isOver = !this.#core.isOpen(attempt.task) && attempt.cancelling === undefined;
    if (!isOver || worker.doubtful || worker.session === undefined) return;
    const lastsMs = this.#lasting.claim(`${key} is over`);
    this.#expect(lastsMs < TOLD_WITHIN_MS, () => `${key} runs on, and its task has its outcome`);
  }

  #row(attempt: LiveAttempt, key: string): void {
    if (!isAtWork(attempt) || attempt.opened || !this.#core.isOpen(attempt.task)) return;
    const lastsMs = this.#lasting.claim(`${key} has no row`);
    this.#expect(lastsMs < ROW_WITHIN_MS, () => `${key} lives for ${lastsMs} ms without a row`);
  }

  /** What is told to end, or has a deadline, does so, as far as its process runs. */
  #evaluator(attempt: LiveAttempt, worker: WorkerRecord, key: string): void {
    const execution = this.#memory.executions().byLease.get(key);
    if (execution === undefined || execution.end !== undefined || execution.process.isPaused) return;
    const { deadlineMs = Infinity, graceMs } = attempt.task.group.template;
    const lastsMs = this.#lasting.claim(`${key} runs`);
    this.#expect(
      lastsMs < deadlineMs + graceMs + KILL_SLACK_MS,
      () => `${key} runs for ${lastsMs} ms, its deadline is ${deadlineMs} ms`,
    );
    if (attempt.cancelling === undefined || worker.doubtful || worker.session === undefined) return;
    const toldMs = this.#lasting.claim(`${key} must end`);
    this.#expect(
      toldMs < graceMs + HEARD_WITHIN_MS,
      () => `${key} was told to end (${attempt.cancelling}) and runs for ${toldMs} ms`,
    );
  }
}

function isAtWork(attempt: LiveAttempt): boolean {
  return !attempt.doubtful && attempt.cancelling === undefined;
}

function nameOf({ lease, worker }: LiveAttempt): string {
  return `${leaseKey(lease)} on ${worker.id}`;
}
