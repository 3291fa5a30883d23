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
  needsNothing,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from "../../shared/model/resources.ts";
import type { Register, WorkerFacts, WorkerVitals } from "../../shared/protocol/worker_envelopes.ts";
import type { LiveAttempt } from "./live_task.ts";
import type { ToWorkerSession } from "./messages.ts";
import { WorkerDevices } from "./worker_devices.ts";

/** Why a worker gets one attempt at a time, and none before a moment. */
export interface Probation {
  level: number;
  untilMs: number;
  readonly reason: string;
  /** Of its streak alone: ends as soon as others fail as it does. */
  readonly isOfStreak: boolean;
}

/** A moment on the cluster's clocks. */
export interface Moment {
  readonly nowMs: number;
  readonly attentiveMs: number;
  /** Since 1970. */
  readonly wallMs: number;
}

/** How late a registration may have come, with what it said of the time that is left. */
const CLOCKS_DIFFER_MS = 30_000;

/** One worker: its present or last life. */
export class WorkerRecord {
  readonly id: WorkerId;
  incarnation: Incarnation;
  session: Ref<ToWorkerSession> | undefined;
  slots = 0;
  executors: ReadonlySet<string> = new Set();
  facts: WorkerFacts | undefined;
  vitals: WorkerVitals | undefined;
  labels: ReadonlySet<string> = new Set();
  readonly devices = new WorkerDevices();
  /** When it will go by itself, on the cluster's monotonic clock; Infinity where nobody knows. */
  leavesAtMs = Infinity;
  /** The same in milliseconds since 1970, as it was told; null where nobody knows. */
  leavesAtWallMs: number | null = null;
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

  /** @param devices those that the need is drawn of */
  draw(need: Resources, devices: readonly string[]): void {
    if (needsNothing(need)) return;
    this.#drawn = addResources(this.#drawn, need);
    if (devices.length > 0) this.devices.books.draw(devices, need);
  }

  giveBack(need: Resources, devices: readonly string[]): void {
    if (needsNothing(need)) return;
    this.#drawn = subtractResources(this.#drawn, need);
    if (devices.length > 0) this.devices.books.giveBack(devices, need);
  }

  /** The devices of an attempt are others than was thought: its worker says so. */
  holdsOn(attempt: LiveAttempt, devices: readonly string[]): void {
    const { resources } = attempt.task.group.template;
    if (resources.gpus === 0) return;
    this.devices.books.giveBack(attempt.devices, resources);
    this.devices.books.draw(devices, resources);
    attempt.devices = devices;
  }

  /** It handed back an attempt that it had not begun, and does not leave: it would do so again. */
  handedBack({ devices, task }: LiveAttempt, nowMs: number): void {
    if (devices.length > 0) this.devices.handedBack(devices);
    // Its clock and ours differ by the time that its registration took.
    const { minTimeMs = 0 } = task.group.template;
    if (this.leavesAtMs - nowMs - minTimeMs < CLOCKS_DIFFER_MS) {
      this.leavesAtMs = Math.min(this.leavesAtMs, nowMs + minTimeMs - 1);
    }
  }

  /** A life of it has come or come back. */
  attach(session: Ref<ToWorkerSession>, register: Register, at: Moment): void {
    this.session = session;
    const isSameLife = this.incarnation === register.incarnation;
    if (!isSameLife) {
      this.leaving = false;
      this.stopGraceMs = undefined;
    }
    this.incarnation = register.incarnation;
    this.slots = register.slots;
    this.executors = new Set(register.executors);
    this.labels = new Set(register.labels);
    const { timeLeftMs = null } = register;
    this.leavesAtMs = timeLeftMs === null ? Infinity : at.nowMs + timeLeftMs;
    this.leavesAtWallMs = timeLeftMs === null ? null : at.wallMs + timeLeftMs;
    this.facts = register.facts;
    this.heardAtMs = at.attentiveMs;
    this.devices.registered(register, isSameLife);
    // What it has by name counts, whatever number it says beside.
    this.#pool = { ...register.pool, gpus: this.devices.books.size };
    for (const { task, devices } of this.attempts) {
      this.devices.books.draw(devices, task.group.template.resources);
    }
    this.doubtful = false;
    this.registrations += 1;
  }
}
