/**
 * A lab for tests of experiments: the master's whole tree over a store in memory, on virtual time, with a worker that
 * answers at once what the test's evaluator says, and commands as a client would send them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Ref, Start } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { childSpec, supervisor } from "../../../shared/actor/supervisor.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import type { ExperimentSummary, TrialSummary } from "../../../shared/model/experiment.ts";
import {
  commandId,
  type GroupId,
  groupId,
  incarnation,
  taskParts,
  workerId,
} from "../../../shared/model/ids.ts";
import type { AttemptEnd } from "../../../shared/model/outcome.ts";
import type { TaskInput } from "../../../shared/model/task.ts";
import { decode } from "../../../shared/protocol/codec.ts";
import type { SpecInput } from "../../../shared/protocol/spec.ts";
import type { Assign, Register } from "../../../shared/protocol/worker_envelopes.ts";
import type {
  Asker,
  CommandAnswered,
  CommandReply,
  ToWorkerSession,
} from "../../../master/cluster/messages.ts";
import type { RegistrarMessage } from "../../../master/experiments/messages.ts";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { MEMORY_QUERIES } from "../../../master/store/memory_queries.ts";
import { MemoryStore } from "../../../master/store/memory_store.ts";
import { type GatewayAbove, masterTree } from "../../../master/tree.ts";

/** What the lab's evaluator says of a trial; `later` leaves it running. */
export type Evaluate = (number: number, input: TaskInput) => AttemptEnd | "later";

/** Completed with a score. */
export function scored(score: number): AttemptEnd {
  return { state: "completed", metrics: { score } };
}

/** A small space and a small budget. */
export const SPEC: SpecInput = {
  name: "lab",
  space: { kind: "parameters", parameters: { x: { type: "real", min: 0, max: 1 } } },
  optimizer: { kind: "random", seed: 1 },
  evaluator: { kind: "builtin", name: "noop" },
  objectives: [{ metric: "score", direction: "maximize" }],
  budget: { trials: 10 },
};

/** A master, a worker and a client in one. */
export class Lab {
  readonly disk: MemoryDisk;
  readonly log: string[] = [];
  /** Numbers of the trials that the worker was given, in order. */
  readonly assigned: number[] = [];
  evaluate: Evaluate;
  readonly #loop = new VirtualLoop(seededRandom("lab"));
  #system: System | undefined;
  #above: GatewayAbove | undefined;
  #probe: Ref<CommandAnswered | ToWorkerSession> = { path: "", id: 0 };
  readonly #held: Assign[] = [];
  readonly #replies = new Map<number, CommandReply>();
  readonly #slots: number;
  #next = 1;
  #lives = 0;

  constructor(evaluate: Evaluate, slots = 2, disk: MemoryDisk = new MemoryDisk()) {
    this.evaluate = evaluate;
    this.#slots = slots;
    this.disk = disk;
    this.begin();
  }

  /** Starts a master over the disk: the first one, or one after `kill`. */
  begin(): void {
    this.#lives += 1;
    const system = new System(this.#loop, `lab ${this.#lives}`, {
      log: (level, path, text) => this.log.push(`${level} ${path}: ${text}`),
    });
    this.#system = system;
    const store = new MemoryStore({
      disk: this.disk,
      random: seededRandom("store", this.#lives),
      schedule: (delayMs, call) => void this.#loop.timer(delayMs, call),
      wallClock: () => this.#loop.wallClock(),
    });
    const post = <M>(to: Ref<M>, message: M) => system.post(to, message);
    const gateway = (above: GatewayAbove) => {
      this.#above = above;
      const children = [
        childSpec({ name: "probe", restart: "permanent", shutdownMs: 1, start: () => this.#probing() }),
      ];
      return supervisor({ strategy: "one_for_one", intensity: { restarts: 5, windowMs: 60_000 }, children });
    };
    const fatal = (reason: string) => assert.fail(reason);
    const settings = { heartbeatMs: 10_000, lostAfterMs: 30_000, prefetchMax: 256, acceptLoss: false };
    system.start("master", supervisor(masterTree({ store, post, fatal, gateway }, settings)));
    this.pass(100);
    this.#connect();
  }

  /** The process dies. */
  kill(): void {
    this.#system?.halt();
    this.#held.length = 0;
  }

  pass(spanMs: number): void {
    this.#loop.runFor(spanMs);
  }

  /** Runs an experiment. @returns its id */
  run(part: Partial<SpecInput> = {}, id = `run-${this.#next}`): GroupId {
    const reply = this.ask((asker) => ({
      type: "run",
      id: commandId(id),
      spec: { ...SPEC, ...part },
      ...asker,
    }));
    assert.ok(reply.ok, JSON.stringify(reply));
    const { experiment } = reply.value as { experiment: string };
    return groupId(experiment);
  }

  /** Sends a command to the registrar and answers its reply. */
  ask(message: (asker: Asker) => RegistrarMessage): CommandReply {
    const [reply] = this.askTogether([message]);
    assert.ok(reply !== undefined);
    return reply;
  }

  /** Sends commands to the registrar in one turn and answers their replies. */
  askTogether(messages: readonly ((asker: Asker) => RegistrarMessage)[]): readonly CommandReply[] {
    const registrar = this.#above?.registrar;
    assert.ok(registrar !== undefined);
    const first = this.#next;
    for (const message of messages) {
      this.#system?.post(registrar, message({ from: this.#probe, token: this.#next++ }));
    }
    this.pass(50);
    return messages.map((_, index) => {
      const reply = this.#replies.get(first + index);
      assert.ok(reply !== undefined, `no reply; ${this.log.slice(-3).join("\n")}`);
      return reply;
    });
  }

  /** Ends what the worker holds, in the order in which it was given. */
  finishHeld(end: (number: number) => AttemptEnd): void {
    for (const assign of this.#held.splice(0)) this.#result(assign, end(taskParts(assign.task).number));
    this.pass(50);
  }

  /** What the store says of an experiment. */
  summary(experiment: GroupId): ExperimentSummary {
    const found = MEMORY_QUERIES.experiment(this.disk.state, { experiment }, this.#loop.wallClock());
    return found?.summary ?? assert.fail(`no experiment ${experiment}`);
  }

  trials(experiment: GroupId): readonly TrialSummary[] {
    return MEMORY_QUERIES.trials(
      this.disk.state,
      { experiment, after: 0, limit: 1_000 },
      this.#loop.wallClock(),
    );
  }

  #probing(): Start<CommandAnswered | ToWorkerSession> {
    return (context) => {
      this.#probe = context.self;
      return {
        receive: (message) => {
          if (message.type === "command_answered") this.#replies.set(message.token, message.reply);
          else this.#told(message);
        },
      };
    };
  }

  /** The worker connects again, and was told of commits that the store lacks: it is an older copy. */
  remembersMore(): void {
    const epoch = this.disk.state.epochs.at(-1);
    assert.ok(epoch !== undefined);
    this.#connect({ epoch, commit: this.disk.state.commit + 1_000 });
  }

  #connect(seen: Register["seen"] = null): void {
    const system = this.#system;
    const cluster = this.#above?.cluster;
    assert.ok(system !== undefined && cluster !== undefined);
    const register: Register = {
      type: "register",
      version: { major: 1, minor: 0 },
      worker: workerId("lab"),
      incarnation: incarnation(`life-${this.#lives}`),
      slots: this.#slots,
      pool: { cpus: 1, memoryBytes: 1, gpus: 0 },
      executors: ["builtin"],
      facts: { hostname: "", os: "", arch: "", cpus: 1, memoryBytes: 1, pid: 1, runtime: "", software: "" },
      seen,
      leases: [],
    };
    system.post(cluster, { type: "worker_joined", session: this.#probe, register });
    this.pass(20);
  }

  #told(message: ToWorkerSession): void {
    if (message.type !== "send") return;
    for (const envelope of message.envelopes) {
      if (envelope.type === "assign") this.#assigned(envelope);
      else if (envelope.type === "cancel") this.#cancelled(envelope.task);
    }
  }

  #assigned(assign: Assign): void {
    const { number } = taskParts(assign.task);
    this.assigned.push(number);
    const input = decode(assign.payload) as TaskInput;
    const end = this.evaluate(number, input);
    if (end === "later") this.#held.push(assign);
    else this.#result(assign, end);
  }

  #cancelled(task: string): void {
    const index = this.#held.findIndex((each) => each.task === task);
    const assign = this.#held.splice(index, index < 0 ? 0 : 1)[0];
    if (assign !== undefined) this.#result(assign, { state: "cancelled" });
  }

  #result({ epoch, task, attempt }: Assign, end: AttemptEnd): void {
    const cluster = this.#above?.cluster;
    assert.ok(cluster !== undefined);
    const envelopes = [{ type: "result", epoch, task, attempt, end, elapsedMs: 10 } as const];
    this.#system?.post(cluster, { type: "worker_said", session: this.#probe, envelopes });
  }
}
