/**
 * What is known of reports on their way to the store: how many wait, whose were not taken in, who is to be told.
 *
 * Promise: bounded, however wildly evaluators report: beyond the limits reports stay with their workers, which are asked
 * for them again when there is room. What follows a report that was not taken in is not taken in either, results
 * included, so that an outcome never stands before its curve.
 *
 * @module
 */
import type { Lease } from "../../shared/model/task.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { Taken } from "../../shared/protocol/worker_envelopes.ts";
import { ATTEMPT_REPORTS_MAX } from "../store/limits.ts";
import type { NewReport } from "../store/store.ts";
import type { LiveAttempt } from "./live_task.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Measured values that may wait for the store: they stand in the master's memory. */
export const REPORT_VALUES_WAITING_MAX = 200_000;
/** Measured values of one attempt that may wait for the store: one alone leaves room for others. */
export const ATTEMPT_VALUES_WAITING_MAX = 50_000;

const NO_WORDS: readonly never[] = [];

/** An attempt whose reports were not taken in. */
interface Refused {
  /** The number of the first one. */
  readonly from: number;
  /** Its worker was told to say them again. */
  isAsked: boolean;
}

/** What a worker is told of the reports of a lease. */
interface Word {
  readonly worker: WorkerRecord;
  readonly lease: Lease;
  readonly reports: number;
  readonly again: number | null;
}

/** Reports between workers and the store. */
export class ReportIntake {
  /** Reports that were beyond the limit for an attempt. */
  dropped = 0;
  readonly #refused = new Map<LiveAttempt, Refused>();
  /** Measured values on their way to the store, by lease. */
  readonly #waiting = new Map<string, number>();
  #waitingInAll = 0;
  /** What workers are told at the end of the turn, by lease. */
  readonly #taken = new Map<string, Word>();
  readonly #dropping = new WeakSet<LiveAttempt>();
  /** What was kept of attempts beyond the limit for their reports. */
  readonly #beyond = new WeakMap<LiveAttempt, number>();

  /** Whether there is room for reports of a lease. */
  hasRoom(lease: Lease): boolean {
    if (this.#waitingInAll >= REPORT_VALUES_WAITING_MAX) return false;
    return (this.#waiting.get(leaseKey(lease)) ?? 0) < ATTEMPT_VALUES_WAITING_MAX;
  }

  /** Whether anything of a lease is on its way to the store. */
  isWaiting(lease: Lease): boolean {
    return this.#waiting.has(leaseKey(lease));
  }

  /** Whether reports of an attempt, the first with this number, are to be taken in. Where not, they are asked for again. */
  mayCome(attempt: LiveAttempt, from: number, hasRoom: boolean): boolean {
    const refused = this.#refused.get(attempt);
    if (hasRoom && (refused === undefined || from <= refused.from)) {
      this.#refused.delete(attempt);
      return true;
    }
    if (refused === undefined) this.#refused.set(attempt, { from, isAsked: false });
    else if (!hasRoom) refused.isAsked = false;
    return false;
  }

  /** Whether reports of an attempt are missing, so that its result has to come after them once more. */
  misses(attempt: LiveAttempt): boolean {
    return this.#refused.size > 0 && this.#refused.has(attempt);
  }

  /** Reports go to the store. The answer is to be called when they are durable. */
  sent(lease: Lease, reports: readonly NewReport[]): () => void {
    const key = leaseKey(lease);
    const values = reports.reduce((sum, { metrics }) => sum + 1 + Object.keys(metrics).length, 0);
    this.#count(key, values);
    return () => this.#count(key, -values);
  }

  /**
   * Its worker is told at the end of the turn that all reports of a lease up to a number are taken.
   *
   * @param again from which number on they are to be said once more, where they are
   */
  take(worker: WorkerRecord, { epoch, task, attempt }: Lease, reports: number, again?: number): void {
    const lease = { epoch, task, attempt };
    const key = leaseKey(lease);
    const before = this.#taken.get(key);
    this.#taken.set(key, {
      worker,
      lease,
      reports: Math.max(reports, before?.reports ?? 0),
      again: again === undefined ? before?.again ?? null : Math.max(again, before?.again ?? 0),
    });
  }

  /** Whether one more checkpoint or file of an attempt may be kept beyond the limit for its reports: as many again. */
  mayKeepBeyond(attempt: LiveAttempt | undefined): boolean {
    if (attempt === undefined) return false;
    const kept = this.#beyond.get(attempt) ?? 0;
    this.#beyond.set(attempt, kept + 1);
    return kept < ATTEMPT_REPORTS_MAX;
  }

  /** Counts reports that nobody keeps. @returns whether they are the first of the attempt */
  drop(attempt: LiveAttempt | undefined, count: number): boolean {
    this.dropped += count;
    if (attempt === undefined || this.#dropping.has(attempt)) return false;
    this.#dropping.add(attempt);
    return true;
  }

  /** At the end of a turn: what was taken, and what is asked for again because there is room now. */
  words(
    isOpen: boolean,
    commit: number,
  ): readonly { readonly worker: WorkerRecord; readonly taken: Taken }[] {
    if (this.#refused.size > 0 && isOpen) this.#askAgain();
    if (this.#taken.size === 0) return NO_WORDS;
    const words = [...this.#taken.values()].map(({ worker, lease, reports, again }) => ({
      worker,
      taken: { type: "taken", ...lease, reports, again, commit } as const,
    }));
    this.#taken.clear();
    return words;
  }

  #askAgain(): void {
    for (const [attempt, refused] of this.#refused) {
      if (attempt.ended) this.#refused.delete(attempt);
      else if (!refused.isAsked && this.hasRoom(attempt.lease)) {
        refused.isAsked = true;
        this.take(attempt.worker, attempt.lease, 0, 0);
      }
    }
  }

  #count(key: string, values: number): void {
    this.#waitingInAll += values;
    const left = (this.#waiting.get(key) ?? 0) + values;
    if (left === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, left);
  }
}
