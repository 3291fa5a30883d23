/**
 * Reports of attempts, until the master has taken them.
 *
 * Promise: numbers of an attempt follow one another from 1 on without gap, and what was sent under a number never
 * changes. Bounded: where too many wait, the newest that was not sent yet gives its number to the one that comes after
 * it, so that a curve gets coarser where its evaluator reports faster than the master can keep. Word of a checkpoint or a
 * file is never left out.
 * Not here: when there is a session (outbox.ts).
 *
 * @module
 */
import type { ArtifactFile, ArtifactRef } from "../shared/model/artifact.ts";
import type { Metrics } from "../shared/model/outcome.ts";
import { type Lease, leaseKey } from "../shared/model/task.ts";
import type { Report } from "../shared/protocol/worker_envelopes.ts";

/** Reports of one attempt that wait to be taken; further ones are thinned out. */
export const ATTEMPT_REPORTS_KEPT_MAX = 1_000;
/** Measured values that wait to be taken, of all attempts: beyond it reports of each are thinned out. */
export const REPORT_VALUES_KEPT_MAX = 100_000;

/** What an evaluator measured, before it has a number. */
export interface Measured {
  readonly step: number;
  readonly metrics: Metrics;
  readonly checkpoint?: ArtifactRef | undefined;
  readonly file?: ArtifactFile | undefined;
}

interface Curve {
  readonly lease: Lease;
  /** Not taken yet, by number. */
  readonly reports: Report[];
  /** Of the next report. */
  next: number;
  /** The highest number that was ever sent. */
  sent: number;
  /** The highest step of a checkpoint that is kept at the master. */
  checkpoint: number | undefined;
  isThinned: boolean;
  /** Nothing more is measured: what is left is said, however much is under way, or its result would overtake it. */
  isComplete: boolean;
  /** The master lacks what was taken: nothing more is said. */
  isOver: boolean;
}

/** All reports that a worker has not got rid of. */
export class KeptReports {
  readonly #curves = new Map<string, Curve>();
  /** Those with reports that were not sent. */
  readonly #held = new Set<Curve>();
  #values = 0;

  /** @param thinned told once for each attempt whose reports are thinned out */
  constructor(private readonly thinned: (lease: Lease) => void) {}

  /** Takes in what an attempt measured. @returns what is to be sent now */
  add(lease: Lease, measured: readonly Measured[], isConnected: boolean): readonly Report[] {
    const curve = this.#curve(lease);
    const said: Report[] = [];
    if (curve.isOver) return said;
    for (const each of measured) {
      const isFull = this.#isFull(curve);
      this.#put(curve, each, isFull);
      this.#held.add(curve);
      if (isConnected && !isFull) said.push(...this.#release(curve));
    }
    return said;
  }

  /** The attempt has ended; its result follows. @returns what is to be sent before it */
  complete(lease: Lease, isConnected: boolean): readonly Report[] {
    const curve = this.#curves.get(leaseKey(lease));
    if (curve === undefined) return [];
    curve.isComplete = true;
    return isConnected ? this.#release(curve) : [];
  }

  /** Reports that an earlier life left behind. */
  restore(reports: readonly Report[]): void {
    for (const report of reports) {
      const curve = this.#curve(report);
      curve.reports.push(report);
      curve.next = report.number + 1;
      this.#values += valuesOf(report);
      this.#held.add(curve);
    }
  }

  /**
   * The master has taken all of a lease up to a number.
   *
   * @param again from which number on it wants them once more, 0 for all that are left; null where it does not
   * @returns what is to be sent now
   */
  taken(lease: Lease, upTo: number, again: number | null): readonly Report[] {
    const curve = this.#curves.get(leaseKey(lease));
    if (curve === undefined) return [];
    this.#drop(curve, curve.reports.findLastIndex((report) => report.number <= upTo) + 1);
    const said = again === null ? [] : this.#sayAgain(curve, again);
    for (const each of [...this.#held]) if (!this.#isFull(each)) said.push(...this.#release(each));
    return said;
  }

  #sayAgain(curve: Curve, from: number): Report[] {
    const first = curve.reports[0]?.number ?? curve.next;
    if (from === 0 || first <= from) return this.#window(curve);
    // A master that was told of them and has lost them: what comes after a gap is worth nothing to it.
    curve.isOver = true;
    this.#drop(curve, curve.reports.length);
    return [];
  }

  /** All that may be sent in a new session. */
  resend(): readonly Report[] {
    return [...this.#curves.values()].flatMap((curve) => this.#window(curve));
  }

  /** What a lease has not got rid of. */
  of(lease: Lease): readonly Report[] {
    return [...this.#curves.get(leaseKey(lease))?.reports ?? []];
  }

  /** The step of the furthest checkpoint of a lease, said or not; undefined where it has saved none. */
  furthestCheckpoint(lease: Lease): number | undefined {
    return this.#curves.get(leaseKey(lease))?.checkpoint;
  }

  /** Nobody needs the reports of this lease any more. */
  forget(key: string): void {
    const curve = this.#curves.get(key);
    if (curve === undefined) return;
    this.#drop(curve, curve.reports.length);
    this.#curves.delete(key);
  }

  /** Attempts have died without a result: nothing more comes of those that have nothing left. */
  forgetEmpty(): void {
    for (const [key, curve] of this.#curves) if (curve.reports.length === 0) this.#curves.delete(key);
  }

  #curve(lease: Lease): Curve {
    const key = leaseKey(lease);
    const known = this.#curves.get(key);
    if (known !== undefined) return known;
    const { epoch, task, attempt } = lease;
    const curve = {
      lease: { epoch, task, attempt },
      reports: [],
      next: 1,
      sent: 0,
      checkpoint: undefined,
      isThinned: false,
      isComplete: false,
      isOver: false,
    };
    this.#curves.set(key, curve);
    return curve;
  }

  #put(curve: Curve, measured: Measured, isFull: boolean): void {
    const last = curve.reports.at(-1);
    // What was kept at the master is not forgotten for a measurement, nor the measurement that it was saved after.
    const isReplacing = isFull && !isKept(measured) && last !== undefined && last.number > curve.sent &&
      !isKept(last);
    const number = isReplacing ? last.number : curve.next;
    const report: Report = { type: "report", ...curve.lease, number, ...measured };
    if (isReplacing) {
      this.#values -= valuesOf(last);
      curve.reports.pop();
      if (!curve.isThinned) this.thinned(curve.lease);
      curve.isThinned = true;
    }
    curve.reports.push(report);
    curve.next = number + 1;
    if (report.checkpoint !== undefined) curve.checkpoint = Math.max(curve.checkpoint ?? 0, report.step);
    this.#values += valuesOf(report);
  }

  /** What was never sent and may be now. */
  #release(curve: Curve): readonly Report[] {
    const first = curve.reports[0]?.number ?? curve.next;
    const reports = curve.reports.slice(Math.max(0, curve.sent + 1 - first), windowOf(curve));
    this.#noteSent(curve, reports);
    return reports;
  }

  /** All that may be under way at once; from now on it counts as sent. */
  #window(curve: Curve): Report[] {
    const reports = curve.reports.slice(0, windowOf(curve));
    this.#noteSent(curve, reports);
    return reports;
  }

  #noteSent(curve: Curve, reports: readonly Report[]): void {
    curve.sent = Math.max(curve.sent, reports.at(-1)?.number ?? 0);
    if (curve.sent === curve.next - 1) this.#held.delete(curve);
  }

  #drop(curve: Curve, count: number): void {
    for (const report of curve.reports.splice(0, count)) this.#values -= valuesOf(report);
    if (curve.reports.length === 0) this.#held.delete(curve);
  }

  #isFull(curve: Curve): boolean {
    return curve.reports.length >= ATTEMPT_REPORTS_KEPT_MAX || this.#values >= REPORT_VALUES_KEPT_MAX;
  }
}

function windowOf({ isComplete }: Curve): number {
  return isComplete ? Infinity : ATTEMPT_REPORTS_KEPT_MAX;
}

function isKept({ checkpoint, file }: Measured): boolean {
  return checkpoint !== undefined || file !== undefined;
}

function valuesOf({ metrics }: Report): number {
  return 1 + Object.keys(metrics).length;
}
