/**
 * What must hold of one task: its outcome, its attempts, its retries.
 *
 * @module
 */
import { OUTCOME_STATES } from "../../shared/model/outcome.ts";
import type { RetryPolicy } from "../../shared/model/task.ts";
import type { Findings } from "./findings.ts";
import type { OutcomeRow } from "./store_rows.ts";
import type { TaskFacts } from "./tasks.ts";

/** The causes that count as failures. */
const FAILURES = ["evaluator", "deadline", "worker_lost", "crash"];
/** All causes of an end that is no outcome. */
const CAUSES: ReadonlySet<string> = new Set([
  ...FAILURES,
  "returned",
  "cancelled",
  "duplicate",
  "never_received",
  "restarted",
]);
/** Two leases may be out when the last retry is used up: the other one may fail too. */
const SECOND_LEASE = 1;

/** What the tasks are compared with. */
export interface TaskContext {
  readonly newestEpoch: number;
  /** From which epoch on the store has its present id: attempts of earlier ones are another store's. */
  readonly firstEpoch: number;
  /** The retry policy of a group; undefined where it cannot be read. */
  policy(groupSeq: number): RetryPolicy | undefined;
}

/** Checks one task. */
export function checkTask(facts: TaskFacts, context: TaskContext, findings: Findings): void {
  const { task, outcomes, open, ended } = facts;
  findings.expect(
    "one_outcome",
    outcomes.length <= 1,
    () => [`${task} has ${outcomes.length} outcomes`, { task, outcomes }],
  );
  for (const outcome of outcomes) checkOutcome(task, outcome, context, findings);
  findings.expect(
    "all_settled",
    outcomes.length === 0 || open.length === 0,
    () => [`${task} has its outcome, and ${open.length} open attempts`, { task, outcomes, open }],
  );
  checkLeases(facts, context, findings);
  if (ended.length > 0 || outcomes.some(({ state }) => state === "failed")) {
    checkRetries(facts, context, findings);
  }
}

function checkOutcome(
  task: string,
  outcome: OutcomeRow,
  { newestEpoch, firstEpoch }: TaskContext,
  findings: Findings,
): void {
  const problem = problemOf(outcome, firstEpoch > 1);
  findings.expect(
    "outcome_whole",
    problem === undefined,
    () => [`the outcome of ${task} ${problem}`, { id: task, outcome }],
  );
  const { epoch, attempt } = outcome;
  findings.expect(
    "lease_once",
    epoch === null ? attempt === null : attempt !== null && attempt >= 1 && isEpoch(epoch, newestEpoch),
    () => [`the outcome of ${task} is of a lease that this store never granted`, { id: task, outcome }],
  );
}

/** What an outcome lacks, or has too much. */
function problemOf(outcome: OutcomeRow, isRenewed: boolean): string | undefined {
  const { state, metrics, cause, message, worker, attempt, attempts, elapsedMs } = outcome;
  if (!OUTCOME_STATES.some((each) => each === state)) return `is ${state}, which is no state`;
  const isMeasured = state === "completed" || state === "pruned";
  if (isMeasured !== areMetrics(metrics)) {
    return isMeasured ? "has no metrics" : "has metrics, and measured nothing";
  }
  if (!isMeasured && metrics !== null) return "has metrics, and measured nothing";
  const isFailed = state === "failed";
  if (isFailed !== (cause !== null && message !== null)) {
    return isFailed ? "failed without a cause" : "has a cause of failure, and did not fail";
  }
  if (cause !== null && !FAILURES.includes(cause)) return `failed by ${cause}, which is no cause`;
  if (state === "cancelled") return elapsedMs >= 0 && attempts >= 0 ? undefined : "ran for less than no time";
  // What used up its retries may have been an attempt of the store that this one was before.
  if ((attempt === null || worker === "") && !(isFailed && isRenewed)) return "is of no attempt";
  if (attempts < 1) return "was reached without an attempt";
  return elapsedMs >= 0 ? undefined : "ran for less than no time";
}

function areMetrics(json: string | null): boolean {
  if (json === null) return false;
  try {
    const metrics: unknown = JSON.parse(json);
    return typeof metrics === "object" && metrics !== null && !Array.isArray(metrics) &&
      Object.values(metrics).every((value) => Number.isFinite(value));
  } catch {
    return false;
  }
}

function checkLeases(
  { task, open, ended }: TaskFacts,
  { newestEpoch }: TaskContext,
  findings: Findings,
): void {
  const seen = new Map<string, string>();
  for (const { epoch, attempt, cause } of [...ended, ...open]) {
    const key = `${epoch} ${attempt}`;
    const other = seen.get(key);
    // One whose worker was lost and came back is open again; its loss stays counted.
    const isNew = other === undefined || (other === "worker_lost" && cause === "");
    findings.expect(
      "lease_once",
      isNew && attempt >= 1 && isEpoch(epoch, newestEpoch) && (cause === "" || CAUSES.has(cause)),
      () => [`attempt ${attempt} of ${task} in epoch ${epoch} stands more than once, or in no epoch`, {
        task,
        open,
        ended,
      }],
    );
    seen.set(key, cause);
  }
}

function isEpoch(epoch: number, newest: number): boolean {
  return epoch >= 1 && epoch <= newest;
}

function checkRetries(facts: TaskFacts, context: TaskContext, findings: Findings): void {
  const { task, ended, outcomes, groupSeq } = facts;
  const policy = context.policy(groupSeq);
  if (policy === undefined) return;
  const most = (cause: string) => (cause === "crash" ? policy.crashLimit : policy.limit) + 1;
  const rows = (cause: string | null) => ended.filter((each) => each.cause === cause).length;
  for (const cause of FAILURES) {
    findings.expect(
      "retries_bounded",
      rows(cause) <= most(cause) + SECOND_LEASE,
      () => [`${task} failed ${rows(cause)} times by ${cause}, ${most(cause)} are allowed`, {
        task,
        policy,
        ended,
      }],
    );
  }
  const outcome = outcomes.find(({ state }) => state === "failed");
  if (outcome === undefined) return;
  const { cause, epoch, attempt } = outcome;
  const ofLease = attempt === null
    ? context.firstEpoch > 1 && ended.some((each) => each.cause === cause && each.epoch < context.firstEpoch)
    : ended.some((each) => each.epoch === epoch && each.attempt === attempt);
  // An evaluator may say that to try again is pointless, which is not stored.
  const isEnough = cause === "evaluator" || rows(cause) >= most(cause ?? "");
  findings.expect(
    "retries_bounded",
    ofLease && isEnough,
    () => [
      `${task} was given up after ${rows(cause)} failures by ${cause}, ${
        most(cause ?? "") - 1
      } retries are allowed` +
      (ofLease ? "" : "; the attempt that it names did not fail"),
      { task, policy, outcome: { ...outcome }, ended },
    ],
  );
}
