/**
 * The work: what clients ask for, at times that the seed draws.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { isOver } from "../../shared/model/experiment.ts";
import { type GroupId, groupId, taskId } from "../../shared/model/ids.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../shared/model/task.ts";
import { encode } from "../../shared/protocol/codec.ts";
import type { CommandBody, Reply } from "../../shared/protocol/client_envelopes.ts";
import type { SpecInput } from "../../shared/protocol/spec.ts";
import { choice, integer, parameters, real } from "../../shared/space/builders.ts";
import { isRecord } from "../../shared/space/problem.ts";
import { METRIC } from "./evaluator.ts";
import type { ClientNode } from "./nodes/client_node.ts";
import type { World } from "./world.ts";

/** Evaluators may hang: whatever runs has a deadline, longer than the silence after which a worker is lost. */
const DEADLINE_MS = 60_000;
/** How often paused experiments are resumed once all is healed. */
const RESUME_EVERY_MS = 10_000;

/** Plans everything that is asked for in a run. */
export function planWork(world: World): void {
  const { workload, activeMs } = world.plan;
  const random = world.random("workload");
  const work = new Workload(world, random);
  const at = (call: () => void) => void world.loop.timer(random.next() * activeMs * 0.8, call);
  for (let i = 0; i < workload.submissions; i++) at(() => work.submit());
  for (let i = 0; i < workload.experiments; i++) at(() => work.run());
  for (let i = 0; i < workload.cancels; i++) at(() => work.cancel());
  for (let i = 0; i < workload.steering; i++) at(() => work.steer());
  for (let i = 0; i < workload.questions; i++) at(() => work.question());
}

/** Lets paused experiments go on, again and again: failures in a row may pause them anew. */
export function keepResuming(world: World): void {
  const again = () => {
    for (const each of world.disk.state.experiments.values()) {
      if (each.state === "paused") world.clients[0]?.ask({ kind: "resume", group: each.id });
    }
    world.loop.timer(RESUME_EVERY_MS, again);
  };
  again();
}

class Workload {
  readonly #world: World;
  readonly #random: Random;
  readonly #groups: GroupId[] = [];
  readonly #experiments: GroupId[] = [];
  #names = 0;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  submit(): void {
    const count = 1 + this.#random.integer(this.#world.plan.workload.tasksMax);
    const name = `s${++this.#names}`;
    const payloads = Array.from({ length: count }, (_, index) => encode({ candidate: { name, index } }));
    this.#client().ask({ kind: "submit", name, template: this.#template(), payloads }, (reply) => {
      this.#learn(reply, "group", this.#groups);
    });
  }

  run(): void {
    const spec = this.#spec(`e${++this.#names}`);
    this.#client().ask({ kind: "run", spec }, (reply) => this.#learn(reply, "experiment", this.#experiments));
  }

  cancel(): void {
    const group = this.#any([...this.#groups, ...this.#experiments]);
    const number = this.#random.integer(2) === 0 ? null : 1 + this.#random.integer(5);
    if (group !== undefined) this.#client().ask({ kind: "cancel", group, number });
  }

  /** Pauses or resumes an experiment that may be over. */
  steer(): void {
    const group = this.#any(this.#experiments);
    const kind = this.#random.pick(["pause", "resume"] as const);
    if (group !== undefined) this.#client().ask({ kind, group });
  }

  question(): void {
    const group = this.#any([...this.#groups, ...this.#experiments]);
    const page = { after: 0, limit: 100 };
    const questions: CommandBody[] = [{ kind: "workers" }, { kind: "experiments", offset: 0, limit: 10 }];
    if (group !== undefined) {
      questions.push(
        { kind: "counts", group },
        { kind: "explain", task: taskId(group, 1) },
        { kind: "trials", experiment: group, ...page },
      );
    }
    this.#client().ask(this.#random.pick(questions));
  }

  #client(): ClientNode {
    return this.#random.pick(this.#world.clients);
  }

  #any(groups: readonly GroupId[]): GroupId | undefined {
    return groups.length === 0 ? undefined : this.#random.pick(groups);
  }

  #learn(reply: Reply, field: string, into: GroupId[]): void {
    const name = reply.ok && isRecord(reply.value) ? reply.value[field] : undefined;
    if (typeof name === "string") into.push(groupId(name));
  }

  #template(): TaskTemplate {
    return {
      evaluator: this.#random.integer(4) === 0
        ? { kind: "builtin", name: "noop" }
        : { kind: "module", path: "/evaluate.ts" },
      // No worker has less than one cpu.
      resources: { cpus: this.#random.integer(2), memoryBytes: 0, gpus: 0 },
      priority: this.#random.integer(3),
      retry: { ...RETRY_DEFAULTS, limit: this.#random.integer(4), crashLimit: this.#random.integer(4) },
      deadlineMs: DEADLINE_MS,
      graceMs: this.#random.pick([0, 500, 5_000]),
      reassignAfterMs: this.#random.pick([0, 0, 5_000]),
    };
  }

  #spec(name: string): SpecInput {
    const { trialsMax } = this.#world.plan.workload;
    return {
      name,
      space: parameters({
        rate: real(0.001, 1, { log: true }),
        width: integer(1, 64),
        kind: choice(["a", "b", "c"]),
      }),
      optimizer: this.#random.integer(2) === 0 ? { kind: "random", seed: 7 } : {
        kind: "genetic",
        seed: 7,
        population: 4,
        mode: this.#random.pick(["steady", "generational"] as const),
        elitism: 1,
      },
      evaluator: { kind: "module", path: "/evaluate.ts" },
      objectives: [{ metric: METRIC, direction: this.#random.pick(["maximize", "minimize"] as const) }],
      budget: { trials: 1 + this.#random.integer(trialsMax) },
      deadline: DEADLINE_MS / 1_000,
      retry: { limit: this.#random.integer(3) },
      maxFailures: this.#random.pick([0, 5]),
      minWorkers: this.#random.integer(2),
    };
  }
}

/** Whether all that was asked for is done. */
export function isWorkDone(world: World): boolean {
  const { state } = world.disk;
  if (state.openTasks.size > 0) return false;
  for (const each of state.experiments.values()) if (!isOver(each.state)) return false;
  return world.clients.every((client) => client.isDone);
}
