/**
 * Stands between the cluster and everyone around it, and looks inside after every turn.
 *
 * Watches: no lease is granted twice; nobody is told of what is not durable; experiments are told each outcome once and
 * in the order of commits; counted failures are durable rows; the cluster's own invariants.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, RemoteChild } from "../../../shared/actor/actor.ts";
import { type TaskId, taskParts } from "../../../shared/model/ids.ts";
import type { AttemptEnd } from "../../../shared/model/outcome.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Acknowledge, Result, ToWorker } from "../../../shared/protocol/worker_envelopes.ts";
import { Cluster } from "../../../master/cluster/cluster.ts";
import type { ClusterMessage, ClusterOptions } from "../../../master/cluster/messages.ts";
import type { LiveTask } from "../../../master/cluster/live_task.ts";
import { OPEN_BYTES_MAX, OPEN_TASKS_MAX } from "../../../master/cluster/submissions.ts";
import type { DiskState, DiskTask } from "../../../master/store/memory_state.ts";
import type { Findings } from "../findings.ts";
import type { StoreLives } from "../store_lives.ts";
import type { Trace } from "../trace.ts";
import { type CheckpointFacts, CheckpointWatch } from "./checkpoint_watch.ts";
import type { LeaseScenarios } from "./lease_scenarios.ts";
import type { Executions } from "../executions.ts";
import { DeviceWatch } from "./device_use.ts";
import { LeaseWatch } from "./lease_watch.ts";
import { TappedContext } from "./tapped_context.ts";

/** What outlives one life of the cluster. */
export interface ClusterMemory {
  readonly findings: Findings;
  readonly trace: Trace;
  readonly state: () => DiskState;
  readonly executions: () => Executions;
  /** Whether a worker may have lost what it knew, or a store what it was told: an actor crashed, a copy was restored. */
  readonly mayForget: () => boolean;
  readonly lives: StoreLives;
  /** Every lease that was ever granted. */
  readonly granted: Set<string>;
  /** What workers said of leases. */
  readonly results: Map<string, AttemptEnd["state"]>;
  readonly scenarios: LeaseScenarios;
  readonly checkpoints: CheckpointFacts;
  /** The live cluster, for whoever asks in the end. */
  live: Cluster | undefined;
}

/** A cluster that is watched. */
export class ClusterTap implements Actor<ClusterMessage> {
  readonly #memory: ClusterMemory;
  readonly #cluster: Cluster;
  readonly #watch: LeaseWatch;
  readonly #checkpoints: CheckpointWatch;
  readonly #devices: DeviceWatch;
  /** What each life of an experiment was told. */
  readonly #told = new Map<number, Set<number>>();
  readonly #order = new Map<number, number>();

  /** @param process whose life it is part of */
  constructor(
    context: Context<ClusterMessage>,
    options: ClusterOptions,
    memory: ClusterMemory,
    process: object,
  ) {
    this.#memory = memory;
    memory.scenarios.begins(process);
    const tapped = new TappedContext(context, (to, message) => this.#sent(to, message));
    this.#cluster = new Cluster(tapped, options);
    const { core } = this.#cluster;
    const say = core.say.bind(core);
    core.say = (session, envelope) => {
      if (session !== undefined) this.#says(envelope);
      if (session !== undefined && envelope.type === "welcome") memory.scenarios.welcomes(session.id);
      say(session, envelope);
    };
    this.#watch = new LeaseWatch(context, core, memory);
    this.#checkpoints = new CheckpointWatch(core, memory, () => memory.live === this.#cluster);
    this.#devices = new DeviceWatch(core, memory);
    memory.live = this.#cluster;
    context.atEnd(() => {
      memory.scenarios.ends(process, core);
      if (memory.live === this.#cluster) memory.live = undefined;
    });
  }

  receive(message: ClusterMessage): void {
    if (message.type === "worker_said") {
      for (const each of message.envelopes) {
        if (each.type === "result") this.#noteResult(message.session, each);
      }
    }
    this.#memory.scenarios.hears(this.#cluster.core, message);
    this.#watch.hears(message);
    this.#checkpoints.hears(message);
    this.#devices.hears(message);
    this.#cluster.receive(message);
    this.#memory.scenarios.heard();
  }

  exited(actor: Ref<never>, reason: ExitReason): void {
    this.#memory.scenarios.sessionEnds(this.#cluster.core, actor.id);
    this.#watch.exits(actor);
    this.#cluster.exited(actor, reason);
  }

  turnEnded(): void {
    this.#cluster.turnEnded();
    this.#watch.look();
    this.#checkpoints.turnEnded();
    const { findings } = this.#memory;
    const wrong = this.#cluster.check();
    findings.expect("cluster_sane", wrong.length === 0, () => wrong.join("; "));
    const { tasks, payloadBytes, log } = this.#cluster.core;
    findings.expect(
      "queue_bounded",
      tasks.size <= OPEN_TASKS_MAX && payloadBytes <= OPEN_BYTES_MAX,
      () => `${tasks.size} tasks are open with ${payloadBytes} bytes`,
    );
    // What a second master has written meanwhile, a superseded one does not know.
    const isNewest = this.#memory.live === this.#cluster;
    if (log.waiting === 0 && isNewest) { for (const task of tasks.values()) this.#checkFailures(task); }
  }

  remoteChildren(): readonly RemoteChild[] {
    return this.#cluster.remoteChildren();
  }

  /** Of an attempt that was told to end, or given up before, a failure counts nowhere. */
  #noteResult(session: Ref<never>, result: Result): void {
    const key = leaseKey(result);
    const { sessions } = this.#cluster.core;
    const attempt = [...sessions.get(session.id)?.attempts ?? []].find((each) =>
      leaseKey(each.lease) === key
    );
    const counts = attempt !== undefined && attempt.cancelling === undefined;
    const { state } = result.end;
    this.#memory.results.set(key, state === "failed" && !counts ? "cancelled" : state);
  }

  #checkFailures(task: LiveTask): void {
    const ended = this.#memory.state().openTasks.get(task.id)?.ended;
    const { evaluator, deadline, worker_lost, crash } = task.failures;
    // Most tasks never fail, and all of them are looked at after each turn.
    if ((ended === undefined || ended.size === 0) && evaluator + deadline + worker_lost + crash === 0) return;
    for (const cause of ["evaluator", "deadline", "worker_lost", "crash"] as const) {
      let rows = 0;
      for (const each of ended?.values() ?? []) if (each === cause) rows += 1;
      this.#memory.findings.expect(
        "retries_bounded",
        rows === task.failures[cause],
        () => `${task.id} counts ${task.failures[cause]} failures by ${cause}, the disk has ${rows}`,
      );
    }
  }

  #says(envelope: ToWorker): void {
    const { findings, state, granted } = this.#memory;
    switch (envelope.type) {
      case "assign": {
        const key = leaseKey(envelope);
        findings.expect("lease_once", !granted.has(key), () => `${key} was granted twice`);
        // One that a second master has superseded grants until its next commit says so.
        const isFenced = this.#memory.live !== this.#cluster;
        findings.expect(
          "lease_once",
          state().epochs.at(-1) === envelope.epoch || isFenced,
          () => `${key} was granted in an epoch that is not the newest`,
        );
        granted.add(key);
        findings.expect(
          "loss_noticed",
          this.#cluster.core.lost === undefined,
          () => `${key} was granted over an older copy of the store`,
        );
        findings.expect(
          "one_outcome",
          this.#diskTask(envelope.task)?.outcome === undefined || this.#cluster.core.log.waiting > 0 ||
            isFenced,
          () => `${key} was granted after its outcome was durable`,
        );
        return;
      }
      case "acknowledge":
        return this.#acknowledges(envelope);
      case "welcome":
      case "heartbeat":
        return this.#tellsCommit(envelope.commit);
      default:
        return;
    }
  }

  #tellsCommit(commit: number): void {
    const { findings, state } = this.#memory;
    findings.expect(
      "acknowledged_is_durable",
      commit <= state().commit,
      () => `commit ${commit} was told and the disk ends with ${state().commit}`,
    );
  }

  #acknowledges({ epoch, task, attempt, verdict, commit }: Acknowledge): void {
    const { findings, results, lives } = this.#memory;
    const key = leaseKey({ epoch, task, attempt });
    this.#tellsCommit(commit);
    const disk = this.#diskTask(task);
    const said = results.get(key);
    // What a lost store had granted is nobody's promise any more.
    const isDurable = verdict === "unknown" && !lives.isPresent(epoch)
      ? true
      : said === "completed"
      ? disk?.outcome !== undefined
      : said === "failed" && verdict === "recorded"
      ? disk?.ended.has(key) === true || disk?.outcome !== undefined
      : true;
    findings.expect(
      "acknowledged_is_durable",
      isDurable,
      () => `${key} (${said}) was acknowledged as ${verdict}, and the disk does not have it`,
    );
    findings.expect(
      "acknowledged_is_durable",
      verdict !== "unknown" || !lives.isPresent(epoch),
      () => `${key} was acknowledged as unknown, by the store that granted it`,
    );
  }

  #sent(to: Ref<never>, message: unknown): void {
    if (isClose(message)) this.#memory.scenarios.closes(message.name, message.message);
    if (!isEnded(message)) return;
    const { findings, state, trace } = this.#memory;
    const group = [...this.#cluster.core.sources.values()].find((source) => source.ref.id === to.id)?.group
      .id;
    trace.add(`told ${group}/${message.number}`);
    const disk = group === undefined ? undefined : state().groups.get(group);
    const place = disk?.outcomes.findIndex((task) => task.number === message.number) ?? -1;
    findings.expect(
      "told_once",
      place >= 0,
      () => `${group}/${message.number} was told before it was durable`,
    );
    const told = this.#told.get(to.id) ?? new Set<number>();
    findings.expect(
      "told_once",
      !told.has(message.number),
      () => `${group}/${message.number} was told twice`,
    );
    told.add(message.number);
    this.#told.set(to.id, told);
    const last = this.#order.get(to.id) ?? -1;
    findings.expect("told_once", place > last, () => `${group}/${message.number} was told out of order`);
    this.#order.set(to.id, place);
  }

  #diskTask(id: TaskId): DiskTask | undefined {
    const { group, number } = taskParts(id);
    return this.#memory.state().groups.get(group)?.tasks.get(number);
  }
}

function isClose(
  message: unknown,
): message is { readonly type: "close"; readonly name: string; readonly message: string } {
  return typeof message === "object" && message !== null && "type" in message && message.type === "close" &&
    "name" in message && "message" in message;
}

function isEnded(message: unknown): message is { readonly type: "ended"; readonly number: number } {
  return typeof message === "object" && message !== null && "type" in message && message.type === "ended" &&
    "outcome" in message && "number" in message;
}
