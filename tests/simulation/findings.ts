/**
 * Findings: what the checkers looked at, and what they found.
 *
 * @module
 */

/** The promises that are watched, by the name of their checker. */
export const CHECKERS = {
  submissions_kept: "an acknowledged submission is durable, once, and never lost",
  one_outcome: "a task has at most one recorded outcome",
  acknowledged_is_durable: "what a peer was told of is on the disk",
  result_belongs: "a recorded measurement is that of the task's own candidate",
  told_once: "an optimizer is told only of what is durable, once in its life, in the order of commits",
  search_replays: "every proposal is the one that the stored history leads to",
  lease_once: "two executions never share a lease, and no lease is granted twice",
  epoch_new: "every life of the cluster has an epoch of its own, newer than all before",
  slots_kept: "a worker runs no more than its slots and its pool hold",
  devices_overcommitted: "no GPU is given out, or used, beyond itself, nor while it is out of service",
  retries_bounded: "failures are retried within the policy, each counted by a durable row",
  stale_words: "a failure counts only from a lease that had not ended before",
  cluster_sane: "the cluster's own invariants hold after every turn",
  queue_bounded: "no more is open than the limits allow",
  log_complete: "a log subscriber sees each commit's changes once, in order, over all breaks",
  no_crash: "no actor meets a bug",
  leases_watched:
    "what is out is watched: doubt, silence, windows, cancellations and deadlines have their effect",
  budget_kept: "a search counts no more trials than its budget",
  peers_stay: "no peer is sent away for good",
  replies_fit: "a command is answered by what it asked, a repeated one by its first reply",
  curve_whole: "the curve of a task is what its attempt reported, each report once, in order, none left out",
  checkpoints_kept:
    "an attempt goes on from the highest checkpoint that was durable, the highest stay, and nothing else is gone on from",
  logs_true: "what is kept of an attempt's output is what that attempt printed, in its place, no byte twice",
  store_fenced: "a result of another store, or of what was lost, is never recorded",
  loss_noticed: "over an older copy nothing is given out, and results of what was lost are set aside",
  stale_session: "nothing that an older session still says changes anything",
  buffers_bounded: "no more waits for a peer, or in a worker, than the limits allow",
  supervision: "restarts stay within their intensity, and who depends on whom begins after it",
  liveness: "once all is healed, everything ends within a bounded time",
  all_settled: "in the end nothing is held: no lease, no slot, no unacknowledged result",
} as const;
export type CheckerName = keyof typeof CHECKERS;

/** A promise that did not hold. */
export interface Violation {
  readonly checker: CheckerName;
  readonly message: string;
  readonly atMs: number;
}

/** After so many the run is over anyway: the first ones tell why. */
const VIOLATIONS_MAX = 20;

/** Gathers what the checkers find. */
export class Findings {
  readonly violations: Violation[] = [];
  /** How often each checker has looked. */
  readonly looked = new Map<CheckerName, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes a violation where the claim does not hold. */
  expect(checker: CheckerName, holds: boolean, message: () => string): void {
    this.looked.set(checker, (this.looked.get(checker) ?? 0) + 1);
    if (holds || this.violations.length >= VIOLATIONS_MAX) return;
    this.violations.push({ checker, message: message(), atMs: this.#now() });
  }
}
