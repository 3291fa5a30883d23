/**
 * The registrar: begins experiments, begins them again after a restart, and passes users' words on to them.
 *
 * Promise: an experiment is durable before its user hears yes, and begun once however often the command comes.
 * Not here: the experiments (experiment.ts) and their supervision (the `experiments` supervisor).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../../shared/actor/actor.ts";
import { childSpec, type SupervisorMessage } from "../../shared/actor/supervisor.ts";
import { type ExperimentState, type ExperimentSummary, isOver } from "../../shared/model/experiment.ts";
import { type CommandId, type GroupId, groupId } from "../../shared/model/ids.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { type Spec, specSchema } from "../../shared/protocol/spec.ts";
import { formatPath, problemsOf } from "../../shared/space/space.ts";
import type { ClusterMessage, CommandReply, LiveMessage, Standing } from "../cluster/messages.ts";
import type { StoreAnswer, StoreMessage } from "../store/messages.ts";
import { beginning, experimentAdded } from "./beginning.ts";
import { experiment } from "./experiment.ts";
import type { ExperimentMessage, RegistrarMessage, SteeringMessage } from "./messages.ts";
import { brokeAgain, failure, notReady, over, storeLost, unknown } from "./refusals.ts";
import { Revival } from "./revival.ts";
import { StoreCommits } from "./store_commits.ts";

/** Experiments that are shown live; older ones are asked for. */
const LIVE_MAX = 200;
/** How long an experiment has to stop. */
const SHUTDOWN_MS = 1_000;

/** What the registrar is given. */
export interface RegistrarOptions {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly experiments: Ref<SupervisorMessage>;
  /** Told of its own address: the supervisor of experiments is older than it. */
  readonly onStart: (registrar: Ref<RegistrarMessage>) => void;
}

/** The registrar's actor. */
export function registrar(options: RegistrarOptions): Start<RegistrarMessage> {
  return (context) => new Registrar(context, options);
}

/** In which state an experiment begins, or begins again. */
type Stand = Pick<ExperimentSummary, "state" | "reason">;

type RunMessage = Extract<RegistrarMessage, { type: "run" }>;

class Registrar implements Actor<RegistrarMessage> {
  readonly #context: Context<RegistrarMessage>;
  readonly #options: RegistrarOptions;
  readonly #running = new Map<GroupId, Ref<ExperimentMessage>>();
  readonly #live = new Map<GroupId, ExperimentSummary>();
  readonly #commits: StoreCommits;
  /** Commands to begin one that are being committed, with who is to be answered. */
  readonly #beingBegun = new Map<CommandId, { asker: RunMessage }>();
  /** How those stand that were begun. */
  readonly #stands = new Map<GroupId, Stand>();
  readonly #revival: Revival;
  #feed: Ref<LiveMessage> | undefined;
  #nextGroup: number | undefined;
  /** Why nothing may be begun or changed over this store. */
  #lost = "";

  constructor(context: Context<RegistrarMessage>, options: RegistrarOptions) {
    this.#context = context;
    this.#options = options;
    this.#commits = new StoreCommits(context, options.store);
    this.#revival = new Revival(context, options.store, {
      begin: (summary, spec) =>
        this.#begin(summary.experiment, spec, "paused", summary.reason, summary.createdAtMs),
      refuse: (message, refusal) => this.#refuse(message, refusal),
    });
    options.onStart(context.self);
    context.send(options.cluster, { type: "attach_registrar", registrar: context.self });
    this.#askRecent();
  }

  receive(message: RegistrarMessage): void {
    switch (message.type) {
      case "run":
        return this.#run(message);
      case "cancel_experiment":
      case "pause":
      case "resume":
        return this.#steer(message);
      case "standing":
        return this.#tellStanding(message);
      case "experiment_up":
        return this.#up(message.group, message.experiment);
      case "experiment_changed":
        return this.#changed(message.summary);
      case "experiment_broken":
        return this.#broken(message.group, message.cause);
      case "attach_feed":
        this.#feed = message.feed;
        return this.#publish([...this.#live.values()]);
      case "recovered":
      case "committed":
      case "answer":
      case "backed_up":
      case "store_state":
        return this.#storeSaid(message);
    }
  }

  #storeSaid(message: StoreAnswer): void {
    switch (message.type) {
      case "recovered":
        this.#nextGroup = message.recovered.nextGroup;
        for (const each of message.recovered.experiments) {
          const spec = specSchema.safeParse(JSON.parse(each.spec));
          if (spec.success) {
            this.#begin(each.experiment, spec.data, each.state, each.reason, each.createdAtMs);
          } else {this.#broken(
              each.experiment,
              `its stored spec does not fit this version: ${spec.error.message}`,
            );}
        }
        return;
      case "committed":
        return this.#commits.answered(message);
      case "answer":
        if (message.kind === "experiment") return this.#revival.answered(message);
        if (message.kind !== "experiments" || !message.result.ok) return;
        // Those that run have said more recent things themselves.
        for (const summary of [...message.result.value].reverse()) {
          if (!this.#live.has(summary.experiment)) this.#changed(summary);
        }
        return;
      case "store_state":
        this.#lost = message.reason;
        return;
      case "backed_up":
        return;
    }
  }

  #askRecent(): void {
    this.#context.send(this.#options.store, {
      type: "query",
      from: this.#context.self,
      token: 0,
      kind: "experiments",
      ask: { offset: 0, limit: LIVE_MAX },
    });
  }

  #run(message: RunMessage): void {
    const checked = specSchema.safeParse(message.spec);
    if (!checked.success) {
      const problem = problemsOf(checked.error, message.spec)[0];
      const text = problem?.message ?? "does not fit";
      return this.#answer(
        message,
        failure("bad_spec", text, formatPath(problem?.path ?? []), "mend the spec and run it again"),
      );
    }
    if (this.#lost !== "") return this.#answer(message, storeLost(this.#lost));
    if (this.#nextGroup === undefined) return this.#answer(message, notReady());
    const first = this.#beingBegun.get(message.id);
    // Sent again while the store takes its time: whoever asked last is answered, and nothing more waits for the store.
    if (first !== undefined) {
      first.asker = message;
      return;
    }
    const asked = { asker: message };
    this.#beingBegun.set(message.id, asked);
    const spec = checked.data;
    const group = groupId(`${spec.name.slice(0, 64)}-${this.#nextGroup++}`);
    const value = { experiment: group };
    const atMs = this.#context.wallClock();
    const added = experimentAdded(message.id, value, group, message.spec, spec, atMs);
    this.#commits.commit(added, (verdict, commit) => {
      this.#beingBegun.delete(message.id);
      const answer = verdict.type === "repeated" ? decode(verdict.reply) : value;
      if (verdict.type === "recorded") {
        this.#changed(beginning(group, spec, atMs));
        this.#begin(group, spec, "running", "", atMs);
      }
      this.#answer(asked.asker, { ok: true, value: answer, commit });
    });
  }

  #begin(group: GroupId, spec: Spec, state: ExperimentState, reason: string, createdAtMs: number): void {
    const { store, cluster, experiments } = this.#options;
    const base = { group, spec, createdAtMs, store, cluster, registrar: this.#context.self };
    this.#stands.set(group, { state, reason });
    // One that crashes begins again as it stood, and not as it was begun: a user may have paused it meanwhile.
    const options = () => ({ ...base, ...this.#stands.get(group) ?? { state, reason } });
    this.#context.send(experiments, {
      type: "start_child",
      child: childSpec({
        name: `experiment:${group}`,
        restart: "transient",
        shutdownMs: SHUTDOWN_MS,
        start: () => experiment(options()),
      }),
    });
  }

  #steer(message: SteeringMessage): void {
    // What is acknowledged over an older copy is lost with it.
    if (this.#lost !== "") return this.#answer(message, storeLost(this.#lost));
    const experiment = this.#running.get(message.group);
    const { type, id, from, token } = message;
    if (experiment !== undefined) return this.#context.send(experiment, { type, id, from, token });
    const known = this.#live.get(message.group);
    if (type === "resume") return this.#revival.ask(message, known?.state);
    const refusal = known === undefined ? unknown(message.group) : over(message.group, known.state);
    // Of a whole group that is no experiment the cluster may know.
    if (known === undefined && type === "cancel_experiment") return this.#answer(message, refusal);
    this.#refuse(message, refusal);
  }

  /** Refuses, unless it was done when it came first: the store knows. What it keeps of a refusal is null. */
  #refuse(message: SteeringMessage, refusal: CommandReply): void {
    this.#commits.command(message.id, null, [], (verdict, commit) => {
      const value = verdict.type === "repeated" ? decode(verdict.reply) : null;
      this.#answer(message, value === null ? refusal : { ok: true, value, commit });
    });
  }

  #up(group: GroupId, experiment: Ref<ExperimentMessage>): void {
    this.#running.set(group, experiment);
    for (const { type, id, from, token } of this.#revival.taken(group)) {
      this.#context.send(experiment, { type, id, from, token });
    }
  }

  #tellStanding(message: Extract<RegistrarMessage, { type: "standing" }>): void {
    const { group, from, token } = message;
    const known = this.#live.get(group);
    const reply: CommandReply = known === undefined
      ? unknown(group)
      : { ok: true, value: { state: known.state, reason: known.reason } satisfies Standing, commit: 0 };
    this.#context.send(from, { type: "command_answered", token, reply });
  }

  #changed(summary: ExperimentSummary): void {
    this.#live.delete(summary.experiment);
    this.#live.set(summary.experiment, summary);
    const { experiment: group, state, reason } = summary;
    if (this.#stands.has(group)) {
      this.#stands.set(group, { state, reason: state === "running" ? "" : reason });
    }
    if (isOver(state)) this.#forget(group);
    const oldest = this.#live.keys().next().value;
    if (this.#live.size > LIVE_MAX && oldest !== undefined) this.#live.delete(oldest);
    this.#publish([summary]);
  }

  #forget(group: GroupId): void {
    this.#running.delete(group);
    this.#stands.delete(group);
  }

  #broken(group: GroupId, cause: string): void {
    this.#forget(group);
    for (const message of this.#revival.taken(group)) this.#answer(message, brokeAgain(group, cause));
    const known = this.#live.get(group);
    if (known !== undefined) this.#changed({ ...known, state: "broken", reason: cause });
    this.#context.log("error", `${group} is parked as broken: ${cause}`);
    const atMs = this.#context.wallClock();
    this.#context.send(this.#options.cluster, {
      type: "source_closed",
      group,
      cancelOpen: true,
      changes: [{ type: "experiment_state", experiment: group, state: "broken", reason: cause, atMs }],
    });
  }

  #publish(summaries: readonly ExperimentSummary[]): void {
    if (this.#feed === undefined || summaries.length === 0) return;
    this.#context.send(this.#feed, {
      type: "live",
      entries: summaries.map((value) => ({ topic: "experiment" as const, key: value.experiment, value })),
    });
  }

  #answer(to: RunMessage | SteeringMessage, reply: CommandReply): void {
    this.#context.send(to.from, { type: "command_answered", token: to.token, reply });
  }
}
