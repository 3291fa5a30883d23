/**
 * Faults of leases: who may run what, and what is done when nobody knows whether somebody does.
 *
 * @module
 */
import type { SourceMutant } from "./named_mutant.ts";
import {
  all,
  evaluator,
  longAttempts,
  muchWork,
  network,
  noPrefetch,
  rates,
  workers,
  workload,
} from "./plans.ts";

const LIVE_TASK = "master/cluster/live_task.ts";
const REGISTRATION = "master/cluster/registration.ts";
const RETURNS = "master/cluster/returns.ts";
const DOUBT = "master/cluster/doubt.ts";
const SETTLE = "master/cluster/settle.ts";
const SILENCE = "master/cluster/silence.ts";

const breaks = rates({ partition: 4, vanish: 4, workerPause: 3 });
const busy = all(workers(3, 2), muchWork, longAttempts);

/** What is granted, held and given up. */
export const LEASE_MUTANTS: readonly SourceMutant[] = [
  {
    name: "lease_without_epoch",
    fault: "leases carry the first epoch of their store, whichever life of the cluster grants them",
    file: "master/cluster/dispatch.ts",
    find: "this.#epoch = epoch;",
    replace: "this.#epoch = [...core.earlierEpochs.keys()][0] ?? epoch;",
    caughtBy: ["lease_once"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "leases_compared_without_epoch",
    fault: "two leases are one where only their epochs differ",
    file: "shared/model/task.ts",
    find: "${lease.attempt} ${lease.epoch}`",
    replace: "${lease.attempt}`",
    caughtBy: ["lease_once"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "epoch_not_raised",
    fault: "a store that has an epoch goes on with it",
    file: "master/store/memory_store.ts",
    find: "disk.addEpoch(",
    replace: "if (state.epochs.length === 0) disk.addEpoch(",
    caughtBy: ["epoch_new", "lease_once"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "attempt_numbers_repeat",
    fault: "the attempts of a task all have one number",
    file: LIVE_TASK,
    find: "attempt: task.grantedTo.length };",
    replace: "attempt: 1 };",
    caughtBy: ["lease_once"],
    adjust: evaluator({ failed: 0.4 }),
  },
  {
    name: "third_lease",
    fault: "a third lease is granted while two are doubtful",
    file: LIVE_TASK,
    find: "LIVE_LEASES_MAX = 2",
    replace: "LIVE_LEASES_MAX = 3",
    caughtBy: ["lease_once"],
    adjust: all(workers(4, 2), muchWork, longAttempts, rates({ partition: 12 })),
  },
  {
    name: "both_go_on_when_heard_again",
    fault: "a silent worker that is heard again and the one that its task was given to both go on",
    file: DOUBT,
    find: `endAttempt(core, isFurther(attempt, rival) ? rival : attempt, "duplicate")`,
    replace: "void rival",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks),
  },
  {
    name: "both_go_on_after_return",
    fault: "a worker that returns is kept, and the one that its task was given to is not cancelled",
    file: RETURNS,
    find: `if (rival !== undefined) endAttempt(core, rival, "duplicate");`,
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks),
  },
  {
    name: "doubtful_never_given_away",
    fault: "the tasks of a worker that is silent or gone wait until it is lost",
    file: DOUBT,
    find: "for (const attempt of attempts.reverse()) goOn(core, attempt.task, 0);",
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks),
  },
  {
    name: "close_event_lost",
    fault: "the end of a worker's session is told to nobody",
    file: "master/cluster/cluster.ts",
    find: "const worker = this.core.sessions.get(session.id);",
    replace: "const worker = this.core.sessions.get(-session.id);",
    caughtBy: ["leases_watched"],
    adjust: all(busy, rates({ workerKill: 4 })),
  },
  {
    name: "given_away_too_early",
    fault: "a task is not left with its doubtful worker for as long as its policy says",
    file: "master/cluster/failures.ts",
    find: "Math.max(pauseMs, task.group.template.reassignAfterMs)",
    replace: "pauseMs",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks),
  },
  {
    name: "timer_not_cleared",
    fault: "the timer of a delay that is over runs on, and ends the next delay of its task",
    file: "master/cluster/core.ts",
    find: "this.context.cancel(task.delay.timer)",
    replace: "void task.delay.timer",
    caughtBy: ["leases_watched"],
    adjust: all(workers(2, 4), muchWork, longAttempts, rates({ reset: 20, vanish: 10 })),
  },
  {
    name: "requeued_without_ending_the_lease",
    fault: "an assignment that was never received is given again, and its row stays open",
    file: REGISTRATION,
    find: `else if (sameLife) endUncounted(core, attempt, "never_received", attempt.opened);`,
    replace: `else if (sameLife) endUncounted(core, attempt, "never_received", false);`,
    caughtBy: ["leases_watched", "retries_bounded"],
    adjust: all(busy, network({ delayMs: { min: 0.1, max: 60 } }), rates({ vanish: 10, partition: 10 })),
  },
  {
    name: "slot_freed_at_cancel",
    fault: "a cancelled attempt gives its slot back before its worker says that it has ended",
    file: SETTLE,
    find: "core.say(attempt.worker.session, {",
    replace: [
      "attempt.ended = true;",
      "attempt.worker.attempts.delete(attempt);",
      "attempt.worker.giveBack(attempt.task.group.template.resources);",
      "attempt.task.attempts.splice(attempt.task.attempts.indexOf(attempt), 1);",
      "core.say(attempt.worker.session, {",
    ].join("\n"),
    caughtBy: ["slots_kept"],
    adjust: all(busy, noPrefetch, workload({ cancels: 10, tasksMax: 40 })),
  },
  {
    name: "duplicate_not_cancelled",
    fault: "what still runs of a task that has its outcome is not told to end",
    file: SETTLE,
    find: `endAttempt(core, attempt, outcome.state === "cancelled" ? "cancelled" : "duplicate");`,
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks),
  },
  {
    name: "pool_not_given_back",
    fault: "what an attempt drew from the pool stays drawn when it has ended",
    file: LIVE_TASK,
    find: "attempt.worker.giveBack(attempt.task.group.template.resources, attempt.devices);",
    replace: "",
    caughtBy: ["cluster_sane", "all_settled"],
  },
  {
    name: "adopted_lease_not_drawn",
    fault: "an attempt that a worker brings back draws nothing from the pool",
    file: RETURNS,
    find: "const attempt = holdLease(leaseOf(held), task, worker, startedAtMs, devices);",
    replace: [
      "const attempt = holdLease(leaseOf(held), task, worker, startedAtMs, devices);",
      "worker.giveBack(task.group.template.resources, devices);",
    ].join("\n"),
    caughtBy: ["cluster_sane", "slots_kept"],
    adjust: all(busy, rates({ masterKill: 4 })),
  },
  {
    name: "lost_worker_never_given_up",
    fault: "a worker that stays silent is never called lost",
    file: SILENCE,
    find: "if (silentMs >= core.options.lostAfterMs) giveUp(",
    replace: "if (silentMs >= 100 * core.options.lostAfterMs) giveUp(",
    caughtBy: ["leases_watched"],
    adjust: all(busy, rates({ workerKill: 4 })),
  },
  {
    name: "backstop_runs_for_doubtful",
    fault: "the master's own deadline runs for a lease that is doubtful",
    file: SILENCE,
    find: `if (worker.doubtful) continue;
    for (const attempt of worker.attempts)`,
    replace: `for (const attempt of worker.attempts)`,
    caughtBy: ["leases_watched"],
    adjust: (plan) => ({ ...all(busy, breaks, evaluator({ hangs: 0.3 }))(plan), lostAfterMs: 200_000 }),
  },
];
