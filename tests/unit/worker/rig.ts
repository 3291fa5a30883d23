/**
 * A whole worker on virtual time, with a master and evaluators that do what a test tells them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Ref } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import type { RunLoop } from "../../../shared/actor/run_loop.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import type { Device } from "../../../shared/model/devices.ts";
import { groupId, incarnation, taskId, workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { type Lease, leaseKey, RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import type { Assign, Report, Result } from "../../../shared/protocol/worker_envelopes.ts";
import { builtinExecutor } from "../../../worker/executors/builtin.ts";
import type { Executor, ExecutorEvent } from "../../../worker/executors/executor.ts";
import { type WorkerRootMessage, workerTree } from "../../../worker/tree.ts";
import type {
  Journal,
  JournaledResult,
  SeenMemory,
  VitalsSource,
  WorkerOptions,
} from "../../../worker/tree_ports.ts";
import { EPOCH, FakeMaster } from "./fake_master.ts";

/** A template whose evaluator a test steers. */
export const STEERED: TaskTemplate = {
  evaluator: { kind: "module", path: "/evaluate.ts" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: RETRY_DEFAULTS,
  graceMs: 500,
  reassignAfterMs: 0,
};
/** A template of an evaluator that ends within `start`. */
export const NOOP: TaskTemplate = { ...STEERED, evaluator: { kind: "builtin", name: "noop" } };

/** The lease of attempt 1 of task `number`. */
export function leaseOf(number: number): Lease {
  return { epoch: EPOCH, task: taskId(groupId("group"), number), attempt: 1 };
}

/** An order to run task `number`. */
export function assignOf(number: number, template: TaskTemplate = STEERED): Assign {
  return {
    type: "assign",
    ...leaseOf(number),
    template: encode(template),
    payload: encode({ candidate: number }),
  };
}

/** An evaluator at work. */
export interface Work {
  readonly slot: number;
  readonly devices: readonly Device[] | undefined;
  readonly events: (event: ExecutorEvent) => void;
  /** The grace periods with which it was asked to stop. */
  readonly stops: number[];
}

/** Evaluators that do nothing by themselves, but obey a stop at once where told so. */
export class Steered {
  readonly kind = "module";
  readonly works = new Map<string, Work>();
  /** Tasks in the order in which they were started. */
  readonly started: string[] = [];
  obeys = true;
  /** Called in `stop`, where a bug is wanted. */
  onStop = () => {};

  readonly start: Executor["start"] = (attempt, events) => {
    const work: Work = { slot: attempt.slot, devices: attempt.devices, events, stops: [] };
    this.works.set(attempt.lease.task, work);
    this.started.push(attempt.lease.task);
    return {
      stop: (graceMs) => {
        this.onStop();
        work.stops.push(graceMs);
        if (this.obeys && this.works.delete(attempt.lease.task)) {
          events({ type: "ended", end: { state: "stopped" } });
        }
      },
    };
  };

  work(number: number): Work {
    const work = this.works.get(leaseOf(number).task);
    assert(work !== undefined, `task ${number} does not run`);
    return work;
  }

  end(number: number, end: Extract<ExecutorEvent, { type: "ended" }>["end"]): void {
    const { events } = this.work(number);
    this.works.delete(leaseOf(number).task);
    events({ type: "ended", end });
  }

  complete(number: number, score = number): void {
    this.end(number, { state: "completed", metrics: { score } });
  }
}

/** A journal in memory. */
export class FakeJournal implements Journal {
  readonly results = new Map<string, JournaledResult>();
  appended = 0;

  waiting(): readonly JournaledResult[] {
    return [...this.results.values()];
  }

  append(result: Result, reports: readonly Report[]): void {
    this.appended += 1;
    this.results.set(leaseKey(result), { result, reports });
  }

  settle(lease: Lease): void {
    this.results.delete(leaseKey(lease));
  }
}

/** A process that can be stopped and continued: what is due meanwhile comes late. */
class FreezableLoop implements RunLoop {
  readonly #loop: VirtualLoop;
  frozenUntilMs = 0;

  constructor(loop: VirtualLoop) {
    this.#loop = loop;
  }

  now = () => this.#loop.now();
  wallClock = () => this.#loop.wallClock();
  soon = (call: () => void) => void this.timer(0, call);
  yield = (call: () => void) => void this.timer(0, call);

  timer(delayMs: number, call: () => void): () => void {
    let cancel = this.#loop.timer(delayMs, () => {
      const leftMs = this.frozenUntilMs - this.#loop.now();
      if (leftMs <= 0) call();
      else cancel = this.#loop.timer(leftMs, call);
    });
    return () => cancel();
  }
}

/** What a test may want otherwise. */
export type RigOptions =
  & Partial<
    Pick<WorkerOptions, "masters" | "slots" | "pool" | "devices" | "labels" | "limit" | "idleTimeoutMs">
  >
  & {
    readonly seed?: string;
    readonly journal?: FakeJournal;
    readonly seen?: SeenMemory;
    readonly prepare?: (master: FakeMaster) => void;
  };

/** A worker, its master and its evaluators. */
export class Rig {
  readonly loop: VirtualLoop;
  readonly process: FreezableLoop;
  readonly system: System;
  readonly master: FakeMaster;
  readonly evaluators = new Steered();
  readonly journal: FakeJournal;
  readonly setAside: Result[] = [];
  readonly exits: { readonly code: number; readonly message: string }[] = [];
  readonly logs: string[] = [];
  readonly root: Ref<WorkerRootMessage>;
  rootExit: string | undefined;
  sample: Parameters<VitalsSource["start"]>[0] = () => {};

  constructor(options: RigOptions = {}) {
    this.loop = new VirtualLoop(seededRandom(options.seed ?? "worker"));
    this.process = new FreezableLoop(this.loop);
    this.master = new FakeMaster(this.loop);
    options.prepare?.(this.master);
    this.journal = options.journal ?? new FakeJournal();
    this.system = new System(this.process, "worker", {
      log: (_level, path, text) => this.logs.push(`${path}: ${text}`),
      rootExited: (reason) => this.rootExit = reason.type,
    });
    this.root = this.system.start("worker", this.#tree(options));
  }

  #tree(options: RigOptions) {
    return workerTree({
      dialer: this.master.dialer,
      executors: [this.evaluators, builtinExecutor()],
      journal: this.journal,
      seen: options.seen ?? { read: () => null, note: () => {} },
      setAside: (result) => this.setAside.push(result),
      vitals: {
        start: (sample) => {
          this.sample = sample;
          return () => {};
        },
      },
      exit: (code, message) => this.exits.push({ code, message }),
    }, {
      masters: options.masters ?? ["ws://one/socket"],
      token: "secret",
      worker: workerId("w1"),
      incarnation: incarnation("life-1"),
      slots: options.slots ?? 2,
      pool: options.pool ?? NO_RESOURCES,
      devices: options.devices,
      labels: options.labels,
      limit: options.limit,
      idleTimeoutMs: options.idleTimeoutMs,
      facts: {
        hostname: "host",
        os: "linux",
        arch: "x86_64",
        cpus: 2,
        memoryBytes: 1e9,
        pid: 1,
        runtime: "deno",
        software: "0",
      },
    });
  }

  /** Lets a span of time pass. */
  pass(spanMs: number): this {
    this.loop.runFor(spanMs);
    return this;
  }

  /** Lets the worker find its master. */
  connected(): this {
    return this.pass(10);
  }

  /** Breaks the connection, and lets the worker come again. */
  reattach(): this {
    const before = this.master.sessions.length;
    this.master.session.close(1006, "");
    this.until(() => this.master.sessions.length > before);
    return this.pass(10);
  }

  until(condition: () => boolean, limitMs = 60_000): this {
    assert(this.loop.runUntil(condition, this.loop.now() + limitMs), `not within ${limitMs} ms`);
    return this;
  }

  /** The one result of a task, as the newest session heard it. */
  result(number: number): Result {
    const { task } = leaseOf(number);
    const results = this.master.session.results().filter((result) => result.task === task);
    assert.equal(results.length, 1, `task ${number} has ${results.length} results`);
    const [result] = results;
    assert(result !== undefined);
    return result;
  }

  /** How tasks ended, in all sessions. */
  states(number: number): readonly string[] {
    const { task } = leaseOf(number);
    return this.master.sessions.flatMap((session) => session.results())
      .filter((result) => result.task === task).map((result) => result.end.state);
  }

  stop(graceMs: number): void {
    this.system.post(this.root, { type: "stop", graceMs, reason: "SIGTERM" });
  }

  /** Ends what the test began. */
  [Symbol.dispose](): void {
    this.system.halt();
  }
}
