/**
 * The spec: what a user writes to run an experiment.
 *
 * @module
 */
import { z } from "zod";
import { optimizerSchema } from "../model/optimizer_options.ts";
import { partsOf, splitWords } from "../model/command.ts";
import { type Evaluator, GRACE_DEFAULT_MS, RETRY_DEFAULTS } from "../model/task.ts";
import { noValueAt } from "../space/parameter_at.ts";
import { type Space, spaceSchema } from "../space/space.ts";
import {
  artifactRef,
  checkpointPolicy,
  commandFields,
  commandWords,
  filePatterns,
  moduleFields,
  name,
  pythonFields,
  resources,
} from "./fields.ts";
import { parseDuration } from "./duration.ts";

/** Failures in a row with one message and no success that pause an experiment. */
export const MAX_FAILURES_DEFAULT = 5;

/** A span: a number of seconds, or text such as `1h 30m`. Checked into milliseconds. */
export const duration = z.union([z.number().min(0), z.string()]).transform((value, context) => {
  const ms = typeof value === "number" ? value * 1_000 : parseDuration(value);
  if (ms !== undefined) return ms;
  context.addIssue({
    code: "custom",
    message: 'expected seconds, or a duration such as "1h 30m", "90s" or "500ms"',
  });
  return z.NEVER;
});

/** A line is split into words here, so that everyone sees the same ones. */
const command = z.union([z.string(), commandWords]).transform((written, context) => {
  const split = typeof written === "string" ? splitWords(written) : { ok: true, words: written } as const;
  if (split.ok) return split.words;
  context.addIssue({ code: "custom", message: split.message });
  return z.NEVER;
}).pipe(commandWords);

const evaluator = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("module"), path: z.string().min(1), ...moduleFields }),
  z.strictObject({ kind: z.literal("command"), command, ...commandFields }),
  z.strictObject({ kind: z.literal("python"), path: z.string().min(1), ...pythonFields }),
  z.strictObject({ kind: z.literal("builtin"), name: z.enum(["noop", "sleep", "heuristic"]) }),
], {
  error: (issue) =>
    issue.code === "invalid_union" ? "expected one of the kinds module, command, python, builtin" : undefined,
});

const objective = z.strictObject({
  metric: z.string().min(1),
  direction: z.enum(["maximize", "minimize"]).default("maximize"),
});

const budget = z.strictObject({
  /** Outcomes, cancelled ones not counted. */
  trials: z.int().min(1).max(100_000_000).optional(),
  /** Rounds of the optimizer's population. */
  generations: z.int().min(1).optional(),
  /** From the experiment's start. Trials that run then are finished. */
  time: duration.optional(),
  /** Ends the search once the first objective is as good as this. */
  target: z.number().optional(),
}).refine((value) => Object.values(value).some((part) => part !== undefined), {
  error: "expected at least one of trials, generations, time, target: a search needs an end",
});

const retry = z.strictObject({
  limit: z.int().min(0).max(1_000).default(RETRY_DEFAULTS.limit),
  crashLimit: z.int().min(0).max(1_000).default(RETRY_DEFAULTS.crashLimit),
  backoff: duration.default(RETRY_DEFAULTS.backoffMs),
  backoffMax: duration.default(RETRY_DEFAULTS.backoffMaxMs),
});

/** Checks a spec and fills in the defaults. */
export const specSchema = z.strictObject({
  name,
  space: spaceSchema,
  optimizer: optimizerSchema.prefault({ kind: "random" }),
  /** Where none is named: a heuristic on the architecture's cost, which measures nothing. */
  evaluator: evaluator.prefault({ kind: "builtin", name: "heuristic" }),
  objectives: z.array(objective).min(1).max(16).prefault([{ metric: "score" }]),
  budget,
  retry: retry.prefault({}),
  /** How long one trial may run. */
  deadline: duration.optional(),
  /** How long a cancelled trial has before it is killed. */
  grace: duration.default(GRACE_DEFAULT_MS),
  /** How long a trial stays with a worker that is silent before another gets it. */
  reassignAfter: duration.default(0),
  resources: resources.prefault({}),
  /** Trials are given only to workers that have at least so long left. */
  minTime: duration.optional(),
  /** `pack`: the spec's folder travels to the workers. `local`: it lies at the same path on all of them. */
  code: z.enum(["pack", "local"]).default("pack"),
  /** The folder, once it is packed: the command line fills it in. */
  codeArtifact: artifactRef.optional(),
  /** Files in a trial's folder that are kept when it ends, such as `*.png`. */
  files: filePatterns.optional(),
  /** How many checkpoints of a trial are kept. */
  checkpoints: checkpointPolicy.prefault({}),
  priority: z.int().min(-1_000_000).max(1_000_000).default(0),
  /** So many trials may be open at once; as many as there are slots, unless told. */
  maxConcurrent: z.int().min(1).max(1_000_000).optional(),
  /** The search begins when so many workers are connected. */
  minWorkers: z.int().min(0).max(100_000).default(0),
  /** Failures in a row with one message and no success that pause the experiment; 0 never pauses. */
  maxFailures: z.int().min(0).default(MAX_FAILURES_DEFAULT),
}).superRefine((spec, context) => {
  for (const message of wrongValues(spec.evaluator, spec.space)) {
    context.addIssue({ code: "custom", path: ["evaluator", "command"], message });
  }
  const isHeuristic = spec.evaluator.kind === "builtin" && spec.evaluator.name === "heuristic";
  if (!isHeuristic || spec.space.kind === "cnn") return;
  const message = "the heuristic looks at an architecture, and this space has none: name an evaluator";
  context.addIssue({ code: "custom", path: ["evaluator"], message });
});

/** A spec as a user writes it. */
export type SpecInput = z.input<typeof specSchema>;
/** A checked spec. Durations are in milliseconds. */
export type Spec = z.output<typeof specSchema>;

/** What is wrong with the values in a command: braces that belong to none, names that the space does not have. */
function wrongValues(evaluator: Evaluator, space: Space): readonly string[] {
  if (evaluator.kind !== "command") return [];
  return evaluator.command.flatMap((word) => {
    const parsed = partsOf(word);
    if (!parsed.ok) return [parsed.message];
    return parsed.parts.map((part) => typeof part === "string" ? undefined : noValueAt(space, part.path))
      .filter((message) => message !== undefined);
  });
}
