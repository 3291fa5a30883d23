/**
 * Faults of results: what is recorded, what is counted, and who is told of it when.
 *
 * @module
 */
import type { SourceMutant } from "./named_mutant.ts";
import {
  all,
  disk,
  evaluator,
  longAttempts,
  muchSearch,
  muchWork,
  rates,
  workers,
  workload,
} from "./plans.ts";

const SETTLE = "master/cluster/settle.ts";
const RESULTS = "master/cluster/results.ts";
const FAILURES = "master/cluster/failures.ts";

const breaks = rates({ partition: 4, vanish: 4, workerPause: 3 });
const busy = all(workers(3, 2), muchWork, longAttempts);
const idle = all(workers(4, 2), workload({ submissions: 4, tasksMax: 4 }));
const slowDisk = disk({ latencyMs: { min: 50, max: 400 } });

/** What is made of a worker's word. */
export const RESULT_MUTANTS: readonly SourceMutant[] = [
  {
    name: "acknowledged_before_commit",
    fault: "a result is acknowledged before it is durable",
    file: SETTLE,
    find: "const atMs = core.context.wallClock();",
    replace: [
      "const atMs = core.context.wallClock();",
      "if (lease !== undefined && settlement.acknowledgeTo !== undefined) {",
      `  acknowledge(core, settlement.acknowledgeTo, lease, "recorded", null, core.commit);`,
      "}",
    ].join("\n"),
    caughtBy: ["acknowledged_is_durable"],
  },
  {
    name: "failure_acknowledged_before_commit",
    fault: "a failure is acknowledged before its row is durable",
    file: FAILURES,
    find: "writeBeforeRetry(core, attempt, cause, failure.message, (commit, isNew) => {",
    replace: [
      "acknowledged?.(core.commit);",
      "writeBeforeRetry(core, attempt, cause, failure.message, (commit, isNew) => {",
    ].join("\n"),
    caughtBy: ["acknowledged_is_durable"],
    adjust: evaluator({ failed: 0.4 }),
  },
  {
    name: "told_before_commit",
    fault: "an optimizer is told of an outcome before it is durable",
    file: SETTLE,
    find: "if (source !== undefined) source.committing += 1;",
    replace: [
      "if (source !== undefined) {",
      "  source.committing += 1;",
      "  const { number } = task;",
      `  core.context.send(source.ref, { type: "ended", number, outcome, attempts: 1, elapsedMs: 0, atMs });`,
      "}",
    ].join("\n"),
    caughtBy: ["told_once"],
    adjust: muchSearch,
  },
  {
    name: "told_twice",
    fault: "an optimizer is told of an outcome twice",
    file: SETTLE,
    find: "source.wants = true;",
    replace: [
      "source.wants = true;",
      `core.context.send(source.ref, { type: "ended", number: task.number, outcome, attempts: 1, elapsedMs: 0, atMs });`,
    ].join("\n"),
    caughtBy: ["told_once"],
    adjust: muchSearch,
  },
  {
    name: "superseded_said_as_recorded",
    fault: "who comes second with a result is told that it was recorded",
    file: SETTLE,
    find: `if (verdict.type === "superseded" || verdict.type === "unknown") return verdict.type;`,
    replace: "",
    caughtBy: ["acknowledged_is_durable"],
    adjust: all(busy, breaks, slowDisk),
  },
  {
    name: "verdict_by_attempt_alone",
    fault: "of a task that is known no more, attempts with one number are one in every epoch",
    file: RESULTS,
    find: " && answer.epoch === result.epoch",
    replace: "",
    caughtBy: ["acknowledged_is_durable"],
    adjust: all(busy, breaks),
  },
  {
    name: "stale_failure_counted",
    fault: "a failure under a lease that was given up counts",
    file: RESULTS,
    find: `return acknowledge(core, worker, lease, "superseded", null, core.commit);`,
    replace: [
      "const atMs = core.context.wallClock();",
      `const end = { type: "attempt_ended", lease, worker: worker.id, cause, message, atMs } as const;`,
      "return core.log.add(end, (_verdict, commit) => {",
      "  task.failures[cause] += 1;",
      "  then(commit);",
      "});",
    ].join("\n"),
    caughtBy: ["retries_bounded", "stale_words"],
    adjust: all(busy, breaks, evaluator({ failed: 0.4 })),
  },
  {
    name: "retried_before_the_end_is_durable",
    fault: "a task is tried again before the store has the end of its last attempt",
    file: FAILURES,
    find: "if (final) giveUp(core, attempt, failure);",
    replace: [
      "if (final) giveUp(core, attempt, failure);",
      "else {",
      "  task.ending = undefined;",
      "  goOn(core, task, 0);",
      "}",
    ].join("\n"),
    caughtBy: ["leases_watched"],
    adjust: all(evaluator({ failed: 0.4 }), slowDisk),
  },
  {
    name: "lost_and_returned_counted_twice",
    fault: "an attempt that was counted as lost and then fails is two failures",
    file: FAILURES,
    find: "if (isNew) countFailure(core, task, failure);",
    replace: "void isNew;\n    countFailure(core, task, failure);",
    caughtBy: ["retries_bounded", "stale_words"],
    adjust: all(busy, rates({ partition: 8, workerPause: 6 }), evaluator({ failed: 0.4 })),
  },
  {
    name: "stale_failure_of_cancelled_counted",
    fault: "an attempt that was told to end and fails on its way counts as a failure",
    file: RESULTS,
    find: "if (attempt.cancelling !== undefined) return returned(core, worker, result, attempt);",
    replace: "",
    caughtBy: ["stale_words", "retries_bounded"],
    adjust: all(
      idle,
      rates({ partition: 12, workerPause: 6 }),
      evaluator({ failed: 0.6, long: 0.9, longMs: { min: 500, max: 25_000 } }),
    ),
  },
  {
    name: "given_up_too_early",
    fault: "a task fails one retry before its policy says so",
    file: "master/cluster/retry.ts",
    find: "failures > retriesAllowed(policy, cause)",
    replace: "failures >= retriesAllowed(policy, cause)",
    caughtBy: ["retries_bounded"],
    adjust: evaluator({ failed: 0.4 }),
  },
  {
    name: "retried_too_often",
    fault: "a task is tried again when its retries are used up",
    file: "master/cluster/retry.ts",
    find: "failures > retriesAllowed(policy, cause)",
    replace: "failures > retriesAllowed(policy, cause) + 2",
    caughtBy: ["retries_bounded"],
    adjust: evaluator({ failed: 0.6 }),
  },
  {
    name: "final_failure_retried",
    fault: "a failure is tried again although its evaluator said that it is final",
    file: RESULTS,
    find: "const failure: Failure = { cause, message, stack, final, elapsedMs",
    replace: "const failure: Failure = { cause, message, stack, final: final && false, elapsedMs",
    caughtBy: ["retries_bounded"],
    adjust: evaluator({ failed: 0, final: 0.3 }),
  },
  {
    name: "failed_while_another_lives",
    fault: "a task fails for good while another of its attempts may still complete it",
    file: FAILURES,
    find: "if (task.attempts.length > 0) return;",
    replace: "",
    caughtBy: ["leases_watched"],
    adjust: all(busy, breaks, evaluator({ failed: 0.4, final: 0.2 })),
  },
  {
    name: "cancelled_still_placed",
    fault: "a task that is being cancelled is given to a slot",
    file: "master/cluster/cancellation.ts",
    find: "acknowledgeTo: undefined,\n  });\n  return true;",
    replace:
      "acknowledgeTo: undefined,\n  });\n  if (task.attempts.length === 0) core.enqueueFront(task);\n  return true;",
    caughtBy: ["one_outcome"],
    adjust: all(busy, workload({ cancels: 10, tasksMax: 40 }), slowDisk),
  },
  {
    name: "batch_cut_at_a_duplicate",
    fault: "what follows a second result in its batch is answered and not written",
    file: "master/store/memory_disk.ts",
    find: "const verdicts = changes.map((change) => applyChange(this.state, change));",
    replace: [
      "let isCut = false;",
      "const verdicts = changes.map((change) => {",
      `  if (isCut) return { type: "recorded" } as const;`,
      "  const verdict = applyChange(this.state, change);",
      `  isCut ||= verdict.type === "superseded";`,
      "  return verdict;",
      "});",
    ].join("\n"),
    caughtBy: ["acknowledged_is_durable", "retries_bounded", "one_outcome", "submissions_kept", "told_once"],
    adjust: all(busy, breaks, slowDisk, rates({ partition: 8 })),
  },
  {
    name: "duplicate_aborts_the_batch",
    fault: "a verdict becomes an error, and its batch is tried again for ever",
    file: "master/store/store_actor.ts",
    find:
      'if (!result.ok) return this.#failed(result.error);\n    const work = this.#work;\n    if (work?.type === "batch")',
    replace: [
      "if (!result.ok) return this.#failed(result.error);",
      "const work = this.#work;",
      `if (result.value.verdicts.some((each) => each.type === "superseded")) {`,
      `  return this.#failed({ kind: "fault", message: "UNIQUE constraint failed" });`,
      "}",
      `if (work?.type === "batch")`,
    ].join("\n"),
    // The promise is that the disk's answer comes: a store that is well and never answers is what it breaks.
    caughtBy: ["liveness"],
    adjust: all(busy, rates({ partition: 8, vanish: 4, workerPause: 3 }), slowDisk),
  },
];
