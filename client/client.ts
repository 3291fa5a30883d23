/**
 * The client: everything one can ask of a master, as methods.
 *
 * Promise: a command has its effect once, however often the connection breaks; a master that is too busy is asked again
 * without the caller noticing more than time.
 * Not here: how the master is found (find_master.ts), the connection (link.ts).
 *
 * @module
 */
import type { z } from "zod";
import type { ArtifactFile } from "../shared/model/artifact.ts";
import type { ExperimentSummary, TrialSummary } from "../shared/model/experiment.ts";
import { type GroupId, groupId, TASK_ID_PATTERN, type TaskId, taskId } from "../shared/model/ids.ts";
import type { WorkerLive } from "../shared/model/live.ts";
import type { ArtifactTransfer } from "../shared/protocol/artifact_port.ts";
import type { CommandBody, LiveEntry } from "../shared/protocol/client_envelopes.ts";
import { encode } from "../shared/protocol/codec.ts";
import { taskTemplate } from "../shared/protocol/fields.ts";
import { PAGE_ROWS_MAX, SPEC_BYTES_MAX } from "../shared/protocol/limits.ts";
import type { SpecInput } from "../shared/protocol/spec.ts";
import { isRecord } from "../shared/space/problem.ts";
import { NO_ARTIFACTS } from "./artifacts.ts";
import { CommandFailed, unexpectedReply } from "./command_failed.ts";
import { Correspondent, type CorrespondentEvents } from "./correspondent.ts";
import { type ExperimentCallbacks, ExperimentHandle } from "./experiment_handle.ts";
import { GroupWait } from "./group_wait.ts";
import { Outputs } from "./output.ts";
import type { OutputEvent, OutputOptions } from "./output_events.ts";
import type { Dialer, LinkState } from "./link_messages.ts";
import { LogRouter } from "./log_router.ts";
import { pages } from "./pages.ts";
import { type Counts, type CurvePoint, type Explanation, replySchemas, type TaskFiles } from "./replies.ts";
import { NAME_IN_GROUP_MAX, Submission, type SubmissionHandle } from "./submission.ts";
import { batchesOf, payloadsOf } from "./submission_batches.ts";
import { TaskWait } from "./task_wait.ts";
import { type SubmitOptions, templateOf } from "./submit_options.ts";

/** Who is told about the connection. */
export interface ClientEvents {
  /** The connection was made, lost, or is over. */
  readonly onState?: (state: LinkState) => void;
  /** The master asks to wait; the command is sent again by itself. */
  readonly onDelayed?: (message: string) => void;
}

/** What a client is made of. */
export interface ClientParts extends ClientEvents {
  readonly masters: readonly string[];
  readonly token: string;
  readonly dialer: Dialer;
  /** Without it no artifact can be moved. */
  readonly artifacts?: ArtifactTransfer;
}

/** An experiment and the spec it was given. */
export interface ExperimentDetails {
  readonly summary: ExperimentSummary;
  /** As it was stored: JSON text or data. */
  readonly spec: unknown;
}

/** A connection to a master. Close it when done: it keeps the process alive. */
export class Client {
  /** Moves files to the master and from there: what a spec's `codeArtifact` names, and what `files` lists. */
  readonly artifacts: ArtifactTransfer;
  readonly #correspondent: Correspondent;
  readonly #router: LogRouter;
  readonly #outputs: Outputs;
  /** Who is told by live subscriptions. */
  readonly #live = new Map<string, (entries: readonly LiveEntry[]) => void>();
  #nextLive = 1;

  constructor(parts: ClientParts) {
    const { masters, token, dialer, artifacts = NO_ARTIFACTS } = parts;
    this.artifacts = artifacts;
    this.#correspondent = new Correspondent(masters, token, dialer, this.#events(parts));
    this.#router = new LogRouter((message) => this.#correspondent.send(message));
    this.#outputs = new Outputs((message) => this.#correspondent.send(message));
  }

  /**
   * Starts an experiment.
   *
   * @param spec as in a spec file; what it names (an evaluator's path) must be reachable by the workers
   * @throws CommandFailed `bad_spec` with the path of the mistake
   */
  async run(spec: SpecInput, callbacks: ExperimentCallbacks = {}): Promise<ExperimentHandle> {
    const bytes = sizeOf(spec);
    if (bytes > SPEC_BYTES_MAX) {
      const message = `the spec takes ${bytes} bytes; it may have ${SPEC_BYTES_MAX}`;
      throw new CommandFailed({ code: "bad_spec", message, advice: "keep data out of the spec" });
    }
    const prefix = `${isRecord(spec) ? String(spec["name"]).slice(0, NAME_IN_GROUP_MAX) : ""}-`;
    await this.#logOpen();
    this.#router.expect(prefix);
    try {
      const { experiment } = await this.#ask({ kind: "run", spec }, replySchemas.run);
      return this.#handle(experiment, callbacks);
    } finally {
      this.#router.unexpect(prefix);
    }
  }

  /** An experiment that was started before. @param id its id, or `last` */
  async experiment(id: string, callbacks: ExperimentCallbacks = {}): Promise<ExperimentHandle> {
    await this.#logOpen();
    const { summary } = await this.details(id);
    const handle = this.#handle(summary.experiment, callbacks);
    await handle.look();
    return handle;
  }

  /**
   * Submits plain tasks: any number of them, each input one task.
   *
   * @throws CommandFailed where the first of them are refused
   */
  async submit(options: SubmitOptions): Promise<SubmissionHandle> {
    const template = taskTemplate.safeParse(templateOf(options));
    if (!template.success) {
      const issue = template.error.issues[0];
      const path = (issue?.path ?? []).join(".");
      throw new CommandFailed({ code: "bad_task", message: issue?.message ?? "does not fit", path });
    }
    const payloads = options.payloads ?? payloadsOf(options.inputs ?? []);
    const submission = new Submission(this.#correspondent, this.#router, {
      name: options.name,
      template: template.data,
      batches: batchesOf(payloads),
      onOutcomes: options.onOutcomes,
    });
    await submission.accepted;
    return submission;
  }

  /** Experiments, the newest first. */
  async experiments(page: { offset?: number; limit?: number } = {}): Promise<ExperimentSummary[]> {
    const { offset = 0, limit = PAGE_ROWS_MAX } = page;
    return await this.#ask({ kind: "experiments", offset, limit }, replySchemas.experiments);
  }

  /** How an experiment stands. @param id its id, or `last` */
  async show(id: string): Promise<ExperimentSummary> {
    return (await this.details(id)).summary;
  }

  /** How an experiment stands, and its spec. */
  details(id: string): Promise<ExperimentDetails> {
    return this.#ask({ kind: "experiment", experiment: id }, replySchemas.experiment);
  }

  /** All trials of an experiment by number, read a page at a time. */
  async *trials(id: string): AsyncGenerator<TrialSummary, void> {
    let after = 0;
    const page = (limit: number) =>
      this.#ask({ kind: "trials", experiment: id, after, limit }, replySchemas.trials);
    for await (const trials of pages(page)) {
      yield* trials;
      after = trials.at(-1)?.trial ?? after;
    }
  }

  /**
   * What a trial measured, in order, read a page at a time: over all attempts that went on from one another, each step once.
   *
   * @param task `<experiment>/<trial>`
   */
  async *curve(task: string): AsyncGenerator<CurvePoint, void> {
    const id = taskOf(task);
    let after = 0;
    const page = async (limit: number) =>
      (await this.#ask({ kind: "curve", task: id, after, limit }, replySchemas.curve)).points;
    for await (const points of pages(page)) {
      yield* points;
      after += points.length;
    }
  }

  /**
   * The files that an attempt of a task kept at the master, and the task's checkpoints.
   *
   * @param task `<experiment>/<trial>`, or of a plain task `<group>/<number>`
   * @param attempt null for the recorded attempt; of a task without outcome the latest that kept a file
   */
  async files(task: string, attempt: number | null = null): Promise<TaskFiles> {
    const id = taskOf(task);
    let found: TaskFiles | undefined;
    const files: ArtifactFile[] = [];
    const page = async (limit: number) => {
      const after = files.at(-1)?.name ?? "";
      found = await this.#ask({ kind: "files", task: id, attempt, after, limit }, replySchemas.files);
      return found.files;
    };
    for await (const more of pages(page)) files.push(...more);
    return { attempt: found?.attempt ?? null, files, checkpoints: found?.checkpoints ?? [] };
  }

  /** How many tasks a group has, and how many ended in each way. */
  counts(group: string): Promise<Counts> {
    return this.#ask({ kind: "counts", group: groupId(group) }, replySchemas.counts);
  }

  /** Waits until every task of a group has its outcome. */
  async waitForGroup(group: string): Promise<Counts> {
    await this.#logOpen();
    return await new GroupWait(groupId(group), this.#router, () => this.counts(group)).over;
  }

  /** Waits until these tasks of a group have their outcomes. @throws CommandFailed where one of them is unknown */
  async waitForTasks(group: string, numbers: readonly number[]): Promise<Counts> {
    await this.#logOpen();
    return await new TaskWait(groupId(group), numbers, this.#router, (task) => this.explain(task)).over;
  }

  /** The workers that are connected or waited for. */
  workers(): Promise<WorkerLive[]> {
    return this.#ask({ kind: "workers" }, replySchemas.workers);
  }

  /** Why a task is where it is. @param task `<experiment>/<trial>` */
  async explain(task: string): Promise<Explanation> {
    return await this.#ask({ kind: "explain", task: taskOf(task) }, replySchemas.explain);
  }

  /**
   * Cancels an experiment or a submission's group; with a number, one task of it.
   *
   * @returns how many tasks were cancelled, which is none where they have their outcomes; undefined for an experiment
   */
  async cancel(group: string, number: number | null = null): Promise<number | undefined> {
    const reply = await this.#ask({ kind: "cancel", group: groupId(group), number }, replySchemas.cancel);
    return reply.cancelled;
  }

  /** Pauses an experiment: what runs is finished, nothing more is proposed. */
  async pause(experiment: string): Promise<void> {
    await this.#ask({ kind: "pause", group: groupId(experiment) }, replySchemas.anything);
  }

  /** Resumes an experiment. */
  async resume(experiment: string): Promise<void> {
    await this.#ask({ kind: "resume", group: groupId(experiment) }, replySchemas.anything);
  }

  /** Stops a worker, or the master. What runs has `graceMs` to finish. @param target a worker's id, or `master` */
  async stop(target: string, graceMs: number): Promise<void> {
    await this.#ask({ kind: "stop", target, graceMs }, replySchemas.anything);
  }

  /** Copies the store while it is in use. @param path on the master's machine */
  async backup(path: string): Promise<{ readonly bytes: number }> {
    return await this.#ask({ kind: "backup", path }, replySchemas.backup);
  }

  /** Tells the values of pages as they change, conflated. @returns ends it */
  live(told: (entries: readonly LiveEntry[]) => void): () => void {
    const id = `live-${this.#nextLive++}`;
    this.#live.set(id, told);
    this.#correspondent.send({ type: "subscribe", id, kind: "live", after: null });
    return () => {
      if (this.#live.delete(id)) this.#correspondent.send({ type: "unsubscribe", id });
    };
  }

  /**
   * What the evaluator of a task printed, as it was printed: bytes, in pieces, and an `end` last. A reader that is slow
   * holds up nobody, and loses nothing of what the master keeps.
   *
   * @param task `<experiment>/<trial>`
   * @throws CommandFailed `bad_task`, `unknown_task`, `unknown_attempt`
   * @example
   * ```ts ignore
   * for await (const event of client.output("digits-1/7", { follow: true })) {
   *   if (event.type === "piece") await Deno.stdout.write(event.data);
   * }
   * ```
   */
  output(task: string, options: OutputOptions = {}): AsyncGenerator<OutputEvent, void> {
    return this.#outputs.read(taskOf(task), options);
  }

  /** Says goodbye. What is not answered by then fails with code `closed`. */
  close(): Promise<void> {
    this.#router.leave();
    return this.#correspondent.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #events({ onState, onDelayed }: ClientEvents): CorrespondentEvents {
    return {
      state: (state) => onState?.(state),
      delayed: ({ message, advice }) => onDelayed?.(advice === "" ? message : `${message}; ${advice}`),
      told: (envelope) => {
        if (this.#router.owns(envelope.subscription)) {
          if (envelope.type === "snapshot") this.#router.began();
          else this.#router.changed(envelope);
        } else this.#live.get(envelope.subscription)?.(envelope.entries);
      },
      output: (envelope) => this.#outputs.told(envelope),
      broken: (subscription, error) => {
        if (subscription === undefined) this.#outputs.broken(error);
        if (subscription === undefined || this.#router.owns(subscription)) {
          this.#router.broken(error, subscription === undefined);
        }
      },
    };
  }

  #logOpen(): Promise<void> {
    return new Promise((resolve, reject) => this.#router.whenOpen(resolve, reject));
  }

  #handle(id: GroupId, callbacks: ExperimentCallbacks): ExperimentHandle {
    return new ExperimentHandle(id, this.#router, {
      show: () => this.show(id),
      command: async (kind) => {
        const body = kind === "cancel" ? { kind, group: id, number: null } : { kind, group: id };
        await this.#ask(body, replySchemas.anything);
      },
    }, callbacks);
  }

  #ask<T>(body: CommandBody, schema: z.ZodType<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#correspondent.command(body, (error, value) => {
        if (error !== undefined) return reject(error);
        const reply = schema.safeParse(value);
        if (reply.success) resolve(reply.data);
        else reject(unexpectedReply(body.kind));
      });
    });
  }
}

/** A spec's bytes. @throws CommandFailed where it is no plain data, or nests deeper than a frame may */
function sizeOf(spec: SpecInput): number {
  try {
    const around = encode([{ command: { spec: 0 } }]).byteLength - 1;
    return encode([{ command: { spec } }]).byteLength - around;
  } catch (error) {
    const message = `the spec cannot be sent: ${error instanceof Error ? error.message : String(error)}`;
    throw new CommandFailed({ code: "bad_spec", message, advice: "a spec is plain data" });
  }
}

/** @throws CommandFailed where it is no task's id */
function taskOf(task: string): TaskId {
  if (!TASK_ID_PATTERN.test(task)) {
    throw new CommandFailed({
      code: "bad_task",
      message: `"${task}" is no task`,
      advice: "a task is named <experiment>/<trial>, such as digits-1/7",
    });
  }
  const slash = task.lastIndexOf("/");
  return taskId(groupId(task.slice(0, slash)), Number(task.slice(slash + 1)));
}
