/**
 * A worker, whole but for its sockets, its disk and its evaluators.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import type { System } from "../../../shared/actor/system.ts";
import type { Device, DeviceTrouble } from "../../../shared/model/devices.ts";
import { incarnation, workerId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Result, WorkerVitals } from "../../../shared/protocol/worker_envelopes.ts";
import { CLOSE } from "../../../shared/protocol/limits.ts";
import { refusedExitCode } from "../../../worker/link.ts";
import { type WorkerRootMessage, workerTree } from "../../../worker/tree.ts";
import { watchedJournal } from "../checkers/journal_watch.ts";
import { simulatedExecutors } from "../evaluator.ts";
import { JournalDisk } from "../journal.ts";
import type { WorkerPlan } from "../plan.ts";
import type { SimulatedProcess } from "../process.ts";
import type { World } from "../world.ts";
import { Node } from "./node.ts";

/** How often the machine is looked at. */
const VITALS_EVERY_MS = 5_000;
/** A clock that is off by less is nothing. */
const CLOCK_OFF_MS = 3_600_000;
const VITALS: WorkerVitals = { cpuPercent: 1, memoryUsedBytes: 1, rssBytes: 1, gpus: [] };

const GPU_BYTES = 16 * 2 ** 30;

/** One worker. */
export class WorkerNode extends Node {
  readonly journal: JournalDisk;
  /** Results that are for a person to look at. */
  readonly setAside: Result[] = [];
  readonly gpus: readonly Device[];
  readonly #shape: WorkerPlan;
  /** They are so of the machine, whichever process runs on it. */
  readonly #gpusOut = new Set<string>();
  /** Unlike its name where another process has the same id. */
  readonly #id: string;
  #root: Ref<WorkerRootMessage> | undefined;

  constructor(name: string, world: World, shape: WorkerPlan, id = name) {
    super(name, world);
    this.#shape = shape;
    this.gpus = Array.from({ length: shape.gpus ?? 0 }, (_, index) => ({
      id: `GPU-${name}-${index}`,
      kind: "cuda",
      name: "simulated",
      memoryBytes: GPU_BYTES,
    }));
    this.#id = id;
    this.wallOffsetMs = shape.clockOffMs ?? 0;
    this.journal = new JournalDisk(world.random("journal", name), () => world.count("journalTorn"));
  }

  /** Another process with its id, on a machine of its own. */
  twin(name: string): WorkerNode {
    return new WorkerNode(name, this.world, this.#shape, this.#id);
  }

  /** Asks it to hand over what it has and to end; it is started again. */
  stop(graceMs: number): void {
    if (this.#root !== undefined && !this.isPaused) {
      this.system?.post(this.#root, { type: "stop", graceMs, reason: "the simulation stops it" });
    }
  }

  isGpuOut(id: string): boolean {
    return this.#gpusOut.has(id);
  }

  takeGpuOut(id: string): void {
    this.#gpusOut.add(id);
  }

  putGpuBack(id: string): void {
    this.#gpusOut.delete(id);
  }

  get #hasTwin(): boolean {
    return this.world.twins.some((each) => each === this || each.#id === this.#id);
  }

  protected override begin(process: SimulatedProcess, system: System): void {
    const { seed, plan, network, executions, findings, mutant } = this.world;
    const shape = this.#shape;
    if (shape.clockOffMs !== undefined && shape.clockOffMs !== 0) this.world.count("clockOff");
    if (Math.abs(this.wallOffsetMs) >= CLOCK_OFF_MS) this.world.reached("clock_off");
    const executors = simulatedExecutors({
      seed,
      plan: plan.evaluator,
      shape,
      process,
      executions,
      saved: this.world.saved,
      isHealed: () => this.world.isHealed,
      met: (kind) => this.world.count(kind),
      poisoned: (task) => this.#poisoned(process, task),
    }).map((executor) => this.world.printing.printing(executor, this.#id, process));
    const journal = watchedJournal(this.journal.open(process), this.world);
    this.#root = system.start(
      "worker",
      workerTree({
        dialer: network.dialer(process, "worker"),
        executors,
        journal,
        seen: this.journal.seen(process),
        setAside: (result) => {
          // What a lost store had granted is for a person to look at; anything else is somebody's work.
          findings.expect(
            "loss_noticed",
            !this.world.storeLives.isPresent(result.epoch),
            () => `${this.name} set the result of ${leaseKey(result)} aside`,
          );
          this.setAside.push(result);
          journal.settle(result);
        },
        vitals: { start: (sample) => this.#vitals(process, sample) },
        exit: (code, message) => {
          // Of two processes with one id, one is told so and ends.
          const isRival = code === refusedExitCode(CLOSE.rival.code) && this.#hasTwin;
          findings.expect(
            "peers_stay",
            code === 0 || (isRival && message.includes(this.#id)),
            () => `${this.name} ends with ${code}: ${message}`,
          );
        },
      }, {
        masters: ["ws://master/socket"],
        token: "token",
        worker: workerId(this.#id),
        incarnation: incarnation(`${this.name}-${this.life}`),
        slots: shape.slots + (mutant.extraSlots ?? 0),
        pool: { cpus: shape.cpus, memoryBytes: 0, gpus: this.gpus.length },
        devices: this.gpus,
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
    this.world.trace.add(`${task} poisons ${this.name}`);
    this.world.loop.soon(() => {
      if (process.hasEnded) return;
      this.kill();
      this.startSoon();
    });
  }

  #vitals(
    process: SimulatedProcess,
    sample: (vitals: WorkerVitals, devicesOut: readonly DeviceTrouble[]) => void,
  ): () => void {
    let isOver = false;
    const again = () => {
      if (isOver) return;
      sample(VITALS, [...this.#gpusOut].map((id) => ({ id, reason: "the simulation says so" })));
      process.timer(VITALS_EVERY_MS, again);
    };
    process.timer(1, again);
    return () => {
      isOver = true;
    };
  }
}
