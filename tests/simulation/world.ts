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
import type { ClusterMemory } from "./checkers/cluster_tap.ts";
import { DurableFacts } from "./checkers/durable_facts.ts";
import { DiskFaults, WatchedDisk } from "./disk.ts";
import { Executions } from "./executions.ts";
import { Findings } from "./findings.ts";
import type { Mutant } from "./mutant.ts";
import { Network } from "./network.ts";
import { ClientNode } from "./nodes/client_node.ts";
import { MasterNode } from "./nodes/master_node.ts";
import type { Node } from "./nodes/node.ts";
import { WorkerNode } from "./nodes/worker_node.ts";
import type { Plan } from "./plan.ts";
import type { ScenarioName } from "./scenarios.ts";
import { Trace } from "./trace.ts";

/** What a world is made from. */
export interface WorldOptions {
  readonly seed: string;
  readonly plan: Plan;
  readonly mutant?: Mutant | undefined;
  readonly print?: ((line: string) => void) | undefined;
}

/** Everything that a run consists of. */
export class World {
  readonly seed: string;
  readonly plan: Plan;
  readonly mutant: Mutant;
  readonly loop: VirtualLoop;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly facts: DurableFacts;
  readonly disk: WatchedDisk;
  readonly faults: DiskFaults;
  readonly network: Network;
  readonly executions: Executions;
  readonly memory: ClusterMemory;
  readonly master: MasterNode;
  readonly workers: readonly WorkerNode[];
  readonly clients: readonly ClientNode[];
  /** Faults that were met, by kind. */
  readonly met = new Map<string, number>();
  /** Interleavings that came about, by name. */
  readonly reachedScenarios = new Map<ScenarioName, number>();
  isHealed = false;
  readonly #streams = new Map<string, Random>();
  readonly #templates = new Map<string, TaskTemplate>();

  constructor({ seed, plan, mutant = {}, print }: WorldOptions) {
    this.seed = seed;
    this.plan = plan;
    this.mutant = mutant;
    this.loop = new VirtualLoop(this.random("loop"));
    const now = () => this.loop.now();
    this.trace = new Trace(now, print);
    this.findings = new Findings(now);
    const { trace, findings } = this;
    const state = () => this.disk.state;
    this.facts = new DurableFacts({ findings, trace, state, executions: () => this.executions });
    this.disk = mutant.disk?.(this.facts) ?? new WatchedDisk(this.facts);
    this.faults = new DiskFaults(this.random("disk"), plan.disk);
    this.executions = new Executions(findings, (task) => this.#templateOf(task));
    this.network = new Network({
      loop: this.loop,
      random: this.random("network"),
      plan: plan.network,
      trace,
      tamper: mutant.tamper,
    });
    this.memory = { findings, trace, state, granted: new Set(), results: new Map(), live: undefined };
    this.master = new MasterNode("master", this);
    this.workers = plan.workers.map((shape, index) => new WorkerNode(`w${index + 1}`, this, shape));
    this.clients = Array.from({ length: plan.clients }, (_, index) => new ClientNode(`c${index + 1}`, this));
  }

  get nodes(): readonly Node[] {
    return [this.master, ...this.workers, ...this.clients];
  }

  /** A stream of the run's own under a name: the same one each time. */
  random(...name: readonly string[]): Random {
    const key = name.join(" ");
    const stream = this.#streams.get(key) ?? seededRandom(this.seed, "world", key);
    this.#streams.set(key, stream);
    return stream;
  }

  count(fault: string): void {
    this.met.set(fault, (this.met.get(fault) ?? 0) + 1);
  }

  /** An interleaving has come about. */
  reached(scenario: ScenarioName): void {
    this.reachedScenarios.set(scenario, (this.reachedScenarios.get(scenario) ?? 0) + 1);
    this.trace.add(`scenario ${scenario}`);
  }

  /** Everything that is broken is mended, and whoever is down is started. */
  heal(): void {
    this.trace.add("healed");
    this.isHealed = true;
    this.network.heal();
    this.faults.isHealed = true;
    this.faults.isFullNow = false;
    for (const node of this.nodes) {
      node.goOn();
      node.start();
    }
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
