/**
 * The fields that envelopes are made of.
 *
 * Brands are given here: this is the codec's edge, where text from outside is checked against its grammar.
 *
 * @module
 */
import { z } from "zod";
import { CHECKPOINTS_DEFAULT, FILE_NAME_MAX, isFileName, SHA256_PATTERN } from "../model/artifact.ts";
import { DEVICES_MAX } from "../model/devices.ts";
import type { Metrics } from "../model/outcome.ts";
import {
  type CommandId,
  type Epoch,
  EPOCH_PATTERN,
  type GroupId,
  type Incarnation,
  NAME_PATTERN,
  TASK_ID_PATTERN,
  type TaskId,
  type WorkerId,
} from "../model/ids.ts";
import { COMMAND_RESULTS } from "../model/task.ts";
import {
  LABELS_MAX,
  METRIC_NAME_MAX,
  METRICS_MAX,
  PAYLOAD_BYTES_MAX,
  STACK_LENGTH_MAX,
  TEXT_LENGTH_MAX,
} from "./limits.ts";

function branded<B extends string>(pattern: RegExp, message: string): z.ZodType<B> {
  return z.string().regex(pattern, message) as unknown as z.ZodType<B>;
}

const NAME_ADVICE =
  "expected 1 to 80 letters, digits, dots, dashes or underscores, beginning with a letter or digit";

/** A name: of an experiment, a submission, a subscription. */
export const name = z.string().regex(NAME_PATTERN, NAME_ADVICE).meta({ title: "name" });
/** A group's id. */
export const groupIdField = branded<GroupId>(NAME_PATTERN, NAME_ADVICE);
/** A worker's name. */
export const workerIdField = branded<WorkerId>(NAME_PATTERN, NAME_ADVICE);
/** One life of a worker. */
export const incarnationField = branded<Incarnation>(NAME_PATTERN, NAME_ADVICE);
/** A command's id. */
export const commandIdField = branded<CommandId>(NAME_PATTERN, NAME_ADVICE);
/** A task's id. */
export const taskIdField = branded<TaskId>(TASK_ID_PATTERN, "expected <group>/<number>");
/** An epoch. */
export const epochField: z.ZodType<Epoch> = z.custom<Epoch>(isEpoch, {
  error: "expected <store id>.<number>.<mark>",
});

// Nearly every envelope carries the same epoch: its text is held against the pattern once.
let lastEpoch = "";

function isEpoch(value: unknown): boolean {
  if (value === lastEpoch && lastEpoch !== "") return true;
  if (typeof value !== "string" || !EPOCH_PATTERN.test(value)) return false;
  lastEpoch = value;
  return true;
}

/** A lease's three parts, to be spread into an envelope. */
export const lease = { epoch: epochField, task: taskIdField, attempt: z.int().min(1) };

/** A span in milliseconds: at most a year. */
export const span = z.number().min(0).max(366 * 86_400_000);
/** A whole number that counts something. */
export const count = z.int().min(0);
/** Text for people. */
export const text = z.string().max(TEXT_LENGTH_MAX);
/** Opaque bytes. */
export const bytes: z.ZodType<Uint8Array> = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.byteLength <= PAYLOAD_BYTES_MAX,
  { error: `expected at most ${PAYLOAD_BYTES_MAX} bytes; larger ones travel as artifacts` },
);

/**
 * A list whose check ends at the first element that does not fit. The schema library's own list gathers all that is wrong
 * with all of them: a hundred thousand wrong leases of a hundred kilobytes would take seconds and hundreds of megabytes.
 */
export function listOf<T>(element: z.ZodType<T>, max: number): z.ZodType<T[]> {
  return z.array(z.unknown()).max(max).transform((list, context) => {
    const fitting: T[] = [];
    for (const [index, each] of list.entries()) {
      const checked = element.safeParse(each);
      if (!checked.success) {
        const issue = checked.error.issues[0];
        context.addIssue({
          code: "custom",
          message: issue?.message ?? "does not fit",
          path: [index, ...issue?.path ?? []],
        });
        return z.NEVER;
      }
      fitting.push(checked.data);
    }
    return fitting;
  });
}

/** Measured values: finite numbers by name. One loop: a record's schema takes ten times as long, for every result. */
export const metrics: z.ZodType<Metrics> = z.custom<Metrics>(areMetrics, {
  error: `expected at most ${METRICS_MAX} finite numbers, their names of 1 to ${METRIC_NAME_MAX} characters`,
});

function areMetrics(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    return false;
  }
  let count = 0;
  for (const [key, number] of Object.entries(value)) {
    count += 1;
    if (count > METRICS_MAX || key.length === 0 || key.length > METRIC_NAME_MAX) return false;
    if (typeof number !== "number" || !Number.isFinite(number)) return false;
  }
  return true;
}

/** A label of a worker: `name=value`. */
export const label = z.string().regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}=[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/,
  "expected name=value, of letters, digits, dots, dashes and underscores, such as gpu=a100",
);

/** Labels of a worker, or those that a task asks for. */
export const labels: z.ZodType<readonly string[], readonly string[]> = z.array(label).max(LABELS_MAX);

/** What a worker has in all. */
export const pool = z.strictObject({
  cpus: z.number().min(0).max(100_000).default(0),
  memoryBytes: z.number().min(0).max(2 ** 53).default(0),
  gpus: z.number().min(0).max(DEVICES_MAX).default(0),
});

/** What a task needs. */
export const resources = z.strictObject({
  cpus: z.number().min(0).max(100_000).default(0).describe("Cores; parts of one are allowed."),
  memoryBytes: z.number().min(0).max(2 ** 53).default(0).describe(
    "Memory: counted, and the limit of its processes where the machine can set one.",
  ),
  gpus: z.number().min(0).max(DEVICES_MAX).refine((gpus) => gpus < 1 || Number.isInteger(gpus), {
    error: "expected a whole number of GPUs, or a share of one below 1, such as 0.5",
  }).default(0).describe("Devices of its own, or below 1 a share of one."),
  gpuMemoryBytes: z.number().min(0).max(2 ** 53).optional().describe("On each of those devices."),
  labels: labels.optional().describe("What the worker must be labelled with, such as `gpu=a100`."),
}).refine((need) => need.gpus > 0 || (need.gpuMemoryBytes ?? 0) === 0, {
  path: ["gpuMemoryBytes"],
  error: "memory of a GPU needs a GPU: say how many, or which share of one, with gpus",
});

/** Bytes by their hash. */
export const artifactFields = {
  sha256: z.string().regex(SHA256_PATTERN, "expected a SHA-256 hash, of 64 hexadecimal digits")
    .describe("Its hash."),
  bytes: z.int().min(0).max(2 ** 50).describe("Its size."),
};
/** Bytes by their hash. */
export const artifactRef = z.strictObject(artifactFields);

/** A file's name below a folder. */
export const fileName = z.string().refine(isFileName, {
  error: `expected a relative path of at most ${FILE_NAME_MAX} characters that does not leave its folder`,
});

/** A device of a worker, by the name that it is given out by. */
export const deviceId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9./:_-]{0,99}$/, "expected a device's name");

/** Devices of one worker. */
export const deviceIds: z.ZodType<readonly string[], readonly string[]> = z.array(deviceId).max(DEVICES_MAX);

/** The patterns of files that are kept. */
export const filePatterns: z.ZodType<readonly string[], readonly string[]> = z.array(
  z.string().min(1).max(FILE_NAME_MAX),
).max(100);

/** How many checkpoints are kept. */
export const checkpointPolicy = z.strictObject({
  keep: z.int().min(1).max(100).default(CHECKPOINTS_DEFAULT.keep).describe(
    "The highest ones of a trial that has no outcome yet.",
  ),
  keepEnded: z.boolean().default(CHECKPOINTS_DEFAULT.keepEnded).describe(
    "Whether the highest stays once the trial has its outcome.",
  ),
});

const permissionList: z.ZodType<readonly string[], readonly string[]> = z.array(
  z.string().min(1).max(1_024).refine((entry) => !entry.includes(","), {
    error: "a permission's entry cannot have a comma",
  }),
).max(256);
/** What a module has beside its file. */
export const moduleFields = {
  permissions: z.strictObject({
    read: permissionList.optional().describe("Folders and files that it may read."),
    write: permissionList.optional().describe("Folders and files that it may write."),
    net: permissionList.optional().describe("Hosts that it may speak to, as `host` or `host:port`."),
    env: permissionList.optional().describe("Variables that it may see."),
    sys: permissionList.optional().describe(
      "Facts about the machine that it may ask for, as Deno names them.",
    ),
  }).optional().describe(
    "What it asks for beyond reading its own folder; granted where the worker allows it.",
  ),
};

/** How an attempt ended, in the words of its worker. */
export const attemptEnd = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("completed"), metrics }),
  z.strictObject({
    state: z.literal("failed"),
    cause: z.enum(["evaluator", "deadline"]),
    message: text,
    stack: z.string().max(STACK_LENGTH_MAX).optional(),
    final: z.boolean(),
  }),
  z.strictObject({ state: z.literal("cancelled") }),
  z.strictObject({ state: z.literal("pruned"), metrics }),
  z.strictObject({ state: z.literal("returned") }),
]);

/** The highest commit that a peer was ever told, and of which epoch. */
export const seen = z.strictObject({ epoch: epochField, commit: count });

/** `NAME` or `NAME=value`. The worker's own words to a program are not a spec's to say, nor are its tokens to be had. */
const environmentEntry = z.string().max(32_768).regex(
  /^(?!ESPALIER_)[A-Za-z_][A-Za-z0-9_]*(=[^\0]*)?$/,
  "expected NAME, to pass on the worker's variable, or NAME=value; names that begin with ESPALIER_ are taken",
);

const environment: z.ZodType<readonly string[], readonly string[]> = z.array(environmentEntry).max(256)
  .describe("Further variables: `NAME` passes on the worker's, `NAME=value` sets.");
/** What a command has beside its words. */
export const commandFields = {
  folder: z.string().min(1).max(4_096).optional().meta({
    title: "folder",
    description: "Where it runs: the spec's folder, or one in it.",
  }),
  env: environment.optional(),
  result: z.enum(COMMAND_RESULTS).optional().describe(
    "Where its metrics are; unless told, in `result.json` where that exists, else in its last report.",
  ),
};

/** The words of a command. */
export const commandWords: z.ZodType<readonly string[], readonly string[]> = z.array(z.string().max(32_768))
  .min(1).max(1_000);

/** What a Python evaluator has beside its file. */
export const pythonFields = {
  interpreter: z.string().min(1).max(4_096).optional().describe(
    "A name in PATH, or a path, from the file's folder on; unless told, `python3`.",
  ),
  processTrials: z.int().min(1).max(1_000_000_000).optional().describe(
    "After so many attempts its process is replaced by a new one.",
  ),
  env: environment.optional(),
};

/** What all tasks of a group share. */
export const taskTemplate = z.strictObject({
  evaluator: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("builtin"), name: z.enum(["noop", "sleep", "heuristic"]) }),
    z.strictObject({ kind: z.literal("module"), path: z.string().min(1).max(4_096), ...moduleFields }),
    z.strictObject({
      kind: z.literal("command"),
      command: commandWords,
      ...commandFields,
      array: z.boolean().optional(),
    }),
    z.strictObject({ kind: z.literal("python"), path: z.string().min(1).max(4_096), ...pythonFields }),
  ]),
  resources,
  priority: z.int().min(-1_000_000).max(1_000_000),
  retry: z.strictObject({
    limit: z.int().min(0).max(1_000),
    crashLimit: z.int().min(0).max(1_000),
    backoffMs: span,
    backoffMaxMs: span,
  }),
  deadlineMs: span.min(1).optional(),
  graceMs: span,
  reassignAfterMs: span,
  code: artifactRef.optional(),
  files: filePatterns.optional(),
  checkpoints: checkpointPolicy.optional(),
  minTimeMs: span.optional(),
});
