/**
 * What clients and the master say to each other.
 *
 * @module
 */
import { z } from "zod";
import { FILE_NAME_MAX } from "../model/artifact.ts";
import type { Change } from "../model/change.ts";
import {
  bytes,
  commandIdField,
  count,
  epochField,
  groupIdField,
  name,
  seen,
  span,
  taskIdField,
  taskTemplate,
  text,
} from "./fields.ts";
import {
  PAGE_ROWS_MAX,
  PAYLOAD_BYTES_MAX,
  SPEC_BYTES_MAX,
  SUBMIT_BYTES_MAX,
  SUBMIT_TASKS_MAX,
} from "./limits.ts";
import { isAtMost } from "./size.ts";
import { refused } from "./worker_envelopes.ts";

const payload: z.ZodType<Uint8Array> = z.instanceof(Uint8Array);
const payloads = z.array(payload).min(1).max(SUBMIT_TASKS_MAX).refine(
  (all) => all.every((each) => each.byteLength <= PAYLOAD_BYTES_MAX),
  { error: `a payload has over ${PAYLOAD_BYTES_MAX} bytes; larger ones travel as artifacts` },
).refine((all) => all.reduce((sum, each) => sum + each.byteLength, 0) <= SUBMIT_BYTES_MAX, {
  error: `the payloads have over ${SUBMIT_BYTES_MAX} bytes together; submit fewer at once`,
});

const group = groupIdField;
const page = { after: count, limit: z.int().min(1).max(PAGE_ROWS_MAX) };

/** Its content is checked by the master; here only that checking it cannot take long. */
const spec = z.unknown().refine((value) => isAtMost(value, SPEC_BYTES_MAX), {
  error: `a spec may have ${SPEC_BYTES_MAX} bytes: keep data out of it`,
});

/** What a client can ask for. Those that change something are stored with their effect. */
export const commandBody = z.discriminatedUnion("kind", [
  /** Plain tasks; with `group`, more tasks for a group that this client submitted before. */
  z.strictObject({ kind: z.literal("submit"), name, template: taskTemplate, payloads }),
  /** An experiment; the spec is checked again by the master. */
  z.strictObject({ kind: z.literal("run"), spec }),
  z.strictObject({ kind: z.literal("cancel"), group, number: z.int().min(1).nullable() }),
  z.strictObject({ kind: z.literal("pause"), group }),
  z.strictObject({ kind: z.literal("resume"), group }),
  z.strictObject({ kind: z.literal("stop"), target: z.string().max(80), graceMs: span }),
  z.strictObject({ kind: z.literal("backup"), path: z.string().min(1).max(4_096) }),
  z.strictObject({ kind: z.literal("experiments"), offset: count, limit: page.limit }),
  /** `last` is the newest. */
  z.strictObject({ kind: z.literal("experiment"), experiment: name }),
  z.strictObject({ kind: z.literal("trials"), experiment: name, ...page }),
  z.strictObject({ kind: z.literal("counts"), group }),
  /** What a trial measured, over all its attempts; `after` counts measurements. */
  z.strictObject({ kind: z.literal("curve"), task: taskIdField, ...page }),
  /** What an attempt kept, by name from `after`; null is the recorded attempt, else the latest that kept something. */
  z.strictObject({
    kind: z.literal("files"),
    task: taskIdField,
    attempt: z.int().min(1).nullable(),
    after: z.string().max(FILE_NAME_MAX),
    limit: page.limit,
  }),
  z.strictObject({ kind: z.literal("workers") }),
  z.strictObject({ kind: z.literal("explain"), task: taskIdField }),
]);

/** Asks for something; answered by one `reply`. */
export const command = z.strictObject({
  type: z.literal("command"),
  id: commandIdField,
  command: commandBody,
});

/** How far the output of an attempt is known: all bytes of each stream before these. */
const outputPlace = z.strictObject({
  epoch: epochField,
  attempt: z.int().min(1),
  stdout: count,
  stderr: count,
});

/** Whose output is asked for. */
const outputAsk = z.strictObject({
  task: taskIdField,
  /** Null: the one whose outcome was recorded, else the newest. */
  attempt: z.int().min(1).nullable(),
  /** What comes, too, also of later attempts, until the task has its outcome. */
  follow: z.boolean(),
  /** Where to go on after a break. */
  from: outputPlace.nullable(),
});

/** Opens a subscription; its id is the client's and names it in what follows. */
export const subscribe = z.strictObject({
  type: z.literal("subscribe"),
  id: name,
  /**
   * `live`: conflated, for pages. `log`: every change after a commit, never dropped. `output`: what evaluators printed for
   * a task, at the client's pace.
   */
  kind: z.enum(["live", "log", "output"]),
  /** For `log`: the last commit that the client knows; null begins with what comes now. */
  after: count.nullable(),
  seen: seen.nullable(),
  /** For `output`. */
  output: outputAsk.optional(),
}).refine((asked) => (asked.kind === "output") === (asked.output !== undefined), {
  path: ["output"],
  error: "output goes with the kind output",
});

/** Asks for the next share of a subscription of the kind `output`: the one before has been read. */
export const more = z.strictObject({ type: z.literal("more"), id: name });

/** Ends a subscription. */
export const unsubscribe = z.strictObject({ type: z.literal("unsubscribe"), id: name });

/** Everything that a client may say. */
export const fromClient = z.discriminatedUnion("type", [command, subscribe, more, unsubscribe, refused]);

/** Why a command was not carried out. */
const commandError = z.strictObject({
  code: text,
  message: text,
  path: text,
  advice: text,
  /** Where it makes sense to try again: after how long. */
  retryAfterMs: span.nullable(),
});

/** Answers a command. */
export const reply = z.discriminatedUnion("ok", [
  z.strictObject({
    type: z.literal("reply"),
    id: commandIdField,
    ok: z.literal(true),
    value: z.unknown(),
    epoch: text,
    commit: count,
  }),
  z.strictObject({
    type: z.literal("reply"),
    id: commandIdField,
    ok: z.literal(false),
    error: commandError,
    epoch: text,
    commit: count,
  }),
]);

/** An entry of a live subscription: the value of a key, or null where it is gone. */
const liveEntry = z.strictObject({
  topic: z.enum(["experiment", "worker", "tree", "status"]),
  key: text,
  value: z.unknown(),
});

/** The beginning of a subscription. */
export const snapshot = z.strictObject({
  type: z.literal("snapshot"),
  subscription: name,
  epoch: text,
  commit: count,
  entries: z.array(liveEntry),
});

/** What has changed. For `log`, `changes` are those of one commit or more, in order; for `live`, `entries`. */
export const change = z.strictObject({
  type: z.literal("change"),
  subscription: name,
  commit: count,
  changes: z.array(
    z.custom<Change>((value) => typeof value === "object" && value !== null && "kind" in value),
  ),
  entries: z.array(liveEntry),
  /** For `log`: how many of the last changes belong to a commit that goes on in the next envelope; absent for none. */
  begun: count.optional(),
});

/** A share of a subscription of the kind `output`; the next one comes after `more`. */
export const output = z.strictObject({
  type: z.literal("output"),
  subscription: name,
  /** Whose output these pieces are; null where there is none yet. */
  of: z.strictObject({ epoch: epochField, attempt: z.int().min(1), worker: text }).nullable(),
  pieces: z.array(z.strictObject({
    stream: z.enum(["stdout", "stderr"]),
    /** Bytes of the stream before it. What lies between a piece and the next was left out. */
    offset: count,
    data: bytes,
  })),
  /** All that is there so far has been told. */
  isAllSoFar: z.boolean(),
  /** Nothing more comes: the task's outcome, empty where it has none yet, or why there is nothing to tell. */
  end: z.strictObject({ outcome: text, error: commandError.nullable() }).nullable(),
});

/** Everything that the master may say to a client. */
export const toClient = z.union([reply, z.discriminatedUnion("type", [snapshot, change, output, refused])]);

export type CommandBody = z.output<typeof commandBody>;
export type Command = z.output<typeof command>;
export type CommandError = z.output<typeof commandError>;
export type Subscribe = z.output<typeof subscribe>;
export type OutputAsk = z.output<typeof outputAsk>;
export type OutputEnvelope = z.output<typeof output>;
export type Reply = z.output<typeof reply>;
export type Snapshot = z.output<typeof snapshot>;
export type ChangeEnvelope = z.output<typeof change>;
export type LiveEntry = z.output<typeof liveEntry>;
export type FromClient = z.output<typeof fromClient>;
export type ToClient = z.output<typeof toClient>;
