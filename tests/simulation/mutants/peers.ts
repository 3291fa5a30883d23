/**
 * Faults of workers and clients: what they keep, what they say again, whom they hear.
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

const OUTBOX = "worker/outbox.ts";
const SLOTS = "worker/slots.ts";

const breaks = rates({ partition: 4, vanish: 4, workerPause: 3 });
const busy = all(workers(3, 2), muchWork, longAttempts);

/** What is said and heard on the other side of the wire. */
export const PEER_MUTANTS: readonly SourceMutant[] = [
  {
    name: "outbox_dropped_at_reattachment",
    fault: "a worker that comes back has forgotten the results that were not acknowledged",
    file: OUTBOX,
    find: "const leases = held.map((each) => this.#withCheckpoint(each));",
    replace: "const leases = [...held];\n    this.#waiting.clear();",
    caughtBy: ["stale_words", "all_settled"],
    adjust: all(busy, rates({ reset: 10, vanish: 5 })),
  },
  {
    name: "finished_not_listed",
    fault: "a worker that comes back does not list what it has finished",
    file: OUTBOX,
    find: "if (leases.length < held.length + FINISHED_LISTED_MAX) {",
    replace: "if (leases.length < held.length) {",
    caughtBy: ["stale_words"],
    adjust: all(busy, rates({ reset: 10, vanish: 5 })),
  },
  {
    name: "journal_settled_early",
    fault: "a result is taken off the disk before it is acknowledged",
    file: OUTBOX,
    find: "this.#waiting.set(key, { result, isJournaled });",
    replace:
      "this.#waiting.set(key, { result, isJournaled });\n    if (isJournaled) this.#options.journal.settle(result);",
    caughtBy: ["acknowledged_is_durable"],
    adjust: all(busy, rates({ workerKill: 4 })),
  },
  {
    name: "journal_not_read",
    fault: "a new life of a worker does not read what the one before left on its disk",
    file: OUTBOX,
    find: "of options.journal.waiting()) {",
    replace: "of options.journal.waiting().slice(0, 0)) {",
    // It lies there for ever: that is all that anybody sees.
    caughtBy: ["liveness"],
    adjust: all(busy, rates({ workerKill: 4, partition: 4 })),
  },
  {
    name: "superseded_set_aside",
    fault: "a worker sets a result aside that was only second",
    file: OUTBOX,
    find: `acknowledge.verdict === "unknown" &&`,
    replace: `acknowledge.verdict !== "recorded" &&`,
    caughtBy: ["loss_noticed"],
    adjust: all(busy, breaks),
  },
  {
    name: "stale_session_heard_by_worker",
    fault: "a worker hears what an older connection still brings",
    file: "worker/link.ts",
    find: "if (number !== this.#number) {",
    replace: `if (number !== this.#number && event.type !== "frame") {`,
    caughtBy: ["stale_words", "lease_once"],
    adjust: all(busy, network({ delayMs: { min: 0.1, max: 60 }, jitterMs: 20 }), rates({ partition: 10 })),
  },
  {
    name: "stale_session_heard_by_master",
    fault: "a master hears the older session of a worker beside the newer one",
    file: "master/cluster/rivals.ts",
    find: "core.sessions.delete(known.session.id);",
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, rates({ vanish: 10, partition: 6 })),
  },
  {
    name: "stop_word_ignored",
    fault: "a worker goes on with what its master does not let it keep",
    file: "worker/link_session.ts",
    find: "welcome.keep[index] === false",
    replace: "welcome.keep[index] === null",
    caughtBy: ["leases_watched"],
    adjust: all(
      busy,
      evaluator({ longMs: { min: 50_000, max: 59_000 } }),
      rates({ partition: 8, vanish: 4 }),
    ),
  },
  {
    name: "deadline_not_kept",
    fault: "a worker does not end an attempt at its deadline",
    file: "worker/attempt.ts",
    find: `return this.#stop("deadline", this.#options.graceMs);`,
    replace: "return;",
    caughtBy: ["leases_watched"],
    adjust: evaluator({ hangs: 0.3 }),
  },
  {
    name: "workers_slot_freed_at_stop",
    fault: "a worker gives a slot to the next attempt while the one before is in its grace period",
    file: SLOTS,
    find: `if (held?.actor !== undefined) this.#context.send(held.actor, { type: "stop", why, graceMs });`,
    replace: [
      "if (held?.actor === undefined) return;",
      `this.#context.send(held.actor, { type: "stop", why, graceMs });`,
      "this.#free.give(held);",
      "this.#beginNext();",
    ].join("\n"),
    caughtBy: ["slots_kept"],
    adjust: all(busy, workload({ cancels: 10, tasksMax: 40 })),
  },
  {
    name: "leaving_worker_gets_more",
    fault: "a worker that says that it leaves is given more",
    file: "master/cluster/results.ts",
    find: "worker.leaving = true;",
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, noPrefetch, rates({ workerStop: 5 })),
  },
  {
    name: "newcomer_takes_the_name",
    fault: "a second process takes a worker's name although the first is alive",
    file: "master/cluster/rivals.ts",
    find: "if (known.incarnation !== register.incarnation) return this.#compete(",
    replace: "if (known.incarnation === undefined) return this.#compete(",
    caughtBy: ["leases_watched", "slots_kept"],
    adjust: all(busy, rates({ twin: 4 })),
  },
  {
    name: "results_after_register_dropped",
    fault: "what a worker says in one frame with its registration is not heard",
    file: "master/gateway/worker_session.ts",
    find: "this.#said(frame.envelopes.slice(1));",
    replace: "return;",
    // The results are listed, and waited for: the task never comes to its end.
    caughtBy: ["liveness", "all_settled"],
    adjust: all(busy, rates({ reset: 10, partition: 4 })),
  },
  {
    name: "command_not_sent_again",
    fault: "a client does not send a command again whose reply was lost",
    file: "client/link.ts",
    find: `for (const [id, command] of this.#pending) this.#outgoing.push(`,
    replace: `for (const [id, command] of new Map<CommandId, CommandBody>()) this.#outgoing.push(`,
    // Nothing is wrong, but that the client waits for ever: this is the promise.
    caughtBy: ["liveness"],
    adjust: all(workload({ submissions: 6, questions: 8 }), rates({ reset: 10 })),
  },
  {
    name: "output_taken_twice",
    fault: "a master keeps output again that its worker says again after a break",
    file: "master/logs/open_log.ts",
    find: "const known = Math.max(0, stream.end - log.offset);",
    replace: "const known = 0;",
    caughtBy: ["logs_true"],
    adjust: all(busy, rates({ reset: 20 })),
  },
  {
    name: "log_told_again_after_a_break",
    fault: "a client's log begins again where it began first",
    file: "client/subscriptions.ts",
    find: "open.after = change.commit;",
    replace: "",
    caughtBy: ["log_complete"],
    adjust: rates({ reset: 10 }),
  },
];
