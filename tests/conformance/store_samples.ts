/**
 * Changes for tests of stores.
 *
 * @module
 */
import type { ArtifactRef } from "../../shared/model/artifact.ts";
import type { StoreChange, StoredReport } from "../../master/store/store.ts";
import { groupId, incarnation, type TaskId, workerId } from "../../shared/model/ids.ts";
import type { Outcome } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";

export const GROUP = groupId("t7");
export const EXPERIMENT = groupId("e3");
export const WORKER = workerId("machine-1");
export const LIFE = incarnation("life-1");
export const AT_MS = 1_700_000_000_000;
export const SPEC = JSON.stringify({
  name: "quick",
  objectives: [{ metric: "loss", direction: "minimize" }],
  budget: { trials: 20 },
});
export const RECORDED = { type: "recorded" } as const;
export const AGAIN = { type: "recorded", again: true } as const;
export const UNKNOWN = { type: "unknown" } as const;

/** A group of plain tasks. */
export function group(id = GROUP): Extract<StoreChange, { type: "group_added" }> {
  return { type: "group_added", group: id, template: new Uint8Array([1, 2, 3]) };
}

/** Tasks with payloads of one byte, the low byte of their number. */
export function submission(first: number, count: number, id = GROUP): StoreChange {
  const payloads = Array.from({ length: count }, (_, index) => new Uint8Array([(first + index) % 256]));
  return { type: "tasks_submitted", group: id, first, payloads, atMs: AT_MS };
}

/** Trials with small candidates. */
export function trials(first: number, count: number, toldBefore = 0): StoreChange {
  return {
    type: "tasks_submitted",
    group: EXPERIMENT,
    first,
    payloads: Array.from({ length: count }, () => new Uint8Array([9])),
    trials: Array.from({ length: count }, (_, index) => ({
      candidate: JSON.stringify({ lr: first + index }),
      hash: `hash-${first + index}`,
      parents: first + index > 1 ? [first + index - 1] : [],
      toldBefore,
    })),
    atMs: AT_MS,
  };
}

/** An outcome. */
export function ended(
  task: TaskId,
  outcome: Outcome,
  lease?: Lease,
): Extract<StoreChange, { type: "outcome" }> {
  return {
    type: "outcome",
    task,
    lease,
    worker: lease === undefined ? "" : WORKER,
    outcome,
    attempts: lease?.attempt ?? 0,
    elapsedMs: 12.5,
    atMs: AT_MS + 1,
  };
}

export const completed = (loss: number): Outcome => ({ state: "completed", metrics: { loss } });
export const cancelled: Outcome = { state: "cancelled" };
export const experimentAdded: StoreChange = {
  type: "experiment_added",
  experiment: EXPERIMENT,
  name: "quick",
  spec: SPEC,
  atMs: AT_MS,
};

/** An attempt that lived long enough to be remembered. */
export function opened(lease: Lease): StoreChange {
  return { type: "attempt_opened", lease, worker: WORKER, incarnation: LIFE, atMs: AT_MS };
}

/** An attempt that ended without an outcome. */
export function attemptEnded(
  lease: Lease,
  cause: Extract<StoreChange, { type: "attempt_ended" }>["cause"],
  message = "",
): StoreChange {
  return { type: "attempt_ended", lease, worker: WORKER, cause, message, atMs: AT_MS };
}

/** Reports of an attempt by their numbers; each measures its number. */
export function reports(lease: Lease, ...numbers: readonly number[]): StoreChange {
  return { type: "reports", lease, reports: numbers.map(report) };
}

/** One of them. */
export function report(number: number): StoredReport {
  return { number, step: number * 10, metrics: { loss: number } };
}

/** What a checkpoint is kept as, unless told. */
export const CHECKPOINT = { sha256: "c".repeat(64), bytes: 7 } as const;

/** A report of an attempt that tells of a checkpoint. @param keep undefined where its lease was given up */
export function checkpointReport(
  lease: Lease,
  number: number,
  step: number,
  keep: number | undefined = 2,
  checkpoint: ArtifactRef = CHECKPOINT,
): Extract<StoreChange, { type: "reports" }> {
  return { type: "reports", lease, reports: [{ number, step, metrics: {}, checkpoint }], keep };
}

/** A report of an attempt that tells of a file. */
export function fileReport(lease: Lease, number: number, name: string, sha256 = "f".repeat(64)): StoreChange {
  const file = { name, sha256, bytes: 3 };
  return { type: "reports", lease, reports: [{ number, step: 0, metrics: {}, file }] };
}

/** An attempt that goes on from a checkpoint of another one. */
export function continued(lease: Lease, from: Lease, step: number): StoreChange {
  const { epoch, attempt } = from;
  const continues = { epoch, attempt, step, ...CHECKPOINT };
  return { type: "attempt_opened", lease, worker: WORKER, incarnation: LIFE, atMs: AT_MS, continues };
}

/** A new state of the experiment. */
export function state(
  to: Extract<StoreChange, { type: "experiment_state" }>["state"],
  reason = "",
): Extract<StoreChange, { type: "experiment_state" }> {
  return { type: "experiment_state", experiment: EXPERIMENT, state: to, reason, atMs: AT_MS };
}

/** Bytes as numbers: a view and a copy of the same bytes are the same. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
