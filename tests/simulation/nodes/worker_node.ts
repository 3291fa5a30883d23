/**
 * A worker, whole but for its sockets, its disk and its evaluators.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import type { System } from "../../../shared/actor/system.ts";
import { incarnation, workerId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";
import { type WorkerRootMessage, workerTree } from "../../../worker/tree.ts";
import { simulatedExecutors } from "../evaluator.ts";
import { JournalDisk } from "../journal.ts";
import type { WorkerPlan } from "../plan.ts";
import type { SimulatedProcess } from "../process.ts";
import type { World } from "../world.ts";
import { Node } from "./node.ts";

/** How often the machine is looked at. */
const VITALS_EVERY_MS = 5_000;
const VITALS: WorkerVitals = { cpuPercent: 1, memoryUsedBytes: 1, rssBytes: 1, gpus: [] };

/** One worker. */
export class WorkerNode extends Node {
  readonly journal: JournalDisk;
  readonly #shape: WorkerPlan;
  #root: Ref<WorkerRootMessage> | undefined;

  constructor(name: string, world: World, shape: WorkerPlan) {
    super(name, world);
    this.#shape = shape;
    this.journal = new JournalDisk(world.random("journal", name));
  }

  /** Asks it to hand over what it has and to end; it is started again. */
  stop(graceMs: number): void {
    if (this.#root !== undefined && !this.isPaused) {
      this.system?.post(this.#root, { type: "stop", graceMs, reason: "the simulation stops it" });
    }
  }

  protected override begin(process: SimulatedProcess, system: System): void {
    const { seed, plan, network, executions, findings, mutant } = this.world;
    const shape = this.#shape;
    const executors = simulatedExecutors({
      seed,
      plan: plan.evaluator,
      shape,
      process,
      executions,
      isHealed: () => this.world.isHealed,
      poisoned: (task) => this.#poisoned(process, task),
    });
    const journal = this.journal.open(process);
    this.#root = system.start(
      "worker",
      workerTree({
        dialer: network.dialer(process, "worker"),
        executors,
        journal,
        setAside: (result) => {
          findings.expect(
            "peers_stay",
            false,
            () => `${this.name} set the result of ${leaseKey(result)} aside`,
          );
          journal.settle(result);
        },
        vitals: { start: (sample) => this.#vitals(process, sample) },
        exit: (code, message) => {
          findings.expect("peers_stay", code === 0, () => `${this.name} ends with ${code}: ${message}`);
        },
      }, {
        masters: ["ws://master/socket"],
        token: "token",
        worker: workerId(this.name),
        incarnation: incarnation(`${this.name}-${this.life}`),
        slots: shape.slots + (mutant.extraSlots ?? 0),
        pool: { cpus: shape.cpus, memoryBytes: 0, gpus: 0 },
        facts: {
          hostname: this.name,
          os: "linux",
          arch: "x86_64",
          cpus: shape.cpus,
          memoryBytes: 1e9,
          pid: this.life,
          runtime: "deno",
          software: "0",
        },
      }),
    );
  }

  protected override ended(process: SimulatedProcess): void {
    this.#root = undefined;
    this.journal.crash();
    this.world.executions.killed(process);
  }

  #poisoned(process: SimulatedProcess, task: string): void {
    this.world.count("poison");
    this.world.trace.add(`${task} poisons ${this.name}`);
    this.world.loop.soon(() => {
      if (process.hasEnded) return;
      this.kill();
      this.startSoon();
    });
  }

  #vitals(process: SimulatedProcess, sample: (vitals: WorkerVitals) => void): () => void {
    let isOver = false;
    const again = () => {
      if (isOver) return;
      sample(VITALS);
      process.timer(VITALS_EVERY_MS, again);
    };
    process.timer(1, again);
    return () => {
      isOver = true;
    };
  }
}
