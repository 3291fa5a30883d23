/**
 * The cluster under anything at any time: sessions break, processes die, disks fill, masters restart, commands race.
 *
 * Promise: every task ends once, nothing is acknowledged ahead of its commit, and all ends when the faults do.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import type { Device } from "../../../shared/model/devices.ts";
import { type GroupId, groupId } from "../../../shared/model/ids.ts";
import { LIVE_LEASES_MAX } from "../../../master/cluster/live_task.ts";
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import { completed, type FakeWorker, held, result } from "./fake_worker.ts";
import { field, Fleet } from "./fleet.ts";

const STEPS = 60;
const NAMES = ["w1", "w2", "w3", "w4"];
const PENDING_MAX = 200;

const GPUS = ["g0", "g1"].map((id): Device => ({ id, kind: "cuda", name: "", memoryBytes: null }));

/** A lease that a process has. */
interface Running {
  readonly lease: Lease;
  readonly sinceMs: number;
  readonly devices: readonly string[] | undefined;
}

/** What a worker's process has, over all its sessions. */
interface Process {
  readonly name: string;
  life: number;
  session: FakeWorker | undefined;
  /** Leases that run or wait, with the time of their beginning. */
  readonly running: Map<string, Running>;
  /** Results that were not acknowledged. */
  readonly unsent: Map<string, ReturnType<typeof result>>;
  /** How much of what its session received it has read. */
  read: number;
}

/** A fleet of processes that do anything at any time. */
class Chaos {
  readonly fleet: Fleet;
  readonly random: Random;
  readonly processes: Process[] = NAMES.map((name) => ({
    name,
    life: 1,
    session: undefined,
    running: new Map(),
    unsent: new Map(),
    read: 0,
  }));
  readonly submissions: number[] = [];
  full = false;

  constructor(seed: number) {
    this.random = seededRandom("chaos", seed);
    this.fleet = new Fleet({ prefetchMax: this.random.pick([0, 8]) });
    this.fleet.faults = {
      latencyMs: () => this.random.integer(3) * 10,
      commitFate: () => this.random.next() < 0.1 ? this.random.pick(["refused", "applied_unanswered"]) : "ok",
      isFull: () => this.full,
    };
  }

  /** One random thing happens. */
  step(): void {
    const process = this.random.pick(this.processes);
    this.#read(process);
    const draw = this.random.next();
    if (draw < 0.15) {
      const name = this.random.pick(["a", "b", "c"]);
      this.submissions.push(
        this.fleet.sendSubmit(1 + this.random.integer(6), this.#template(), undefined, name),
      );
    } else if (draw < 0.35) this.#connect(process);
    else if (draw < 0.45) this.#disconnect(process);
    else if (draw < 0.5) this.#die(process);
    else if (draw < 0.75) this.#end(process);
    else if (draw < 0.8) this.#sayAgain(process);
    else if (draw < 0.84) this.#cancel();
    else if (draw < 0.86) this.#restart();
    else if (draw < 0.88) this.full = !this.full;
    else this.fleet.pass(this.random.pick([10, 300, 2_000, 16_000, 40_000]));
    this.fleet.settle();
    this.check();
  }

  /** All faults end; everybody is there and works. */
  heal(): void {
    this.full = false;
    this.fleet.faults = { latencyMs: () => 1, commitFate: () => "ok", isFull: () => false };
    this.fleet.pass(10_000);
    for (let round = 0; round < 300 && !this.#isDone(); round++) {
      for (const process of this.processes) {
        if (process.session?.isConnected !== true) this.#connect(process);
        process.session?.saysOut();
        this.#read(process);
        for (const { lease } of [...process.running.values()]) this.#complete(process, lease);
        this.fleet.settle();
      }
      this.fleet.pass(1_000);
    }
  }

  check(): void {
    for (const task of this.fleet.core.tasks.values()) {
      const live = task.attempts.filter((each) => !each.doubtful && each.cancelling === undefined);
      assert.ok(live.length <= LIVE_LEASES_MAX);
    }
  }

  /** Everything that was promised has its outcome, and nothing is left over. */
  checkEnd(): void {
    for (const token of this.submissions) {
      const reply = this.fleet.replies.get(token);
      // One whose master was restarted meanwhile has no answer; its client sends it again.
      if (reply === undefined || !reply.ok) continue;
      const group = groupId(String(field(reply.value, "group")));
      assert.ok(
        this.fleet.row(group, Number(field(reply.value, "count"))),
        "a promised task is not in the store",
      );
    }
    for (const group of this.fleet.disk.state.groups.values()) {
      for (const { number, outcome } of group.tasks.values()) {
        assert.ok(outcome, `${group.id}/${number} has no outcome: ${this.#why(group.id, number)}`);
      }
    }
    assert.equal(this.fleet.core.tasks.size, 0);
    assert.equal(this.fleet.core.log.waiting, 0);
    for (const worker of this.fleet.core.workers.values()) assert.equal(worker.attempts.size, 0);
    const ended = new Map<string, number>();
    for (const { changes } of this.fleet.disk.state.log) {
      for (const change of changes) {
        if (change.kind === "ended") ended.set(change.task, (ended.get(change.task) ?? 0) + 1);
      }
    }
    for (const [task, count] of ended) assert.equal(count, 1, `${task} has ${count} outcomes`);
  }

  #isDone(): boolean {
    return this.fleet.core.tasks.size === 0 && this.fleet.core.log.waiting === 0 &&
      this.processes.every((process) => process.running.size === 0 && process.unsent.size === 0);
  }

  #why(group: GroupId, number: number): string {
    return `${this.fleet.stateOf(group, number)}\n${this.fleet.log.slice(-10).join("\n")}`;
  }

  #template() {
    return {
      priority: this.random.integer(2),
      graceMs: 1_000,
      reassignAfterMs: this.random.pick([0, 0, 20_000]),
      retry: { limit: 2, crashLimit: 1, backoffMs: this.random.pick([0, 500]), backoffMaxMs: 5_000 },
      resources: {
        cpus: this.random.pick([0, 0, 1, 3]),
        memoryBytes: 0,
        gpus: this.random.pick([0, 0, 0.5, 1, 2]),
      },
    };
  }

  #connect(process: Process): void {
    const nowMs = this.fleet.loop.now();
    this.#read(process);
    const leases = [
      ...[...process.running.values()].map(({ lease, sinceMs, devices }) =>
        held(lease, "running", nowMs - sinceMs, devices)
      ),
      ...[...process.unsent.values()].map((each) =>
        held({ epoch: each.epoch, task: each.task, attempt: each.attempt }, "finished", each.elapsedMs)
      ),
    ];
    process.session = this.fleet.join(process.name, {
      slots: 2,
      incarnation: `life${process.life}`,
      leases,
      devices: GPUS,
    });
    process.read = 0;
    if (this.random.next() < 0.2) process.session.saysOut({ id: "g0", reason: "it is lost" });
    if (process.unsent.size > 0) process.session.posts(...process.unsent.values());
  }

  #disconnect(process: Process): void {
    // Some ends are noticed at once, others only by silence.
    if (process.session?.isConnected !== true) return;
    if (this.random.next() < 0.7) process.session.leaves();
    else process.session.mute = true;
  }

  /** The process is killed; results that were on its disk may survive. */
  #die(process: Process): void {
    process.life += 1;
    process.running.clear();
    if (this.random.next() < 0.5) process.unsent.clear();
    if (process.session !== undefined && this.random.next() < 0.7) process.session.leaves();
    else if (process.session !== undefined) process.session.mute = true;
    process.session = undefined;
  }

  #end(process: Process): void {
    const one = [...process.running.values()][0];
    if (one === undefined) return;
    const draw = this.random.next();
    if (draw < 0.7) return this.#complete(process, one.lease);
    const message = "it broke";
    if (draw < 0.8) return this.#say(process, result(one.lease, { state: "returned" }));
    this.#say(
      process,
      result(one.lease, { state: "failed", cause: "evaluator", message, final: draw > 0.95 }),
    );
  }

  #complete(process: Process, lease: Lease): void {
    this.#say(process, completed(lease, this.random.pick([1, 20, 400])));
  }

  #say(process: Process, said: ReturnType<typeof result>): void {
    process.running.delete(leaseKey(said));
    process.unsent.set(leaseKey(said), said);
    if (process.session?.isConnected === true) process.session.posts(said);
  }

  #sayAgain(process: Process): void {
    if (process.session?.isConnected === true) process.session.posts(...process.unsent.values());
  }

  #cancel(): void {
    const token = this.random.pick([0, ...this.submissions]);
    const reply = this.fleet.replies.get(token);
    if (reply === undefined || !reply.ok) return;
    const group = groupId(String(field(reply.value, "group")));
    this.fleet.sendCancel(group, this.random.pick([null, 1, 2]));
  }

  #restart(): void {
    this.fleet.restart();
  }

  /** The process does what its session was told. */
  #read(process: Process): void {
    const { session } = process;
    if (session === undefined) return;
    for (; process.read < session.received.length; process.read++) {
      const envelope = session.received[process.read];
      if (envelope === undefined) continue;
      const key = "task" in envelope ? leaseKey(envelope) : "";
      if (envelope.type === "acknowledge") process.unsent.delete(key);
      else if (envelope.type === "welcome") this.#stopNotKept(process, session, envelope.keep);
      else if (
        envelope.type === "assign" && !process.running.has(key) && process.running.size < PENDING_MAX
      ) {
        const { epoch, task, attempt, devices } = envelope;
        const sinceMs = this.fleet.loop.now();
        process.running.set(key, { lease: { epoch, task, attempt }, sinceMs, devices });
      } else if (envelope.type === "cancel" && process.running.has(key)) {
        this.#say(process, result(envelope, { state: "cancelled" }));
      } else if (envelope.type === "recall" && process.running.has(key)) {
        this.#say(process, result(envelope, { state: "returned" }));
      }
    }
  }

  #stopNotKept(process: Process, session: FakeWorker, keep: readonly boolean[]): void {
    for (const [index, lease] of session.listed.entries()) {
      const one = process.running.get(leaseKey(lease));
      if (keep[index] === false && one !== undefined) {
        this.#say(process, result(one.lease, { state: "cancelled" }));
      }
    }
  }
}

Deno.test("whatever happens, every task ends once, and all ends when the faults do", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const chaos = new Chaos(seed);
      for (let i = 0; i < STEPS; i++) chaos.step();
      chaos.heal();
      chaos.checkEnd();
    }),
    { numRuns: 100 },
  );
});
