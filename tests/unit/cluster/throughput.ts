/**
 * How many tasks a second the cluster takes in, gives out and records: `deno run -A tests/unit/cluster/throughput.ts`.
 *
 * Workers answer at once and the store writes nothing to a disk, so that what is measured is the master's own work:
 * `memory` with the store's actor over maps, `none` with a store that says yes to everything.
 *
 * @module
 */
import type { Context, Ref } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { commandId, epochOf, incarnation, workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import { cluster } from "../../../master/cluster/cluster.ts";
import type { ClusterMessage, CommandAnswered, ToWorkerSession } from "../../../master/cluster/messages.ts";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { MemoryStore } from "../../../master/store/memory_store.ts";
import type { StoreMessage } from "../../../master/store/messages.ts";
import { storeActor } from "../../../master/store/store_actor.ts";

const WORKERS = 4;
const SLOTS = 4;
const PREFETCH = 256;
const BATCH = 1_000;
const RECORDED = { type: "recorded" } as const;

const TEMPLATE: TaskTemplate = {
  evaluator: { kind: "builtin", name: "noop" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: RETRY_DEFAULTS,
  graceMs: 5_000,
  reassignAfterMs: 0,
};

/** Runs so many tasks and answers how many acknowledgements there were, and in how many seconds. */
function run(
  tasks: number,
  kind: "memory" | "none",
): { readonly acknowledged: number; readonly seconds: number } {
  const loop = new VirtualLoop(seededRandom("throughput"));
  const system = new System(loop, "throughput");
  let acknowledged = 0;
  system.start("root", (context: Context<CommandAnswered>) => {
    const store = kind === "memory" ? memoryStore(context, system, loop) : yesStore(context);
    const options = {
      store,
      heartbeatMs: 10_000,
      lostAfterMs: 30_000,
      prefetchMax: PREFETCH,
      acceptLoss: false,
    };
    const master = context.spawn("cluster", cluster(options));
    for (let i = 0; i < WORKERS; i++) spawnWorker(context, master, `w${i}`, (count) => acknowledged += count);
    submitAll(context, master, tasks);
    return { receive: () => {} };
  });
  const from = performance.now();
  loop.runUntil(() => acknowledged >= tasks, 600_000);
  return { acknowledged, seconds: (performance.now() - from) / 1_000 };
}

function submitAll(context: Context<CommandAnswered>, master: Ref<ClusterMessage>, tasks: number): void {
  const payloads = Array.from({ length: BATCH }, () => new Uint8Array(16));
  // The store is read first.
  const start = context.spawn("client", (own: Context<"go">) => {
    own.after(10, "go");
    return {
      receive: () => {
        for (let i = 0; i * BATCH < tasks; i++) {
          own.send(master, {
            type: "submit",
            id: commandId(`c${i}`),
            // Of one name no more may be open.
            name: i * BATCH * 2 < tasks ? "first" : "second",
            template: TEMPLATE,
            payloads,
            from: context.self,
            token: i,
          });
        }
      },
    };
  });
  context.watch(start);
}

function spawnWorker(
  context: Context<CommandAnswered>,
  master: Ref<ClusterMessage>,
  name: string,
  acknowledged: (count: number) => void,
): void {
  context.spawn(name, (own: Context<ToWorkerSession | "join">) => {
    own.after(5, "join");
    return {
      receive: (message) => {
        if (message === "join") return join(own, master, name);
        if (message.type !== "send") return;
        const envelopes = message.envelopes.flatMap((each) =>
          each.type !== "assign" ? [] : [{
            type: "result" as const,
            epoch: each.epoch,
            task: each.task,
            attempt: each.attempt,
            end: { state: "completed" as const, metrics: { accuracy: 0.5 } },
            elapsedMs: 0.02,
          }]
        );
        acknowledged(message.envelopes.reduce((sum, each) => each.type === "acknowledge" ? sum + 1 : sum, 0));
        if (envelopes.length > 0) own.send(master, { type: "worker_said", session: own.self, envelopes });
      },
    };
  });
}

function join(own: Context<ToWorkerSession | "join">, master: Ref<ClusterMessage>, name: string): void {
  own.send(master, {
    type: "worker_joined",
    session: own.self,
    register: {
      type: "register",
      version: { major: 1, minor: 0 },
      worker: workerId(name),
      incarnation: incarnation("one"),
      slots: SLOTS,
      pool: { cpus: 4, memoryBytes: 1e9, gpus: 0 },
      executors: ["builtin"],
      facts: {
        hostname: "host",
        os: "linux",
        arch: "x86_64",
        cpus: 4,
        memoryBytes: 1e9,
        pid: 1,
        runtime: "deno",
        software: "1",
      },
      seen: null,
      leases: [],
    },
  });
}

function memoryStore(
  context: Context<CommandAnswered>,
  system: System,
  loop: VirtualLoop,
): Ref<StoreMessage> {
  const store = new MemoryStore({
    disk: new MemoryDisk(),
    random: seededRandom("store"),
    schedule: (delayMs, call) => void loop.timer(delayMs, call),
    wallClock: () => loop.wallClock(),
  });
  return context.spawn(
    "store",
    storeActor({
      store,
      post: (to, message) => system.post(to, message),
      fatal: (reason) => console.error(reason),
    }),
  );
}

/** Everything is recorded at once. */
function yesStore(context: Context<CommandAnswered>): Ref<StoreMessage> {
  return context.spawn("store", (own: Context<StoreMessage>) => {
    let commit = 0;
    return {
      receive: (message) => {
        if (message.type === "commit") {
          const verdicts = message.changes.map(() => RECORDED);
          own.send(message.from, { type: "committed", token: message.token, commit: ++commit, verdicts });
        } else if (message.type === "recover") {
          const epoch = epochOf("a".repeat(32), 1, "00000000");
          const nothing = { groups: [], tasks: [], attempts: [], experiments: [] };
          const recovered = {
            epoch,
            earlierEpochs: [],
            epochEnds: [],
            lastFailures: [],
            checkpoints: [],
            continued: [],
            commit: 0,
            nextGroup: 1,
            ...nothing,
          };
          own.send(message.from, { type: "recovered", recovered });
        }
      },
    };
  });
}

if (import.meta.main) {
  const tasks = Number(Deno.args[0] ?? 200_000);
  const kinds = Deno.args[1] === undefined ? ["none", "memory"] as const : [
    Deno.args[1] === "none" ? "none" : "memory",
  ] as const;
  for (const kind of kinds) {
    for (let round = 0; round < 3; round++) {
      const { acknowledged, seconds } = run(tasks, kind);
      console.log(
        `store ${kind}: ${acknowledged} tasks in ${seconds.toFixed(2)} s, ${
          Math.round(acknowledged / seconds)
        } a second`,
      );
    }
  }
}
