/**
 * A worker as the cluster sees it: a session that keeps what it is sent, and words that the test chooses.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Ref } from "../../../shared/actor/actor.ts";
import { incarnation, workerId } from "../../../shared/model/ids.ts";
import type { AttemptEnd, Metrics } from "../../../shared/model/outcome.ts";
import type { DeviceTrouble } from "../../../shared/model/devices.ts";
import type { Resources } from "../../../shared/model/resources.ts";
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import type {
  Acknowledge,
  FromWorker,
  HeldLease,
  Register,
  ToWorker,
} from "../../../shared/protocol/worker_envelopes.ts";
import type { ToWorkerSession } from "../../../master/cluster/messages.ts";
import type { Fleet } from "./fleet.ts";

/** What a worker registers with. */
export interface WorkerTraits {
  readonly slots: number;
  readonly pool: Resources;
  readonly incarnation: string;
  readonly executors: readonly string[];
  readonly leases: readonly HeldLease[];
  readonly seen: Register["seen"];
  readonly devices?: Register["devices"];
  readonly labels?: Register["labels"];
  readonly timeLeftMs?: Register["timeLeftMs"];
}

const TRAITS: WorkerTraits = {
  slots: 1,
  pool: { cpus: 8, memoryBytes: 1e9, gpus: 0 },
  incarnation: "first",
  executors: ["builtin"],
  leases: [],
  seen: null,
};

type Envelope = Exclude<FromWorker, Register>;

/** One session of a scripted worker. */
export class FakeWorker {
  readonly name: string;
  readonly session: Ref<ToWorkerSession>;
  readonly received: ToWorker[] = [];
  /** Why the master closed the session. */
  closed: { readonly name: string; readonly message: string } | undefined;
  isConnected = true;
  /** It does not say that it is there. */
  mute = false;
  readonly #fleet: Fleet;
  readonly #traits: WorkerTraits;
  readonly #completed = new Set<string>();
  #out: readonly DeviceTrouble[] = [];

  constructor(fleet: Fleet, name: string, traits: Partial<WorkerTraits>, session: string) {
    this.#fleet = fleet;
    this.name = name;
    this.#traits = { ...TRAITS, ...traits };
    this.session = fleet.spawn<ToWorkerSession>(
      session,
      () => ({ receive: (message) => this.#told(message) }),
    );
  }

  /** The leases that it was assigned in this session, in order. */
  get leases(): readonly Lease[] {
    return this.of("assign").map(({ epoch, task, attempt }) => ({ epoch, task, attempt }));
  }

  /** The devices of each of them. */
  get devices(): readonly (readonly string[])[] {
    return this.of("assign").map(({ devices }) => devices ?? []);
  }

  /** The last lease that it was assigned. */
  get lease(): Lease {
    const lease = this.leases.at(-1);
    assert.ok(lease !== undefined, `${this.name} was assigned nothing`);
    return lease;
  }

  of<T extends ToWorker["type"]>(type: T): readonly Extract<ToWorker, { type: T }>[] {
    return this.received.filter((each): each is Extract<ToWorker, { type: T }> => each.type === type);
  }

  /** The verdicts of its acknowledgements, in order. */
  get verdicts(): readonly string[] {
    return this.of("acknowledge").map((each) => each.verdict);
  }

  /** What it brought along. */
  get listed(): readonly HeldLease[] {
    return this.#traits.leases;
  }

  registers(): void {
    this.#fleet.post({
      type: "worker_joined",
      session: this.session,
      register: this.registration(this.#traits.seen),
    });
  }

  /** How it registers. @param seen the highest commit that it claims to have been told of */
  registration(seen: Register["seen"]): Register {
    const { slots, pool, executors, leases, devices, labels, timeLeftMs } = this.#traits;
    return {
      type: "register",
      version: { major: 1, minor: 0 },
      worker: workerId(this.name),
      incarnation: incarnation(this.#traits.incarnation),
      slots,
      pool,
      executors: [...executors],
      facts: {
        hostname: "host",
        os: "linux",
        arch: "x86_64",
        cpus: 8,
        memoryBytes: 1e9,
        pid: 1,
        runtime: "deno",
        software: "1",
      },
      seen,
      leases: [...leases],
      devices,
      labels,
      timeLeftMs,
    };
  }

  /** Says something, without waiting for what follows. */
  posts(...envelopes: Envelope[]): void {
    for (const each of envelopes) {
      if (each.type === "result" && each.end.state === "completed") this.#completed.add(leaseKey(each));
    }
    this.#fleet.post({ type: "worker_said", session: this.session, envelopes });
  }

  says(...envelopes: Envelope[]): void {
    this.posts(...envelopes);
    this.#fleet.settle();
  }

  ends(lease: Lease, end: AttemptEnd, elapsedMs = 10): void {
    this.says(result(lease, end, elapsedMs));
  }

  completes(lease: Lease = this.lease, elapsedMs = 10, metrics: Metrics = { accuracy: 0.5 }): void {
    this.ends(lease, { state: "completed", metrics }, elapsedMs);
  }

  fails(
    lease: Lease = this.lease,
    more: { message?: string; final?: boolean; cause?: "deadline" } = {},
  ): void {
    const { message = "it broke", final = false, cause = "evaluator" } = more;
    this.ends(lease, { state: "failed", cause, message, final });
  }

  /** These of its devices are out of service, and no others: so it says from now on. */
  saysOut(...out: readonly DeviceTrouble[]): void {
    this.#out = out;
    this.beats();
    this.#fleet.settle();
  }

  /** Its heartbeat. */
  beats(): void {
    this.posts({
      type: "heartbeat",
      sequence: 1,
      roundTripMs: null,
      running: 0,
      queued: 0,
      vitals: { cpuPercent: null, memoryUsedBytes: null, rssBytes: null, gpus: [] },
      devicesOut: [...this.#out],
    });
  }

  /** Its connection breaks. */
  leaves(): void {
    this.isConnected = false;
    this.#fleet.post({ type: "worker_left", session: this.session, reason: "the connection broke" });
    this.#fleet.settle();
  }

  #told(message: ToWorkerSession): void {
    if (message.type === "close") {
      this.closed = message;
      this.isConnected = false;
      return;
    }
    for (const envelope of message.envelopes) if (envelope.type === "acknowledge") this.#check(envelope);
    this.received.push(...message.envelopes);
  }

  /** What is acknowledged is durable. */
  #check(acknowledge: Acknowledge): void {
    assert.ok(acknowledge.commit <= this.#fleet.disk.state.commit, "acknowledged ahead of its commit");
    if (acknowledge.verdict === "unknown" || !this.#completed.has(leaseKey(acknowledge))) return;
    const recorded = this.#fleet.diskTask(acknowledge.task)?.outcome;
    assert.ok(recorded !== undefined, `acknowledged ${acknowledge.verdict} without an outcome`);
    const isThis = recorded.lease !== undefined && leaseKey(recorded.lease) === leaseKey(acknowledge);
    assert.equal(isThis, acknowledge.verdict === "recorded");
  }
}

/** A result's envelope. */
export function result(
  lease: Lease,
  end: AttemptEnd,
  elapsedMs = 10,
): Extract<FromWorker, { type: "result" }> {
  const { epoch, task, attempt } = lease;
  return { type: "result", epoch, task, attempt, end, elapsedMs };
}

/** A completed result's envelope. */
export function completed(lease: Lease, elapsedMs = 10): Extract<FromWorker, { type: "result" }> {
  return result(lease, { state: "completed", metrics: { accuracy: 0.5 } }, elapsedMs);
}

/** A lease as a worker brings it back. */
export function held(
  lease: Lease,
  state: HeldLease["state"],
  elapsedMs = 0,
  devices?: readonly string[],
): HeldLease {
  return { ...lease, state, elapsedMs, devices };
}
