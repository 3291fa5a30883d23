/**
 * What the cluster knows of one worker.
 *
 * Promise: slots and pool are drawn when a lease is granted and given back when the worker says that it has ended, or
 * when the worker is given up.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { Incarnation, TaskId, WorkerId } from "../../shared/model/ids.ts";
import {
  addResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from "../../shared/model/resources.ts";
import type { Register, WorkerFacts, WorkerVitals } from "../../shared/protocol/worker_envelopes.ts";
import type { LiveAttempt } from "./live_task.ts";
import type { ToWorkerSession } from "./messages.ts";

/** Why a worker gets one attempt at a time, and none before a moment. */
export interface Probation {
  level: number;
  untilMs: number;
  readonly reason: string;
  /** Of its streak alone: ends as soon as others fail as it does. */
  readonly isOfStreak: boolean;
}

/** One worker: its present or last life. */
export class WorkerRecord {
  readonly id: WorkerId;
  incarnation: Incarnation;
  session: Ref<ToWorkerSession> | undefined;
  slots = 0;
  executors: ReadonlySet<string> = new Set();
  facts: WorkerFacts | undefined;
  vitals: WorkerVitals | undefined;
  roundTripMs: number | null = null;
  /** In the order of assignment: the first `slots` of them run, the others wait on the worker. */
  readonly attempts = new Set<LiveAttempt>();
  /** Whose results it announced when it registered. What has not come by its first heartbeat will not come. */
  readonly announced = new Set<LiveAttempt>();
  /** On the attentive clock. */
  heardAtMs: number;
  /** Since when its leases count again, on the cluster's monotonic clock. */
  certainSinceMs = 0;
  /** Silent or without a session: its leases are doubtful. */
  doubtful = true;
  /** It said that it is leaving, or was told to: nothing more is given to it. */
  leaving = false;
  /** The grace that it was told to end within. */
  stopGraceMs: number | undefined;
  registrations = 0;
  completed = 0;
  failed = 0;
  /** Tasks that it failed and another completed, since its own last success. */
  blamed = 0;
  /** Different tasks whose evaluators failed on it in a row: as many as are looked at. */
  readonly failing = new Set<TaskId>();
  probation: Probation | undefined;
  #pool: Resources = NO_RESOURCES;
  #drawn: Resources = NO_RESOURCES;

  constructor(id: WorkerId, incarnation: Incarnation, heardAtMs: number) {
    this.id = id;
    this.incarnation = incarnation;
    this.heardAtMs = heardAtMs;
  }

  /** What the pool has left. */
  get free(): Resources {
    return subtractResources(this.#pool, this.#drawn);
  }

  get pool(): Resources {
    return this.#pool;
  }

  get drawn(): Resources {
    return this.#drawn;
  }

  /** Attempts that have a slot. */
  get running(): number {
    return Math.min(this.slots, this.attempts.size);
  }

  /** Attempts that wait on the worker. */
  get queued(): number {
    return this.attempts.size - this.running;
  }

  /** Whether it can be given something at all. */
  isAvailable(nowMs: number): boolean {
    if (this.session === undefined || this.doubtful || this.leaving) return false;
    return this.probation === undefined || (nowMs >= this.probation.untilMs && this.attempts.size === 0);
  }

  draw(need: Resources): void {
    this.#drawn = addResources(this.#drawn, need);
  }

  giveBack(need: Resources): void {
    this.#drawn = subtractResources(this.#drawn, need);
  }

  /** A life of it has come or come back. */
  attach(session: Ref<ToWorkerSession>, register: Register, nowMs: number): void {
    this.session = session;
    if (this.incarnation !== register.incarnation) {
      this.leaving = false;
      this.stopGraceMs = undefined;
    }
    this.incarnation = register.incarnation;
    this.slots = register.slots;
    this.#pool = register.pool;
    this.executors = new Set(register.executors);
    this.facts = register.facts;
    this.heardAtMs = nowMs;
    this.doubtful = false;
    this.registrations += 1;
  }
}
