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
import { DEADLINE_MS, METRIC } from "./evaluator.ts";
import type { ClientNode } from "./nodes/client_node.ts";
import { drawnPolicy } from "./saving.ts";
import type { RequestKind } from "./schedule.ts";
import type { World } from "./world.ts";

/** How often paused experiments are resumed once all is healed. */
const RESUME_EVERY_MS = 10_000;

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

/** What clients ask for. */
export class Workload {
  readonly #world: World;
  readonly #groups: GroupId[] = [];
  readonly #experiments: GroupId[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Asks; nothing where there is nothing to ask about. @returns what was asked, in words */
  ask(kind: RequestKind, number: number, random: Random): string | undefined {
    const client = random.pick(this.#world.clients);
    switch (kind) {
      case "submit":
        return this.#submit(client, `s${number}`, random);
      case "run":
        return this.#run(client, `e${number}`, random);
      case "cancel":
        return this.#cancel(client, random);
      case "steer":
        return this.#steer(client, random);
      case "question":
        return this.#question(client, random);
    }
  }

  #submit(client: ClientNode, name: string, random: Random): string {
    const count = 1 + random.integer(this.#world.plan.workload.tasksMax);
    const payloads = Array.from({ length: count }, (_, index) => encode({ candidate: { name, index } }));
    const checkpoints = drawnPolicy(this.#world.seed, name);
    const whole = {
      ...template(random, this.#gpuNeeds),
      ...(checkpoints === undefined ? {} : { checkpoints }),
    };
    client.ask({ kind: "submit", name, template: whole, payloads }, (reply) => {
      this.#learn(reply, "group", this.#groups);
    });
    return `${client.name} submits ${count} tasks as ${name}`;
  }

  #run(client: ClientNode, name: string, random: Random): string {
    const spec = specOf(name, this.#world.plan.workload.trialsMax, random, this.#gpuNeeds);
    client.ask({ kind: "run", spec }, (reply) => this.#learn(reply, "experiment", this.#experiments));
    return `${client.name} runs an experiment of ${spec.budget?.trials} trials as ${name}`;
  }

  get #gpuNeeds(): readonly number[] {
    return this.#world.plan.workload.gpuNeeds ?? [];
  }

  #cancel(client: ClientNode, random: Random): string | undefined {
    const group = any([...this.#groups, ...this.#experiments], random);
    const number = random.integer(2) === 0 ? null : 1 + random.integer(5);
    if (group === undefined) return undefined;
    client.ask({ kind: "cancel", group, number });
    return `${client.name} cancels ${group}${number === null ? "" : `/${number}`}`;
  }

  /** Pauses or resumes an experiment that may be over. */
  #steer(client: ClientNode, random: Random): string | undefined {
    const group = any(this.#experiments, random);
    const kind = random.pick(["pause", "resume"] as const);
    if (group === undefined) return undefined;
    client.ask({ kind, group });
    return `${client.name} ${kind}s ${group}`;
  }

  #question(client: ClientNode, random: Random): string {
    const group = any([...this.#groups, ...this.#experiments], random);
    const page = { after: 0, limit: 100 };
    const questions: CommandBody[] = [{ kind: "workers" }, { kind: "experiments", offset: 0, limit: 10 }];
    if (group !== undefined) {
      questions.push(
        { kind: "counts", group },
        { kind: "explain", task: taskId(group, 1) },
        { kind: "trials", experiment: group, ...page },
      );
    }
    const question = random.pick(questions);
    client.ask(question);
    return `${client.name} asks for ${question.kind}`;
  }

  #learn(reply: Reply, field: string, into: GroupId[]): void {
    const name = reply.ok && isRecord(reply.value) ? reply.value[field] : undefined;
    if (typeof name === "string") into.push(groupId(name));
  }
}

function any(groups: readonly GroupId[], random: Random): GroupId | undefined {
  return groups.length === 0 ? undefined : random.pick(groups);
}

function template(random: Random, gpuNeeds: readonly number[]): TaskTemplate {
  return {
    evaluator: random.integer(4) === 0
      ? { kind: "builtin", name: "noop" }
      : { kind: "module", path: "/evaluate.ts" },
    // No worker has less than one cpu.
    resources: { cpus: random.integer(2), memoryBytes: 0, gpus: gpusOf(random, gpuNeeds) },
    priority: random.integer(3),
    retry: { ...RETRY_DEFAULTS, limit: random.integer(4), crashLimit: random.integer(4) },
    deadlineMs: DEADLINE_MS,
    graceMs: random.pick([0, 500, 5_000]),
    reassignAfterMs: random.pick([0, 0, 5_000]),
  };
}

/** Draws nothing where no task needs a GPU. */
function gpusOf(random: Random, gpuNeeds: readonly number[]): number {
  return gpuNeeds.length === 0 ? 0 : random.pick(gpuNeeds);
}

function specOf(name: string, trialsMax: number, random: Random, gpuNeeds: readonly number[]): SpecInput {
  return {
    name,
    space: parameters({
      rate: real(0.001, 1, { log: true }),
      width: integer(1, 64),
      kind: choice(["a", "b", "c"]),
    }),
    optimizer: random.integer(2) === 0 ? { kind: "random", seed: 7 } : {
      kind: "genetic",
      seed: 7,
      population: 4,
      mode: random.pick(["steady", "generational"] as const),
      elitism: 1,
    },
    evaluator: { kind: "module", path: "/evaluate.ts" },
    objectives: [{ metric: METRIC, direction: random.pick(["maximize", "minimize"] as const) }],
    budget: { trials: 1 + random.integer(trialsMax) },
    deadline: DEADLINE_MS / 1_000,
    retry: { limit: random.integer(3) },
    maxFailures: random.pick([0, 5]),
    minWorkers: random.integer(2),
    resources: { gpus: gpusOf(random, gpuNeeds) },
  };
}

/** Whether all that was asked for is done. */
export function isWorkDone(world: World): boolean {
  const { state } = world.disk;
  if (state.openTasks.size > 0) return false;
  for (const each of state.experiments.values()) if (!isOver(each.state)) return false;
  return world.clients.every((client) => client.isDone);
}
