/**
 * What can be said about plain tasks when they are submitted.
 *
 * @module
 */
import type { ArtifactRef, CheckpointPolicy } from "../shared/model/artifact.ts";
import { NO_RESOURCES, type Resources } from "../shared/model/resources.ts";
import {
  type Evaluator,
  GRACE_DEFAULT_MS,
  RETRY_DEFAULTS,
  type RetryPolicy,
  type TaskTemplate,
} from "../shared/model/task.ts";
import type { TaskOutcome } from "./batch_listener.ts";

/** Plain tasks to submit. Give either `inputs` or `payloads`. */
export interface SubmitOptions {
  /** Letters, digits, dots, dashes and underscores; the groups are named after it. */
  readonly name: string;
  readonly evaluator: Evaluator;
  /** Each is one task's candidate: plain data. May be a generator: it is read as the master takes them. */
  readonly inputs?: Iterable<unknown>;
  /** The same, encoded already: msgpack of `{ candidate, architecture?, seed? }`. */
  readonly payloads?: Iterable<Uint8Array>;
  readonly resources?: Partial<Resources>;
  /** Higher goes first. */
  readonly priority?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** How long each may run. */
  readonly deadlineMs?: number;
  /** How long a cancelled task has before it is killed. */
  readonly graceMs?: number;
  /** How long a task stays with a worker that is silent before another gets it. */
  readonly reassignAfterMs?: number;
  /** The evaluator's folder, packed and kept at the master; see `TaskTemplate`. */
  readonly code?: ArtifactRef;
  /** Patterns of files in an attempt's folder that are kept when it ends. */
  readonly files?: readonly string[];
  /** How many checkpoints of a task are kept. */
  readonly checkpoints?: CheckpointPolicy;
  /** Given only to workers that have at least so long left. */
  readonly minTimeMs?: number;
  /** Is told outcomes as they come, many at once; they are not kept for the handle's iterators then. */
  readonly onOutcomes?: (outcomes: readonly TaskOutcome[]) => void;
}

/** What all tasks of a submission share. */
export function templateOf(options: SubmitOptions): TaskTemplate {
  const { evaluator, resources, priority = 0, retry, deadlineMs, graceMs = GRACE_DEFAULT_MS } = options;
  const { code, files, checkpoints, minTimeMs } = options;
  return {
    evaluator,
    resources: { ...NO_RESOURCES, ...resources },
    priority,
    retry: { ...RETRY_DEFAULTS, ...retry },
    deadlineMs,
    graceMs,
    reassignAfterMs: options.reassignAfterMs ?? 0,
    code,
    files,
    checkpoints,
    minTimeMs,
  };
}
