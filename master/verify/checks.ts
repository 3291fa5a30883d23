/**
 * The promises that a stored run is checked for, by the names of their checks.
 *
 * Names that the simulator's checkers have (tests/simulation/findings.ts) stand for the same promise here. The others
 * need what only a running cluster shows, or are of the file alone.
 *
 * @module
 */

/** Each check, and what holds where it finds nothing. */
export const CHECKS = {
  file_sound: "the file is whole: SQLite finds no damage in it, and every row can be read",
  epoch_new:
    "every life of the cluster has an epoch of its own, newer than all before, and the store an id for it",
  log_complete: "commits are numbered without gap, and each holds exactly the changes that it counts",
  submissions_kept: "every submission has all its tasks, in ranges without gap or overlap, each of one group",
  one_outcome: "a task has at most one recorded outcome, and every outcome a task",
  outcome_whole: "an outcome says all that its state needs, and nothing that its state forbids",
  lease_once: "no lease was granted twice: its attempt is open or has ended, once, in an epoch of this store",
  all_settled: "a task that has its outcome holds nothing: no attempt of it is open",
  retries_bounded: "failures are retried within the policy, and a task that was given up has the rows for it",
  curve_whole: "reports are of tasks and attempts of this store, in order, without gap or double",
  checkpoints_kept:
    "what an attempt goes on from was recorded from a live lease, and no more checkpoints stay than were asked for",
  counters_fit: "what a group counts is what its rows add up to",
  told_once: "an optimizer's history has each outcome once, in the order of commits",
  trials_ordered:
    "trials are numbered from 1 without gap, each proposed after no fewer outcomes than the one before",
  budget_kept: "no experiment has more trials than its budget, and none is completed without a reason",
  states_agree: "an experiment is in the state that was stored last, and over exactly where it says so",
  search_replays: "every proposal is the one that the stored history leads to, and so is the best trial",
} as const;

/** The name of a check. */
export type CheckName = keyof typeof CHECKS;

/** All names, in the order in which they are told. */
export const CHECK_NAMES = Object.keys(CHECKS).filter((name): name is CheckName => name in CHECKS);
