/**
 * The spec: what a user writes to run an experiment.
 *
 * What each field means stands with it, once: editors and the reference in docs/spec.md say the same words.
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
}).meta({ title: "duration" });

/** A line is split into words here, so that everyone sees the same ones. */
const command = z.union([z.string(), commandWords]).transform((written, context) => {
  const split = typeof written === "string" ? splitWords(written) : { ok: true, words: written } as const;
  if (split.ok) return split.words;
  context.addIssue({ code: "custom", message: split.message });
  return z.NEVER;
}).pipe(commandWords);

const path = z.string().min(1).meta({
  title: "file",
  description: "The file, in the spec's folder, which travels to the workers.",
});

const evaluator = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("module").describe("A TypeScript module."), path, ...moduleFields }),
  z.strictObject({
    kind: z.literal("command").describe("Any program."),
    command: command.describe("The program and its arguments, with values as `{name}`."),
    ...commandFields,
  }),
  z.strictObject({ kind: z.literal("python").describe("A Python function."), path, ...pythonFields }),
  z.strictObject({
    kind: z.literal("builtin").describe("What each worker has."),
    name: z.enum(["noop", "sleep", "heuristic"]).describe("Which one."),
  }),
], {
  error: (issue) =>
    issue.code === "invalid_union" ? "expected one of the kinds module, command, python, builtin" : undefined,
});

const objective = z.strictObject({
  metric: z.string().min(1).describe("The metric's name, as the evaluator returns it."),
  direction: z.enum(["maximize", "minimize"]).default("maximize").describe("Which way is better."),
});

const budget = z.strictObject({
  trials: z.int().min(1).max(100_000_000).optional().describe("Outcomes, cancelled ones not counted."),
  generations: z.int().min(1).optional().describe(
    "So many times the population, in outcomes (of 50 where the optimizer has none).",
  ),
  time: duration.optional().describe("From the experiment's start. Trials that run then are finished."),
  target: z.number().optional().describe(
    "Ends the search once the first objective is as good as this; what runs is cancelled.",
  ),
}).refine((value) => Object.values(value).some((part) => part !== undefined), {
  error: "expected at least one of trials, generations, time, target: a search needs an end",
});

/** A default as one would write it, which editors can show. */
function durationOr(defaultMs: number) {
  return duration.prefault(defaultMs / 1_000);
}

const retry = z.strictObject({
  limit: z.int().min(0).max(1_000).default(RETRY_DEFAULTS.limit).describe(
    "How often a trial is tried again, counted by cause: its evaluator failed, its deadline passed, its worker was lost.",
  ),
  crashLimit: z.int().min(0).max(1_000).default(RETRY_DEFAULTS.crashLimit).describe(
    "How often a worker may have died with it before the trial counts as the reason.",
  ),
  backoff: durationOr(RETRY_DEFAULTS.backoffMs).describe(
    "The wait before the first further attempt; doubled for each one after, with jitter.",
  ),
  backoffMax: durationOr(RETRY_DEFAULTS.backoffMaxMs).describe("The longest wait."),
});

/** Checks a spec and fills in the defaults. */
export const specSchema = z.strictObject({
  name: name.describe(
    "What its runs are called after: `digits` becomes `digits-1`, `digits-2`. 1 to 80 letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
  ),
  space: spaceSchema.describe("All candidates."),
  optimizer: optimizerSchema.prefault({ kind: "random" }).describe("Who chooses the next candidate."),
  // Where none is named: a heuristic on the architecture's cost, which measures nothing.
  evaluator: evaluator.prefault({ kind: "builtin", name: "heuristic" }).describe(
    "The code that turns a candidate into metrics.",
  ),
  objectives: z.array(objective).min(1).max(16).prefault([{ metric: "score" }]).describe(
    "What is sought. The search follows the first; the others are kept with each trial.",
  ),
  budget: budget.describe("When it ends: whichever part is reached first. At least one must be there."),
  retry: retry.prefault({}).describe("What becomes of attempts that fail."),
  deadline: duration.optional().describe("How long one attempt may run, on its worker's clock."),
  grace: durationOr(GRACE_DEFAULT_MS).describe("How long a cancelled attempt has before it is killed."),
  reassignAfter: durationOr(0).describe(
    "How long a trial stays with a worker that is silent before another gets it; longer than 0 where evaluators write to shared places.",
  ),
  resources: resources.prefault({}).describe("What an attempt takes of its worker beside a slot."),
  priority: z.int().min(-1_000_000).max(1_000_000).default(0).describe("The highest goes first."),
  maxConcurrent: z.int().min(1).max(1_000_000).optional().describe(
    "So many trials may be open at once; as many as there are slots, unless told.",
  ),
  minWorkers: z.int().min(0).max(100_000).default(0).describe(
    "The search begins when so many workers are connected.",
  ),
  maxFailures: z.int().min(0).default(MAX_FAILURES_DEFAULT).describe(
    "So many failures in a row with one message and no success pause the experiment; 0 never does.",
  ),
  minTime: duration.optional().describe(
    "Trials are given only to workers that have at least so long left.",
  ),
  code: z.enum(["pack", "local"]).default("pack").describe(
    "`pack`: the spec's folder travels to the workers. `local`: it lies at the same path on all of them.",
  ),
  codeArtifact: artifactRef.optional().describe("The packed folder. The command line fills it in."),
  files: filePatterns.optional().describe(
    "Patterns of files in a trial's folder that are kept when it ends, such as `*.png`.",
  ),
  checkpoints: checkpointPolicy.prefault({}).describe("What is kept of a trial's checkpoints."),
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
