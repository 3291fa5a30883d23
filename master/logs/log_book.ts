/**
 * The book of logs: takes in what workers bring, and answers once it is kept.
 *
 * Promise: an attempt's log is written by the worker that has its lease and by nobody else, no byte twice. A disk that is
 * slow or full holds up nobody: answers wait, so that workers send less, and what is beyond the memory's bound is left out.
 * Not here: the limits of what is kept of an attempt, and for how long (disk/).
 *
 * @module
 */
import type { LogLevel } from "../../shared/actor/actor.ts";
import type { TaskId } from "../../shared/model/ids.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { AttemptPieces, LogFiles } from "./log_files.ts";
import { OpenLog } from "./open_log.ts";
import type { Brought, KeptAttempt, LogRead, Logs } from "./logs.ts";

/** What was taken in and is not written. */
export const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** Attempts that are remembered; those that said nothing for longest are looked up again. */
export const OPEN_LOGS_MAX = 8_192;
/** What comes is gathered so long before it is written. */
export const WRITE_EVERY_MS = 200;
/** Writing rests so many times as long as it took: with a thousand attempts at once it is a fifth of a core. */
const REST_FACTOR = 4;
/** So many attempts are written at once. */
const WRITES_MAX = 4;
/** After a write that failed. */
export const WRITE_AGAIN_MS = 5_000;
/** Leases that are looked up at once though nobody knows them: more of them are nobody's. */
const DOUBTED_MAX = 64;

/** What a book is given. */
export interface LogBookOptions {
  readonly files: LogFiles;
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly after: (delayMs: number, call: () => void) => void;
  readonly say: (level: LogLevel, text: string) => void;
}

/** All logs of a master. */
export class LogBook implements Logs {
  readonly #options: LogBookOptions;
  /** The one that said something last stands last. */
  readonly #open = new Map<string, OpenLog>();
  readonly #unwritten = new Set<OpenLog>();
  /** Those of them that are being written, or are next. */
  readonly #next = new Set<OpenLog>();
  readonly #watchers = new Map<TaskId, Set<() => void>>();
  #pendingBytes = 0;
  #writes = 0;
  #notBeforeMs = -Infinity;
  #beganAtMs = 0;
  #doubted = 0;
  #isWriteDue = false;
  #trouble = "";

  constructor(options: LogBookOptions) {
    this.#options = options;
  }

  /** What is held in memory. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  take(brought: Brought): void {
    // A worker that says something of another's attempt must not get in that one's way.
    const key = `${brought.worker} ${leaseKey(brought.log)}`;
    const known = this.#open.get(key);
    if (known === undefined) return this.#lookUp(key, brought);
    this.#open.delete(key);
    this.#open.set(key, known);
    if (known.state === "asking") known.waits(brought);
    else this.#takeInto(known, brought);
  }

  attempts(task: TaskId, found: (attempts: readonly KeptAttempt[]) => void): void {
    this.#options.files.attempts(task, (result) => {
      if (!result.ok) this.#options.say("warning", `logs cannot be read: ${result.reason}`);
      const attempts = new Map<string, KeptAttempt>();
      for (const each of result.ok ? result.value : []) attempts.set(leaseKey(each.lease), each);
      for (const { lease, worker, isTrusted } of this.#open.values()) {
        if (lease.task === task && isTrusted) {
          attempts.set(leaseKey(lease), { lease, worker, isComplete: false });
        }
      }
      found([...attempts.values()].toSorted(inOrder));
    });
  }

  read(ask: Parameters<Logs["read"]>[0], found: (read: LogRead) => void): void {
    const { lease, stream, from, bytesMax } = ask;
    this.#options.files.read(lease, stream, from, bytesMax, (result) => {
      if (!result.ok) this.#options.say("warning", `logs cannot be read: ${result.reason}`);
      found(result.ok ? result.value : { pieces: [], next: from });
    });
  }

  watch(task: TaskId, grown: () => void): () => void {
    const watchers = this.#watchers.get(task) ?? new Set();
    this.#watchers.set(task, watchers);
    watchers.add(grown);
    return () => {
      watchers.delete(grown);
      if (watchers.size === 0) this.#watchers.delete(task);
    };
  }

  #lookUp(key: string, brought: Brought): void {
    if (this.#open.size >= OPEN_LOGS_MAX) this.#forgetOne();
    const doubted = brought.isGranted ? 0 : 1;
    if (doubted > 0 && this.#doubted >= DOUBTED_MAX) return brought.answer(answerTo(brought));
    this.#doubted += doubted;
    const { epoch, task, attempt } = brought.log;
    const log = new OpenLog(key, { epoch, task, attempt }, brought.worker);
    log.waits(brought);
    this.#open.set(key, log);
    this.#options.files.ends(log.lease, (result) => {
      this.#doubted -= doubted;
      if (!result.ok) this.#failed(result.reason);
      const waiting = result.ok ? log.begin(result.value) : log.leave();
      for (const each of waiting) this.#takeInto(log, each);
      if (!log.isTrusted) this.#open.delete(key);
    });
  }

  #takeInto(log: OpenLog, brought: Brought): void {
    const isFull = this.#pendingBytes >= PENDING_BYTES_MAX;
    const taken = log.take(brought, this.#options.wallClock(), isFull);
    if (taken === "foreign") return brought.answer(answerTo(brought));
    this.#pendingBytes += taken;
    this.#unwritten.add(log);
    this.#write();
  }

  /** Begins to write what has waited long enough. */
  #write(): void {
    if (this.#isWriteDue || this.#next.size > 0 || this.#unwritten.size === 0) return;
    const nowMs = this.#options.now();
    if (nowMs < this.#notBeforeMs) {
      this.#isWriteDue = true;
      return this.#options.after(this.#notBeforeMs - nowMs, () => {
        this.#isWriteDue = false;
        this.#write();
      });
    }
    this.#notBeforeMs = nowMs + WRITE_EVERY_MS;
    this.#beganAtMs = nowMs;
    for (const log of this.#unwritten) this.#next.add(log);
    this.#unwritten.clear();
    this.#writeNext();
  }

  /** A few attempts at a time. */
  #writeNext(): void {
    for (const log of this.#next) {
      if (this.#writes >= WRITES_MAX) return;
      if (log.state !== "open") continue;
      this.#writes += 1;
      log.state = "writing";
      const pieces = log.piecesToWrite();
      this.#options.files.append(log.lease, log.worker, pieces, (result) => {
        this.#writes -= 1;
        log.state = "open";
        this.#next.delete(log);
        if (result.ok) this.#written(log, pieces);
        else this.#notWritten(log, pieces, result.reason);
        this.#writeNext();
        if (this.#next.size > 0) return;
        const endedAtMs = this.#options.now();
        const restMs = REST_FACTOR * (endedAtMs - this.#beganAtMs);
        this.#notBeforeMs = Math.max(this.#notBeforeMs, endedAtMs + restMs);
        this.#write();
      });
    }
  }

  #written(log: OpenLog, pieces: AttemptPieces): void {
    this.#pendingBytes -= bytesOf(pieces);
    if (this.#trouble !== "") this.#options.say("info", "logs are kept again");
    this.#trouble = "";
    log.answer();
    if (log.isComplete) this.#complete(log);
    else this.#tellWatchers(log.lease.task);
  }

  /** A full disk costs logs and nothing else. */
  #notWritten(log: OpenLog, pieces: AttemptPieces, reason: string): void {
    log.putBack(pieces);
    this.#unwritten.add(log);
    this.#failed(reason);
    this.#notBeforeMs = this.#options.now() + WRITE_AGAIN_MS;
  }

  #failed(reason: string): void {
    if (this.#trouble === "") {
      const text =
        `what evaluators print cannot be kept: ${reason}; all else goes on, and this is tried again`;
      this.#options.say("warning", text);
    }
    this.#trouble = reason;
  }

  #complete(log: OpenLog): void {
    this.#options.files.complete(log.lease, (result) => {
      if (!result.ok) this.#failed(result.reason);
      if (!log.hasPending) this.#open.delete(log.key);
      this.#tellWatchers(log.lease.task);
    });
  }

  #tellWatchers(task: TaskId): void {
    for (const grown of [...this.#watchers.get(task) ?? []]) grown();
  }

  #forgetOne(): void {
    for (const [key, log] of this.#open) {
      if (log.state === "open" && !log.hasPending && !this.#unwritten.has(log) && !this.#next.has(log)) {
        return void this.#open.delete(key);
      }
    }
  }
}

/** As the epochs of a store follow each other, and attempts within each. */
function inOrder({ lease: a }: KeptAttempt, { lease: b }: KeptAttempt): number {
  return epochNumber(a.epoch) - epochNumber(b.epoch) || a.attempt - b.attempt;
}

function epochNumber(epoch: string): number {
  return Number(epoch.split(".")[1]);
}

function bytesOf({ stdout, stderr }: AttemptPieces): number {
  return [...stdout, ...stderr].reduce((bytes, { data }) => bytes + data.byteLength, 0);
}

function answerTo({ log }: Brought) {
  const { epoch, task, attempt, stream, offset, data } = log;
  return { type: "logged", epoch, task, attempt, stream, offset: offset + data.byteLength } as const;
}
