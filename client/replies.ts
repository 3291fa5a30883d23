/**
 * What the master answers to commands, checked as far as this library reads it.
 *
 * What a newer master adds is passed on untouched: a client must not break because there is more to know.
 *
 * @module
 */
import { z } from "zod";
import type { ArtifactFile, ArtifactRef } from "../shared/model/artifact.ts";
import type { ExperimentSummary, TrialSummary } from "../shared/model/experiment.ts";
import type { WorkerLive } from "../shared/model/live.ts";
import type { Metrics } from "../shared/model/outcome.ts";
import { groupIdField } from "../shared/protocol/fields.ts";

function objectWith<T>(field: string): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === "object" && value !== null && field in value, {
    error: `expected an object with ${field}`,
  });
}

/** One measurement of a trial. */
export interface CurvePoint {
  readonly step: number;
  readonly metrics: Metrics;
}

/** A checkpoint that is kept of a task. */
export interface KeptCheckpoint extends ArtifactRef {
  /** Whose it is. */
  readonly attempt: number;
  readonly step: number;
}

/** What a task's attempt kept at the master. */
export interface TaskFiles {
  /** Whose files these are: the recorded attempt, else the latest that kept one, unless asked for; null where none did. */
  readonly attempt: number | null;
  /** By name. */
  readonly files: readonly ArtifactFile[];
  /** The task's, of whichever attempts; the highest first. */
  readonly checkpoints: readonly KeptCheckpoint[];
}

const summary = objectWith<ExperimentSummary>("experiment");
const outcomes = { completed: z.number(), failed: z.number(), cancelled: z.number(), pruned: z.number() };

/** Schemas of the answers, by the kind of command. */
export const replySchemas = {
  submit: z.looseObject({ group: groupIdField }),
  run: z.looseObject({ experiment: groupIdField }),
  experiments: z.array(summary),
  /** `spec` is the checked spec, as JSON text or as data. */
  experiment: z.looseObject({ summary, spec: z.unknown() }),
  trials: z.array(objectWith<TrialSummary>("trial")),
  counts: z.looseObject({ submitted: z.number(), ...outcomes }),
  curve: z.looseObject({ points: z.array(objectWith<CurvePoint>("step")) }),
  files: z.looseObject({
    attempt: z.number().nullable(),
    files: z.array(objectWith<ArtifactFile>("name")),
    checkpoints: z.array(objectWith<KeptCheckpoint>("step")),
  }),
  workers: z.array(objectWith<WorkerLive>("id")),
  explain: z.looseObject({ task: z.string(), state: z.string(), explanation: z.string() }),
  /** How many tasks; of a whole experiment it says its state instead. */
  cancel: z.looseObject({ cancelled: z.number().optional() }),
  backup: z.looseObject({ bytes: z.number() }),
  anything: z.unknown(),
};

/** How many tasks there are of a group, and how many ended in each way. */
export type Counts = z.output<typeof replySchemas.counts>;
/** Why a task is where it is. */
export type Explanation = z.output<typeof replySchemas.explain>;
