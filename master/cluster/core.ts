/**
 * The cluster's state, and the small steps that all its parts are made of.
 *
 * Promise: state changes here and in the parts that name this class, in one turn, never across one.
 * Not here: what to do when (the parts: registration, results, cancellation, dispatch, silence, sources).
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import { type Epoch, type GroupId, storeOf, type TaskId, type WorkerId } from "../../shared/model/ids.ts";
import type { TaskTemplate } from "../../shared/model/task.ts";
import { encode } from "../../shared/protocol/codec.ts";
import type { CommandError } from "../../shared/protocol/client_envelopes.ts";
import type { ToWorker } from "../../shared/protocol/worker_envelopes.ts";
import { type Share, TaskQueue } from "../scheduling/queue.ts";
import type { StoreAnswer } from "../store/messages.ts";
import type { Queries } from "../store/store.ts";
import { CommitLog } from "./commit_log.ts";
import { type Group, type LiveAttempt, type LiveTask, newGroup } from "./live_task.ts";
import type {
  ClusterMessage,
  ClusterOptions,
  ClusterToSource,
  LiveMessage,
  ToWorkerSession,
} from "./messages.ts";
import { OpenTasks } from "./open_tasks.ts";
import { Reservations } from "./reservations.ts";
import { ReportIntake } from "./report_intake.ts";
import { ShareBooks } from "./share_books.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** An experiment that can be asked for trials. */
export interface Source {
  /** Its present life. */
  ref: Ref<ClusterToSource>;
  readonly group: Group;
  minWorkers: number;
  /** Enough workers were there once. */
  started: boolean;
  wants: boolean;
  /** Offered slots that have not been answered. */
  offered: number;
  /** Trials that are being committed: as submissions or as outcomes. */
  committing: number;
  /** Those of them that are being submitted. */
  submitting: number;
  /** Their submissions. */
  readonly submissions: Set<{ readonly first: number; readonly payloads: readonly Uint8Array[] }>;
  /** Its turns among its equals. */
  readonly share: Share<LiveTask>;
  /** So many trials may be open at once. */
  maxConcurrent: number;
  /** Why nothing was offered to it, when it was last told. */
  toldReason: string;
  /** Its present life has been told which of its trials are open. */
  isAccepted: boolean;
  /** It closed and wants none of its trials any more. */
  isCancelled: boolean;
}

/** What stands between the commands and now. */
export interface Counters {
  completed: number;
  failed: number;
  cancelled: number;
  pruned: number;
  retried: number;
  duplicates: number;
}

/** The state of the cluster. */
export class ClusterCore {
  readonly context: Context<ClusterMessage>;
  readonly options: ClusterOptions;
  readonly groups = new Map<GroupId, Group>();
  readonly tasks = new OpenTasks(this.groups);
  readonly workers = new Map<WorkerId, WorkerRecord>();
  /** By the id of the session's reference. */
  readonly sessions = new Map<number, WorkerRecord>();
  readonly queue = new TaskQueue<LiveTask>();
  readonly reservations = new Reservations();
  readonly books = new ShareBooks();
  readonly sources = new Map<GroupId, Source>();
  readonly log = new CommitLog();
  readonly intake = new ReportIntake();
  readonly counters: Counters = {
    completed: 0,
    failed: 0,
    cancelled: 0,
    pruned: 0,
    retried: 0,
    duplicates: 0,
  };
  /** Attempts in the order of their grants, that are not old enough to have a row. */
  young: LiveAttempt[] = [];
  feed: Ref<LiveMessage> | undefined;
  registrar: Ref<StoreAnswer> | undefined;
  /** Undefined until the store has been read. */
  epoch: Epoch | undefined;
  /** With the commit that each of them ended with. */
  earlierEpochs: ReadonlyMap<Epoch, number> = new Map();
  commit = 0;
  nextGroup = 1;
  /** The store is an older copy of what peers were told: nothing is given out. */
  lost: string | undefined;
  storeState: { state: "ready" | "degraded"; reason: string; isOverfull: boolean } = {
    state: "ready",
    reason: "",
    isOverfull: false,
  };
  /** Bytes of payloads that wait or are out. */
  payloadBytes = 0;
  /** Questions to the store that failed, to be asked again. */
  askAgain: (() => void)[] = [];
  readonly #outgoing = new Map<Ref<ToWorkerSession>, ToWorker[]>();
  #nextQuery = 1;
  readonly #queries = new Map<number, (answer: Extract<StoreAnswer, { type: "answer" }>) => void>();

  constructor(context: Context<ClusterMessage>, options: ClusterOptions) {
    this.context = context;
    this.options = options;
  }

  /** What every envelope to a worker in this turn is gathered in. */
  say(session: Ref<ToWorkerSession> | undefined, envelope: ToWorker): void {
    if (session === undefined) return;
    const waiting = this.#outgoing.get(session);
    if (waiting === undefined) this.#outgoing.set(session, [envelope]);
    else waiting.push(envelope);
  }

  /** Sends what was gathered in this turn: to the store, then to the workers. */
  flush(): void {
    for (const { worker, taken } of this.intake.words(!this.log.isBehind, this.toldCommit)) {
      this.say(worker.session, taken);
    }
    const request = this.log.take(this.context.attentiveNow());
    if (request !== undefined) {
      this.context.send(this.options.store, { type: "commit", from: this.context.self, ...request });
    }
    for (const [session, envelopes] of this.#outgoing) {
      this.context.send(session, { type: "send", envelopes });
    }
    this.#outgoing.clear();
  }

  /** Asks the store for a task's outcome. */
  askOutcome(
    task: TaskId,
    then: (answer: Queries["outcome"]["answer"] | undefined) => void,
  ): void {
    const token = this.#nextQuery++;
    this.#queries.set(token, (answer) => {
      if (answer.kind === "outcome") then(answer.result.ok ? answer.result.value : undefined);
    });
    this.context.send(this.options.store, {
      type: "query",
      from: this.context.self,
      token,
      kind: "outcome",
      ask: { task },
    });
  }

  answered(answer: Extract<StoreAnswer, { type: "answer" }>): void {
    const then = this.#queries.get(answer.token);
    this.#queries.delete(answer.token);
    then?.(answer);
  }

  /** Whether an epoch is one of this store's, now or earlier. */
  isOurs(epoch: Epoch): boolean {
    return epoch === this.epoch || this.earlierEpochs.has(epoch);
  }

  /** The newest commit that anyone can have been told of in an epoch; undefined where it is not ours. */
  epochEnd(epoch: Epoch): number | undefined {
    return epoch === this.epoch ? this.commit : this.earlierEpochs.get(epoch);
  }

  /**
   * The commit that peers are told of between commits. Over an older copy it is none: what proves the loss must not be
   * replaced by what is there.
   */
  get toldCommit(): number {
    return this.lost === undefined ? this.commit : 0;
  }

  /** The store that this cluster writes. Only once it has been read. */
  get storeId(): string {
    return this.epoch === undefined ? "" : storeOf(this.epoch);
  }

  group(id: GroupId, template: TaskTemplate, templateBytes?: Uint8Array): Group {
    let group = this.groups.get(id);
    if (group === undefined) {
      group = newGroup(id, template, templateBytes ?? encode(template));
      this.groups.set(id, group);
    }
    return group;
  }

  /** Takes an open task into the books; where it goes next is the caller's. */
  addTask(task: LiveTask): void {
    // A group whose last task had ended may have been forgotten meanwhile.
    if (!this.groups.has(task.group.id)) this.groups.set(task.group.id, task.group);
    this.tasks.add(task);
    this.payloadBytes += task.payload.byteLength;
    this.books.add(task.group.needs.share, 1, task.payload.byteLength);
  }

  /** A task has its outcome: it leaves the heap. Attempts that still run keep their slots until they end. */
  removeTask(task: LiveTask): void {
    if (!this.isOpen(task)) return;
    this.takeOut(task);
    this.tasks.remove(task);
    task.state = "settling";
    this.payloadBytes -= task.payload.byteLength;
    this.books.add(task.group.needs.share, -1, -task.payload.byteLength);
    if (task.group.open.size === 0 && !this.sources.has(task.group.id)) this.groups.delete(task.group.id);
  }

  enqueueBack(task: LiveTask): void {
    task.state = "queued";
    this.queue.addBack(task, task.group.needs);
  }

  enqueueFront(task: LiveTask): void {
    task.state = "queued";
    this.queue.addFront(task, task.group.needs);
  }

  /** A task no longer waits, neither for a slot nor for the end of a delay. */
  takeOut(task: LiveTask): void {
    this.queue.remove(task);
    if (task.delay !== undefined) this.context.cancel(task.delay.timer);
    task.delay = undefined;
    if (task.state === "queued" || task.state === "delayed") task.state = "out";
  }

  /** Whether a task has no outcome yet. Attempts may outlive their task, also one of the same name. */
  isOpen(task: LiveTask): boolean {
    return this.tasks.has(task);
  }

  get connectedWorkers(): number {
    let connected = 0;
    for (const worker of this.workers.values()) if (worker.session !== undefined) connected += 1;
    return connected;
  }
}

/** An error for whoever sent a command. */
export function commandError(
  code: string,
  message: string,
  advice = "",
  retryAfterMs: number | null = null,
): CommandError {
  return { code, message, path: "", advice, retryAfterMs };
}
