/**
 * A fleet for tests of the cluster: the real cluster and the real store's actor over a store in memory, on virtual time,
 * with workers that say what the test has them say.
 *
 * Promise: after every step the cluster's own check is empty, and no acknowledgement was ahead of its commit.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context, Ref, Start } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { commandId, type GroupId, groupId, type TaskId, taskId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import { Cluster } from "../../../master/cluster/cluster.ts";
import type {
  ClusterMessage,
  ClusterOptions,
  CommandAnswered,
  CommandReply,
  LiveMessage,
} from "../../../master/cluster/messages.ts";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import type { DiskOutcome, DiskTask } from "../../../master/store/memory_state.ts";
import { type MemoryFaults, MemoryStore, NO_FAULTS } from "../../../master/store/memory_store.ts";
import type { StoreAnswer } from "../../../master/store/messages.ts";
import type { StoreChange } from "../../../master/store/store.ts";
import { storeActor, type StoreActorMessage } from "../../../master/store/store_actor.ts";
import { FakeSource } from "./fake_source.ts";
import { FakeWorker, type WorkerTraits } from "./fake_worker.ts";
import { PausableLoop } from "./pausable_loop.ts";

/** Heartbeats of the fleet come so often; the rest is as in the product. */
const HEARTBEAT_MS = 10_000;
/** Time passes in steps of this size, between which workers say that they are there. */
const STEP_MS = 5_000;

/** A noop that needs nothing but a slot. */
export const NOOP: TaskTemplate = {
  evaluator: { kind: "builtin", name: "noop" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: RETRY_DEFAULTS,
  graceMs: 5_000,
  reassignAfterMs: 0,
};

/** One master's cluster and store, and workers around it. */
export class Fleet {
  readonly virtual = new VirtualLoop(seededRandom("fleet"));
  readonly loop = new PausableLoop(this.virtual);
  readonly log: string[] = [];
  readonly system: System;
  readonly disk: MemoryDisk;
  readonly workers: FakeWorker[] = [];
  readonly replies = new Map<number, CommandReply>();
  faults: MemoryFaults = NO_FAULTS;
  /** The store cannot be read. */
  failQueries = false;
  readonly #options: Partial<ClusterOptions>;
  #context: Context<CommandAnswered> | undefined;
  #cluster: Cluster | undefined;
  #ref: Ref<ClusterMessage> = { path: "", id: 0 };
  #storeRef: Ref<StoreActorMessage> = { path: "", id: 0 };
  #feed: Ref<LiveMessage> | undefined;
  #shownStore = "";
  #nextToken = 1;
  #nextSession = 1;

  constructor(options: Partial<ClusterOptions> = {}, disk: MemoryDisk = new MemoryDisk()) {
    this.#options = options;
    this.disk = disk;
    this.system = new System(this.loop, "fleet", {
      log: (level, path, text) => this.log.push(`${level} ${path}: ${text}`),
    });
    this.system.start("root", (context: Context<CommandAnswered>) => {
      this.#context = context;
      return {
        receive: (message) => void this.replies.set(message.token, message.reply),
        exited: (actor, reason) => {
          if (actor.id === this.#ref.id && reason.type === "crashed") throw new Error(reason.stack);
        },
      };
    });
    this.#storeRef = this.spawn("store", storeActor(this.#storeOptions()));
    this.#startCluster();
    this.settle();
  }

  /** The cluster's actor, to look inside. */
  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error("the cluster has not been started");
    return this.#cluster;
  }

  get core(): Cluster["core"] {
    return this.cluster.core;
  }

  /** Lets happen what falls into the next moment. */
  settle(): void {
    this.virtual.runFor(0.01);
    this.checkNow();
  }

  /** Lets time pass; workers that are not mute say that they are there. */
  pass(spanMs: number): void {
    for (let leftMs = spanMs; leftMs > 0; leftMs -= STEP_MS) {
      this.virtual.runFor(Math.min(STEP_MS, leftMs));
      for (const worker of this.workers) if (worker.isConnected && !worker.mute) worker.beats();
      this.settle();
    }
  }

  checkNow(): void {
    assert.ok(this.system.isAlive(this.#ref), `the cluster has crashed: ${this.log.slice(-3).join("\n")}`);
    assert.deepEqual(this.cluster.check(), []);
  }

  /** Posts to the cluster as a session or an experiment would. */
  post(message: ClusterMessage): void {
    this.system.post(this.#ref, message);
  }

  /** Sends a command; the answer is in `replies` under the token that this answers. */
  command(message: (asker: { from: Ref<CommandAnswered>; token: number }) => ClusterMessage): number {
    const token = this.#nextToken++;
    this.post(message({ from: this.#me, token }));
    return token;
  }

  /** Submits tasks and answers the command's token, without waiting. */
  sendSubmit(
    count: number,
    template: Partial<TaskTemplate> = {},
    id = `c${this.#nextToken}`,
    name = "job",
  ): number {
    const payloads = Array.from({ length: count }, (_, index) => new Uint8Array([index & 255]));
    return this.command((asker) => ({
      type: "submit",
      id: commandId(id),
      name,
      template: { ...NOOP, ...template },
      payloads,
      ...asker,
    }));
  }

  /** Submits tasks, waits for the answer and gives their group. */
  submit(count: number, template: Partial<TaskTemplate> = {}, name = "job"): GroupId {
    const reply = this.#reply(this.sendSubmit(count, template, undefined, name));
    assert.ok(reply.ok, "the submission was refused");
    return groupId(String(field(reply.value, "group")));
  }

  /** What pages and `/ready` are told of the store's trouble; begins to watch with its first call. */
  shownStore(): string {
    if (this.#feed === undefined) {
      this.#feed = this.spawn<LiveMessage>("feed", () => ({
        receive: ({ entries }) => {
          for (const { topic, value } of entries) {
            if (topic === "status") this.#shownStore = String(field(field(value, "store"), "reason"));
          }
        },
      }));
      this.post({ type: "attach_feed", feed: this.#feed });
    }
    this.virtual.runFor(600);
    return this.#shownStore;
  }

  /** Asks why a task does not run. */
  explain(group: string, number: number): { readonly state: string; readonly explanation: string } {
    const task = taskId(groupId(group), number);
    const reply = this.#reply(this.command((asker) => ({ type: "explain", task, ...asker })));
    assert.ok(reply.ok, JSON.stringify(reply));
    const { value } = reply;
    return { state: String(field(value, "state")), explanation: String(field(value, "explanation")) };
  }

  /** Cancels a task, or all of a group, and gives the answer. */
  cancel(group: GroupId, number: number | null, id = `c${this.#nextToken}`): CommandReply {
    return this.#reply(this.sendCancel(group, number, id));
  }

  /** Cancels, without waiting for the answer. */
  sendCancel(group: GroupId, number: number | null, id = `c${this.#nextToken}`): number {
    return this.command((asker) => ({ type: "cancel", id: commandId(id), group, number, ...asker }));
  }

  /** Connects a worker; a name that is known comes with the same traits unless told otherwise. */
  join(name: string, traits: Partial<WorkerTraits> = {}): FakeWorker {
    const worker = new FakeWorker(this, name, traits, `session${this.#nextSession++}`);
    this.workers.push(worker);
    worker.registers();
    this.settle();
    return worker;
  }

  /** Opens an experiment's source, whose group the store knows. */
  source(
    name: string,
    template: Partial<TaskTemplate> = {},
    minWorkers = 1,
    maxConcurrent: number | null = null,
  ): FakeSource {
    const group = groupId(name);
    if (!this.disk.state.groups.has(group)) {
      this.commit([{ type: "group_added", group, template: encode({ ...NOOP, ...template }) }]);
      this.settle();
    }
    const source = new FakeSource(this, group, { ...NOOP, ...template }, minWorkers, maxConcurrent);
    this.settle();
    return source;
  }

  /** Makes changes durable behind the cluster's back, as other actors do. */
  commit(changes: readonly StoreChange[]): void {
    this.system.post(this.#storeRef, { type: "commit", from: this.#quiet, token: 0, changes });
  }

  /** Ends the cluster's life and begins another over the same store; sessions end with it. */
  restart(): void {
    this.system.kill(this.#ref);
    for (const worker of this.workers) worker.isConnected = false;
    this.#startCluster();
    this.settle();
  }

  spawn<M>(name: string, start: Start<M>): Ref<M> {
    if (this.#context === undefined) throw new Error("the root has not been started");
    return this.#context.spawn(name, start);
  }

  /** A task's durable outcome. */
  outcome(group: GroupId, number = 1): DiskOutcome | undefined {
    return this.row(group, number)?.outcome;
  }

  /** What the store knows of a task. */
  row(group: GroupId, number = 1): DiskTask | undefined {
    return this.disk.state.groups.get(group)?.tasks.get(number);
  }

  /** Where an open task is; undefined where it has its outcome. */
  stateOf(group: GroupId, number = 1): string | undefined {
    return this.core.tasks.get(taskId(group, number))?.state;
  }

  diskTask(id: TaskId): DiskTask | undefined {
    const slash = id.lastIndexOf("/");
    return this.row(groupId(id.slice(0, slash)), Number(id.slice(slash + 1)));
  }

  get #me(): Ref<CommandAnswered> {
    if (this.#context === undefined) throw new Error("the root has not been started");
    return this.#context.self;
  }

  /** Somebody whose answers nobody reads. */
  get #quiet(): Ref<StoreAnswer> {
    return { path: "quiet", id: -1 };
  }

  #reply(token: number): CommandReply {
    this.settle();
    const reply = this.replies.get(token);
    assert.ok(reply !== undefined, "the command has no answer yet");
    return reply;
  }

  #startCluster(): void {
    this.#ref = this.spawn("cluster", (context: Context<ClusterMessage>) => {
      this.#cluster = new Cluster(context, {
        store: this.#storeRef,
        heartbeatMs: HEARTBEAT_MS,
        lostAfterMs: 30_000,
        prefetchMax: 0,
        acceptLoss: false,
        ...this.#options,
      });
      return this.#cluster;
    });
  }

  #storeOptions() {
    const store = new MemoryStore({
      disk: this.disk,
      random: seededRandom("store"),
      schedule: (delayMs, call) => void this.loop.timer(delayMs, call),
      wallClock: () => this.loop.wallClock(),
      faults: {
        latencyMs: (operation) => this.faults.latencyMs(operation),
        commitFate: () => this.faults.commitFate(),
        isFull: () => this.faults.isFull(),
      },
    });
    const query = store.query.bind(store);
    store.query = (kind, ask, done) => {
      if (!this.failQueries) return query(kind, ask, done);
      done({ ok: false, error: { kind: "fault", message: "disk I/O error" } });
    };
    return {
      store,
      post: <M>(to: Ref<M>, message: M) => this.system.post(to, message),
      fatal: (reason: string) => assert.fail(`the store gave up: ${reason}`),
    };
  }
}

/** A field of an answer whose type the client's library knows. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
