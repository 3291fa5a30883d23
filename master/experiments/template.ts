/**
 * From a spec to what its trials share as tasks.
 *
 * @module
 */
import type { TaskTemplate } from "../../shared/model/task.ts";
import type { Spec } from "../../shared/protocol/spec.ts";

/** The template of an experiment's trials. */
export function templateOf(spec: Spec): TaskTemplate {
  return {
    evaluator: spec.evaluator,
    resources: spec.resources,
    priority: spec.priority,
    retry: {
      limit: spec.retry.limit,
      crashLimit: spec.retry.crashLimit,
      backoffMs: spec.retry.backoff,
      backoffMaxMs: spec.retry.backoffMax,
    },
    ...(spec.deadline === undefined ? {} : { deadlineMs: spec.deadline }),
    graceMs: spec.grace,
    reassignAfterMs: spec.reassignAfter,
    checkpoints: spec.checkpoints,
    ...(spec.codeArtifact === undefined ? {} : { code: spec.codeArtifact }),
    ...(spec.files === undefined ? {} : { files: spec.files }),
    ...(spec.minTime === undefined ? {} : { minTimeMs: spec.minTime }),
  };
}
