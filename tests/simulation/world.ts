/**
 * The world of one run: one loop, one disk, one network, and the nodes on them.
 *
 * Promise: everything in it follows from the seed and the plan.
 * Not here: what is asked (workload.ts), what goes wrong (nemesis.ts), when it is over (simulation.ts).
 *
 * @module
 */
import { type Random, seededRandom } from "../../shared/actor/random.ts";
import { VirtualLoop } from "../../shared/actor/virtual_loop.ts";
import { groupId } from "../../shared/model/ids.ts";
import type { TaskTemplate } from "../../shared/model/task.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { taskTemplate } from "../../shared/protocol/fields.ts";
import type { DiskState } from "../../master/store/memory_state.ts";
import { Buffers } from "./checkers/buffers.ts";
import { CheckpointFacts } from "./checkers/checkpoint_watch.ts";
import type { ClusterMemory } from "./checkers/cluster_tap.ts";
import { DurableFacts, type FactsCopy } from "./checkers/durable_facts.ts";
import { LeaseScenarios } from "./checkers/lease_scenarios.ts";
import { StaleSessions } from "./checkers/stale_sessions.ts";
import { Supervision } from "./checkers/supervision.ts";
import { DiskFaults, WatchedDisk } from "./disk.ts";
import { Executions } from "./executions.ts";
import type { FaultName } from "./faults.ts";
import { Findings } from "./findings.ts";
import type { Mutant } from "./mutant.ts";
import { Network } from "./network.ts";
import { ClientNode } from "./nodes/client_node.ts";
import { MasterNode } from "./nodes/master_node.ts";
import type { Node } from "./nodes/node.ts";
import { WorkerNode } from "./nodes/worker_node.ts";
import type { Plan } from "./plan.ts";
import { Printing } from "./printing.ts";
import type { HappenedEvent } from "./schedule.ts";
import type { ScenarioName } from "./scenarios.ts";
import { SavedCheckpoints } from "./saving.ts";
import { StoreLives } from "./store_lives.ts";
import { Trace } from "./trace.ts";

/** What a world is made from. */
export interface WorldOptions {
  readonly seed: string;
  readonly plan: Plan;
  readonly mutant?: Mutant | undefined;
  readonly print?: ((line: string) => void) | undefined;
}

/** The disk as it was at some moment, and what was known to be on it. */
export interface DiskCopy {
  readonly state: DiskState;
  readonly facts: FactsCopy;
}

/** Nothing was ever durable. */
const EMPTY_FACTS: FactsCopy = { feed: [], epochs: [], outcomes: new Map(), ended: new Map() };

/** Everything that a run consists of. */
export class World {
  readonly seed: string;
  readonly plan: Plan;
  readonly mutant: Mutant;
  readonly loop: VirtualLoop;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly facts: DurableFacts;
  readonly storeLives = new StoreLives();
  readonly staleSessions: StaleSessions;
  readonly supervision: Supervision;
  readonly faults: DiskFaults;
  readonly network: Network;
  readonly executions: Executions;
  readonly saved: SavedCheckpoints;
  readonly printing: Printing;
  readonly memory: ClusterMemory;
  readonly workers: readonly WorkerNode[];
  readonly clients: readonly ClientNode[];
  /** Second processes with the ids of workers. */
  readonly twins: WorkerNode[] = [];
  /** What struck and what was asked, in order. */
  readonly happened: HappenedEvent[] = [];
  /** Faults that were met, by kind. */
  readonly met = new Map<FaultName, number>();
  /** Interleavings that came about, by name. */
  readonly reachedScenarios = new Map<ScenarioName, number>();
  isHealed = false;
  readonly #streams = new Map<string, Random>();
  readonly #templates = new Map<string, TaskTemplate>();
  readonly #masters: MasterNode[];
  readonly #checkpoints: CheckpointFacts;
  #disk: WatchedDisk;

  constructor({ seed, plan, mutant = {}, print }: WorldOptions) {
    this.seed = seed;
    this.plan = plan;
    this.mutant = mutant;
    this.loop = new VirtualLoop(this.random("loop"));
    const now = () => this.loop.now();
    this.trace = new Trace(now, print);
    this.findings = new Findings(now);
    const { trace, findings } = this;
    this.printing = new Printing(seed, findings);
    const state = () => this.disk.state;
    this.staleSessions = new StaleSessions(findings, () => this.reached("late_frame"));
    this.supervision = new Supervision(findings);
    this.faults = new DiskFaults(this.random("disk"), plan.disk, (kind) => this.count(kind));
    const checkpoints = new CheckpointFacts({
      findings,
      state,
      templateOf: (task) => this.#templateOf(task),
    });
    this.#checkpoints = checkpoints;
    this.facts = new DurableFacts({
      findings,
      trace,
      state,
      executions: () => this.executions,
      lives: this.storeLives,
      isUnanswered: () => this.faults.isUnanswered,
      reached: (scenario) => this.reached(scenario),
      counted: (lease) => this.staleSessions.counted(lease),
      checkpoints,
    });
    this.#disk = this.#newDisk();
    this.executions = new Executions(findings, (task) => this.#templateOf(task), this.storeLives);
    this.saved = new SavedCheckpoints({
      findings,
      lives: this.storeLives,
      reached: (scenario) => this.reached(scenario),
    });
    const buffers = new Buffers(findings);
    this.network = new Network({
      loop: this.loop,
      random: this.random("network"),
      plan: plan.network,
      trace,
      tamper: mutant.tamper,
      observer: {
        count: (kind) => this.count(kind),
        delivers: (frame) => this.staleSessions.delivers(frame),
        queued: (unreadBytes) => buffers.queued(unreadBytes),
      },
    });
    this.memory = {
      executions: () => this.executions,
      mayForget: () => this.met.has("workerActorKill") || this.met.has("storeRestored"),
      findings,
      trace,
      state,
      lives: this.storeLives,
      granted: new Set(),
      results: new Map(),
      checkpoints,
      scenarios: new LeaseScenarios((scenario) => this.reached(scenario), now),
      live: undefined,
    };
    this.#masters = [new MasterNode("master", this)];
    this.workers = plan.workers.map((shape, index) => new WorkerNode(`w${index + 1}`, this, shape));
    this.clients = Array.from({ length: plan.clients }, (_, index) => new ClientNode(`c${index + 1}`, this));
  }

  get disk(): WatchedDisk {
    return this.#disk;
  }

  /** The one that is meant to run. */
  get master(): MasterNode {
    const master = this.#masters.at(-1);
    if (master === undefined) throw new Error("a world has a master");
    return master;
  }

  /** Those that have ended for good, or should. */
  get formerMasters(): readonly MasterNode[] {
    return this.#masters.slice(0, -1);
  }

  get nodes(): readonly Node[] {
    return [...this.#masters, ...this.workers, ...this.twins, ...this.clients];
  }

  /** Another master process over the same store, whoever still runs over it. */
  addMaster(): MasterNode {
    for (const each of this.#masters) each.retire();
    const master = new MasterNode(`master${this.#masters.length + 1}`, this);
    this.#masters.push(master);
    return master;
  }

  /** What is on the disk now. */
  copyDisk(): DiskCopy {
    return { state: structuredClone(this.disk.state), facts: this.facts.copy() };
  }

  /** An operator replaces the disk, while no master runs: by a copy, or by nothing. */
  replaceDisk(copy: DiskCopy | undefined): void {
    this.storeLives.replaced();
    this.facts.restore(copy?.facts ?? EMPTY_FACTS);
    this.#templates.clear();
    this.#disk = this.#newDisk(copy?.state);
    this.#checkpoints.restored(this.#disk.state);
  }

  /** A stream of the run's own under a name: the same one each time. */
  random(...name: readonly string[]): Random {
    const key = name.join(" ");
    const stream = this.#streams.get(key) ?? seededRandom(this.seed, "world", key);
    this.#streams.set(key, stream);
    return stream;
  }

  count(fault: FaultName): void {
    this.met.set(fault, (this.met.get(fault) ?? 0) + 1);
  }

  /** An interleaving has come about. */
  reached(scenario: ScenarioName): void {
    this.reachedScenarios.set(scenario, (this.reachedScenarios.get(scenario) ?? 0) + 1);
    this.trace.add(`scenario ${scenario}`);
  }

  /** Everything that is broken is mended, whoever is down is started, and whoever is one too many ends. */
  heal(): void {
    this.trace.add("healed");
    this.isHealed = true;
    this.network.heal();
    this.faults.heal();
    for (const node of [...this.twins, ...this.formerMasters]) {
      node.retire();
      node.kill();
    }
    for (const node of [this.master, ...this.workers, ...this.clients]) {
      node.goOn();
      node.start();
    }
  }

  #newDisk(state?: DiskState): WatchedDisk {
    return this.mutant.disk?.(this.facts, state) ?? new WatchedDisk(this.facts, state);
  }

  #templateOf(task: string): TaskTemplate | undefined {
    const group = task.slice(0, task.lastIndexOf("/"));
    const known = this.#templates.get(group);
    if (known !== undefined) return known;
    const bytes = this.disk.state.groups.get(groupId(group))?.template;
    if (bytes === undefined) return undefined;
    const template = taskTemplate.parse(decode(bytes));
    this.#templates.set(group, template);
    return template;
  }
}
