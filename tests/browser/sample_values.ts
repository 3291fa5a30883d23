/**
 * Live values such as a busy master has them, for the page to show.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import { groupId } from "../../shared/model/ids.ts";
import type { WorkerLive } from "../../shared/model/live.ts";
import type { LiveEntry } from "../../shared/protocol/client_envelopes.ts";

const GIB = 1024 ** 3;

/** An experiment that runs. */
export function experiment(changes: Partial<ExperimentSummary> = {}): ExperimentSummary {
  return {
    experiment: groupId("digits-1"),
    name: "digits",
    state: "running",
    reason: "",
    trials: { completed: 120, failed: 3, cancelled: 1, pruned: 30 },
    open: 16,
    attempts: 175,
    budgetTrials: 200,
    objectives: [{ metric: "accuracy", direction: "maximize" }],
    best: {
      trial: 97,
      metrics: { accuracy: 0.97312, loss: 0.0812 },
      candidate: { layers: 3, rate: 0.001 },
    },
    seconds: 480,
    createdAtMs: Date.now() - 480_000,
    ...changes,
  };
}

/** A worker that is well. */
export function worker(id: string, changes: Partial<WorkerLive> = {}): WorkerLive {
  return {
    id,
    state: "connected",
    slots: 8,
    running: 5,
    queued: 0,
    facts: {
      hostname: `${id}.lab.example`,
      os: "linux",
      arch: "x86_64",
      cpus: 32,
      memoryBytes: 128 * GIB,
      pid: 4_711,
      runtime: "deno 2.9.6",
      software: "espalier 0.1.0",
    },
    vitals: {
      cpuPercent: 61.4,
      memoryUsedBytes: 41.2 * GIB,
      rssBytes: 90_000_000,
      gpus: [{
        index: 0,
        uuid: `GPU-${id}`,
        name: "A100",
        memoryBytes: 80 * GIB,
        usedBytes: 33 * GIB,
        utilizationPercent: 88,
        temperatureCelsius: 61,
      }],
    },
    devices: [{ id: `GPU-${id}`, name: "A100", memoryBytes: 80 * GIB, used: 0.5, trouble: null }],
    labels: ["gpu=a100"],
    leavesAtMs: null,
    roundTripMs: 0.8,
    reattachments: 0,
    probation: null,
    ...changes,
  };
}

export function experimentEntry(changes: Partial<ExperimentSummary> = {}): LiveEntry {
  const value = experiment(changes);
  return { topic: "experiment", key: value.experiment, value };
}

export function workerEntry(id: string, changes: Partial<WorkerLive> = {}): LiveEntry {
  return { topic: "worker", key: id, value: worker(id, changes) };
}

/** A page full of things. */
export function sampleEntries(): readonly LiveEntry[] {
  return [
    experimentEntry(),
    experimentEntry({
      experiment: groupId("wide-2"),
      name: "wide",
      state: "paused",
      reason: "5 failures in a row: CUDA out of memory",
      trials: { completed: 8, failed: 5, cancelled: 0, pruned: 0 },
      open: 0,
      attempts: 28,
      best: { trial: 4, metrics: { accuracy: 0.91 }, candidate: { layers: 9 } },
      createdAtMs: Date.now() - 3_600_000,
    }),
    experimentEntry({
      experiment: groupId("baseline-3"),
      name: "baseline",
      state: "completed",
      trials: { completed: 50, failed: 0, cancelled: 0, pruned: 0 },
      open: 0,
      attempts: 50,
      budgetTrials: 50,
      createdAtMs: Date.now() - 7_200_000,
    }),
    workerEntry("alpha-1"),
    workerEntry("alpha-2", { running: 8, queued: 2, reattachments: 1, roundTripMs: 12.4 }),
    workerEntry("beta-10", { state: "doubtful", running: 3 }),
    workerEntry("beta-2", {
      slots: 4,
      running: 1,
      probation: "4 failures where others complete",
      vitals: null,
    }),
  ];
}
