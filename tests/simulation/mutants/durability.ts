/**
 * Faults of the store and of what is made of it: idempotence, commits of unknown outcome, restarts, the feed.
 *
 * @module
 */
import type { SourceMutant } from "./named_mutant.ts";
import {
  all,
  calamity,
  disk,
  evaluator,
  longAttempts,
  muchSearch,
  muchWork,
  rates,
  workers,
  workload,
} from "./plans.ts";

const APPLY = "master/store/memory_apply.ts";
const SUBMISSIONS = "master/cluster/submissions.ts";
const RECOVERY = "master/cluster/recovery.ts";

const breaks = rates({ partition: 4, vanish: 4, workerPause: 3 });
const busy = all(workers(3, 2), muchWork, longAttempts);

/** What is on the disk, and what is read from it. */
export const DURABILITY_MUTANTS: readonly SourceMutant[] = [
  {
    name: "second_outcome_overwrites",
    fault: "the second outcome of a task takes the place of the first",
    file: APPLY,
    find:
      "if (task.outcome !== undefined) return isSame(task.outcome, change) ? AGAIN : superseded(task.outcome);",
    replace: "",
    caughtBy: ["one_outcome"],
    adjust: all(busy, breaks, disk({ latencyMs: { min: 50, max: 400 } })),
  },
  {
    name: "end_written_twice",
    fault: "the end of an attempt is written again each time that it comes",
    file: APPLY,
    find: "if (task.ended.has(key)) {",
    replace: "if (task.outcome?.lease !== undefined && task.ended.has(key)) {",
    caughtBy: ["stale_words", "retries_bounded"],
    adjust: all(busy, breaks, rates({ masterKill: 3 }), evaluator({ failed: 0.3 })),
  },
  {
    name: "command_not_idempotent",
    fault: "a command that comes again is carried out again",
    file: APPLY,
    find: `if (reply !== undefined) return { type: "repeated", reply };`,
    replace: "",
    caughtBy: ["submissions_kept", "replies_fit"],
    adjust: all(workload({ submissions: 6 }), rates({ reset: 10, clientKill: 4 })),
  },
  {
    name: "submission_acknowledged_before_commit",
    fault: "a submitter hears yes before its tasks are durable",
    file: SUBMISSIONS,
    find: "const atMs = core.context.wallClock();",
    replace: [
      "const atMs = core.context.wallClock();",
      `core.context.send(from, { type: "command_answered", token, reply: { ok: true, value, commit: core.commit } });`,
    ].join("\n"),
    caughtBy: ["submissions_kept"],
    adjust: workload({ submissions: 6 }),
  },
  {
    name: "retry_count_lost_on_restart",
    fault: "a restarted master begins to count failures anew",
    file: RECOVERY,
    find: "newTask(group, number, payload, failures, attempts)",
    replace: "newTask(group, number, payload, undefined, attempts)",
    caughtBy: ["retries_bounded"],
    adjust: all(busy, rates({ masterKill: 4 }), evaluator({ failed: 0.4 })),
  },
  {
    name: "window_ignored",
    fault: "a restarted master gives at once what its workers may still run",
    file: RECOVERY,
    find: "withhold(core, recovered);\n",
    replace: "\n",
    caughtBy: ["leases_watched"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "long_leases_without_row",
    fault: "leases that live long are not written down",
    file: "master/cluster/silence.ts",
    find: "ROW_AFTER_MS = 1_000",
    replace: "ROW_AFTER_MS = 1_000_000",
    caughtBy: ["leases_watched"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "unknown_commit_applied_twice",
    fault: "a commit of unknown outcome is applied again as another one",
    file: "master/store/store_actor.ts",
    find: "store.commit(this.#epoch, work.changes,",
    replace: "store.commit(this.#epoch, [...work.changes],",
    // A command that is taken for a repeated one is answered, and its tasks are begun by nobody.
    caughtBy: ["submissions_kept", "replies_fit", "retries_bounded", "told_once", "liveness"],
    adjust: disk({ unanswered: 0.3 }),
  },
  {
    name: "fault_dropped",
    fault: "a batch that failed is not tried again",
    file: "master/store/store_actor.ts",
    find: "this.#failures += 1;",
    replace: "this.#failures += 1;\n    this.#work = undefined;",
    // What was asked for stays without an answer: that is all that anybody sees.
    caughtBy: ["liveness"],
    adjust: disk({ refused: 0.2 }),
  },
  {
    name: "recovery_overtakes",
    fault: "a recovery overtakes the commits that wait before it",
    file: "master/store/commit_queue.ts",
    find: "this.#waiting.push({ request, size: undefined });",
    replace: "this.#waiting.unshift({ request, size: undefined });",
    caughtBy: ["acknowledged_is_durable", "submissions_kept", "one_outcome", "retries_bounded"],
    adjust: all(busy, muchSearch, rates({ actorKill: 30 }), disk({ latencyMs: { min: 200, max: 400 } })),
  },
  {
    name: "fence_not_checked",
    fault: "a store takes what comes from an older epoch",
    file: "master/store/memory_store.ts",
    find: "if (newest !== epoch) return failure(",
    replace: "if (newest === undefined) return failure(",
    caughtBy: ["epoch_new", "one_outcome", "acknowledged_is_durable", "lease_once", "store_fenced"],
    adjust: all(busy, calamity("two_masters")),
  },
  {
    name: "older_copy_accepted",
    fault: "a master whose store lacks what its peers were told goes on",
    file: "master/cluster/registration.ts",
    find: "if (end !== undefined && seen.commit <= end) return;",
    replace: "return;",
    caughtBy: ["loss_noticed", "store_fenced", "acknowledged_is_durable", "submissions_kept"],
    adjust: all(busy, calamity("store_restored")),
  },
  {
    name: "loss_compared_with_the_newest_commit",
    fault: "a copy that was written to since is taken for the store, as soon as it has as many commits",
    file: "master/cluster/registration.ts",
    find: "if (end !== undefined && seen.commit <= end) return;",
    replace: "if (end !== undefined && seen.commit <= core.commit) return;",
    caughtBy: ["loss_noticed", "store_fenced", "acknowledged_is_durable", "submissions_kept", "log_complete"],
    adjust: all(busy, calamity("store_restored")),
  },
  {
    name: "lost_future_counts",
    fault: "a master that goes on over an older copy takes what was granted after the copy for its own",
    file: "master/store/memory_disk.ts",
    find: "state.formerEpochs.push(...state.epochs);\n    state.epochs = [];",
    replace: "",
    caughtBy: ["store_fenced", "loss_noticed", "result_belongs", "lease_once"],
    adjust: all(busy, calamity("store_restored")),
  },
  {
    name: "log_skips_at_the_seam",
    fault: "a log subscriber misses a commit where the store's answer meets what is in memory",
    file: "master/gateway/recent_commits.ts",
    find: "commit >= this.#from;",
    replace: "commit >= this.#from - 1;",
    caughtBy: ["log_complete"],
    adjust: rates({ clientKill: 4, masterKill: 3 }),
  },
  {
    name: "log_begins_too_late",
    fault: "the store is asked for the changes after the one after the last",
    file: "master/gateway/log_feed.ts",
    find: "ask: { after: log.cursor, limit",
    replace: "ask: { after: log.cursor + 1, limit",
    caughtBy: ["log_complete"],
    adjust: rates({ clientKill: 4, masterKill: 3 }),
  },
  {
    name: "reply_ahead_of_the_disk",
    fault: "a reply carries the number of a commit that is not there yet",
    file: "master/gateway/commands.ts",
    find: "commit: this.#commit } as const",
    replace: "commit: this.#commit + 1 } as const",
    caughtBy: ["log_complete", "acknowledged_is_durable", "peers_stay"],
    adjust: all(workload({ submissions: 6, questions: 8 }), rates({ reset: 10 })),
  },
  {
    name: "reports_written_again",
    fault: "a report that comes again is written again",
    file: "master/store/memory_reports.ts",
    find: "if (report.number <= last) continue;",
    replace: "",
    caughtBy: ["curve_whole"],
    adjust: all(busy, rates({ reset: 30 }), disk({ latencyMs: { min: 100, max: 400 } })),
  },
  {
    name: "reports_taken_before_commit",
    fault: "a worker is told that a report was taken before it is durable",
    file: "master/cluster/reports.ts",
    find: "const settled = intake.sent(first, kept);",
    replace: "const settled = intake.sent(first, kept);\n  intake.take(worker, first, last.number);",
    caughtBy: ["curve_whole"],
    adjust: all(busy, rates({ masterKill: 6 }), disk({ latencyMs: { min: 100, max: 400 } })),
  },
  {
    name: "search_told_off_by_one",
    fault: "a trial's row says one outcome fewer than its optimizer had been told",
    file: "master/experiments/search_fold.ts",
    find: "toldBefore: this.told }",
    replace: "toldBefore: Math.max(0, this.told - 1) }",
    caughtBy: ["search_replays"],
    adjust: muchSearch,
  },
  {
    name: "budget_exceeded",
    fault: "a search goes one trial beyond its budget",
    file: "master/experiments/experiment.ts",
    find: "this.#fold.openCount < limit;",
    replace: "this.#fold.openCount < limit + 1;",
    caughtBy: ["budget_kept"],
    adjust: muchSearch,
  },
];
