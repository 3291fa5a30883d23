/**
 * What workers and the master say to each other.
 *
 * @module
 */
import { z } from "zod";
import { DEVICE_KINDS, DEVICES_MAX } from "../model/devices.ts";
import {
  artifactFields,
  artifactRef,
  attemptEnd,
  bytes,
  count,
  deviceId,
  deviceIds,
  epochField,
  fileName,
  incarnationField,
  labels,
  lease,
  listOf,
  metrics,
  pool,
  seen,
  span,
  text,
  workerIdField,
} from "./fields.ts";
import { LOG_BYTES_MAX, REGISTER_LEASES_MAX, SLOTS_MAX } from "./limits.ts";

/** A device's name as drivers give it: 256 of them must fit a frame beside the rest. */
const deviceText = z.string().max(200);
/** A fact about a machine: the master keeps those of every worker, and shows them several times a second. */
const factText = z.string().max(256);

/** A GPU as its worker sees it; what the driver does not tell is null. */
const gpu = z.strictObject({
  index: count,
  uuid: deviceText,
  name: deviceText,
  memoryBytes: z.number().nullable(),
  usedBytes: z.number().nullable(),
  utilizationPercent: z.number().nullable(),
  temperatureCelsius: z.number().nullable(),
});

/** A GPU as it is handed out. */
const device = z.strictObject({
  id: deviceId,
  kind: z.enum(DEVICE_KINDS),
  name: deviceText,
  memoryBytes: z.number().nullable(),
});

/** What the worker's machine is. */
const facts = z.strictObject({
  hostname: factText,
  os: factText,
  arch: factText,
  cpus: count,
  memoryBytes: z.number(),
  pid: count,
  runtime: factText,
  software: factText,
});

/** What the worker's machine does. */
const vitals = z.strictObject({
  cpuPercent: z.number().nullable(),
  memoryUsedBytes: z.number().nullable(),
  rssBytes: z.number().nullable(),
  gpus: z.array(gpu).max(256),
});

/** A lease that a worker still has when it registers. */
const heldLease = z.strictObject({
  ...lease,
  /** `queued`: prefetched, not begun. `finished`: its result follows in the same turn. */
  state: z.enum(["running", "queued", "finished"]),
  elapsedMs: span,
  /** The step of its furthest checkpoint: one that it saved at the master, or goes on from. */
  checkpoint: count.optional(),
  /** The devices that it was given. */
  devices: deviceIds.optional(),
});

/** The one path for a first connection, a reattachment and a restarted master. */
export const register = z.strictObject({
  type: z.literal("register"),
  version: z.strictObject({ major: count, minor: count }),
  worker: workerIdField,
  incarnation: incarnationField,
  slots: z.int().min(1).max(SLOTS_MAX),
  pool,
  /** The pool's GPUs by name; without it they are called 0, 1 and so on. */
  devices: z.array(device).max(DEVICES_MAX).optional(),
  labels: labels.optional(),
  /** How long it will still be there; null where nobody knows. */
  timeLeftMs: span.nullable().optional(),
  /** Kinds of evaluators that it can run. */
  executors: z.array(factText).max(64),
  facts,
  seen: seen.nullable(),
  leases: listOf(heldLease, REGISTER_LEASES_MAX),
});

/** Worker to master: I am there. The master's echo gives the round trip. */
export const workerHeartbeat = z.strictObject({
  type: z.literal("heartbeat"),
  sequence: count,
  /** The round trip of the last echo. */
  roundTripMs: span.nullable(),
  running: count,
  queued: count,
  vitals,
  /** Devices that are out of service now; all others are in it. */
  devicesOut: z.array(z.strictObject({ id: deviceId, reason: factText })).max(DEVICES_MAX).optional(),
});

/** A measurement of an attempt. Sent again at each reattachment until it is taken. */
export const report = z.strictObject({
  type: z.literal("report"),
  ...lease,
  /** 1 for the first of the attempt; the others follow without gap. */
  number: z.int().min(1),
  step: count,
  /** Empty where it tells of a checkpoint or a file. */
  metrics,
  /** Durable at the master: a checkpoint that was taken after this step. */
  checkpoint: artifactRef.optional(),
  /** Durable at the master: a file of the attempt. A later one of the same name replaces it. */
  file: z.strictObject({ name: fileName, ...artifactFields }).optional(),
});

/**
 * Output of an evaluator, as it comes. What is lost in a break is said again; where an evaluator prints faster than it can be
 * sent, some is left out, and the offset says how much.
 */
export const log = z.strictObject({
  type: z.literal("log"),
  ...lease,
  stream: z.enum(["stdout", "stderr"]),
  /** Bytes of this stream before `data`, sent or not. */
  offset: count,
  data: bytes.refine((data) => data.byteLength <= LOG_BYTES_MAX, { error: `at most ${LOG_BYTES_MAX} bytes` }),
  /** Nothing more comes of this attempt, neither of this stream nor of the other. */
  last: z.boolean().optional(),
});

/** An attempt has ended. Sent again at each reattachment until it is acknowledged. */
export const result = z.strictObject({
  type: z.literal("result"),
  ...lease,
  end: attemptEnd,
  /** From the evaluator's start, by the worker's monotonic clock; 0 where it was never started. */
  elapsedMs: span,
});

/** Whoever says it is leaving: the worker hands back what it cannot finish within the grace period. */
export const stop = z.strictObject({ type: z.literal("stop"), graceMs: span, reason: text });

/** Answers `register`. */
export const welcome = z.strictObject({
  type: z.literal("welcome"),
  epoch: epochField,
  commit: count,
  heartbeatMs: span,
  /** One for each lease in `register`, in the same order; of finished ones the verdict follows in `acknowledge`. */
  keep: z.array(z.boolean()).max(REGISTER_LEASES_MAX),
});

/** Master to worker: I heard you. */
export const masterHeartbeat = z.strictObject({
  type: z.literal("heartbeat"),
  sequence: count,
  commit: count,
});

/** Run this. */
export const assign = z.strictObject({
  type: z.literal("assign"),
  ...lease,
  /** msgpack of a `TaskTemplate`: the same bytes for all tasks of a group. */
  template: bytes,
  /** msgpack of a `TaskInput`. */
  payload: bytes,
  /** The devices that are this attempt's, where it needs some. */
  devices: deviceIds.optional(),
  /** The checkpoint that it goes on from. */
  restore: z.strictObject({
    epoch: epochField,
    attempt: z.int().min(1),
    step: count,
    ...artifactFields,
  }).optional(),
});

/** Hand back what has not been begun; what has goes on. */
export const recall = z.strictObject({ type: z.literal("recall"), ...lease });

/** End this attempt. */
export const cancel = z.strictObject({
  type: z.literal("cancel"),
  ...lease,
  graceMs: span,
  reason: z.enum(["cancelled", "duplicate", "pruned", "deadline"]),
});

/** Answers a `result`, after the commit that the verdict rests on. */
export const acknowledge = z.strictObject({
  type: z.literal("acknowledge"),
  ...lease,
  verdict: z.enum(["recorded", "superseded", "unknown"]),
  /** The attempt whose result was recorded before. */
  by: z.int().nullable(),
  commit: count,
});

/** Answers reports: all of the attempt up to a number are durable, or count nowhere. One for a lease and turn. */
export const taken = z.strictObject({
  type: z.literal("taken"),
  ...lease,
  /** The number of the last one; 0 where nothing more can be said of them. */
  reports: count,
  /**
   * Where some were not taken in: from this number on they are to be said once more (0: all that are not taken), and the
   * result after them. Of an attempt whose report of that number is gone no more reports are said.
   */
  again: count.nullable(),
  commit: count,
});

/** Answers `log`: up to this offset of a stream all is taken; so much more may be sent. */
export const logged = z.strictObject({
  type: z.literal("logged"),
  ...lease,
  stream: z.enum(["stdout", "stderr"]),
  offset: count,
});

/** What the peer said is refused; the session is closed after it. */
export const refused = z.strictObject({
  type: z.literal("refused"),
  code: text,
  message: text,
  /** Where in the envelope, such as `leases[3].task`. */
  path: text,
  advice: text,
});

/** Everything that a worker may say. */
export const fromWorker = z.discriminatedUnion("type", [
  register,
  workerHeartbeat,
  report,
  log,
  result,
  stop,
  refused,
]);
/** Everything that the master may say to a worker. */
export const toWorker = z.discriminatedUnion("type", [
  welcome,
  masterHeartbeat,
  assign,
  recall,
  cancel,
  acknowledge,
  taken,
  logged,
  stop,
  refused,
]);

export type Register = z.output<typeof register>;
export type HeldLease = z.output<typeof heldLease>;
export type WorkerFacts = z.output<typeof facts>;
export type WorkerVitals = z.output<typeof vitals>;
export type Gpu = z.output<typeof gpu>;
export type Report = z.output<typeof report>;
export type Result = z.output<typeof result>;
export type Assign = z.output<typeof assign>;
export type Cancel = z.output<typeof cancel>;
export type Welcome = z.output<typeof welcome>;
export type Acknowledge = z.output<typeof acknowledge>;
export type Log = z.output<typeof log>;
export type Logged = z.output<typeof logged>;
export type Taken = z.output<typeof taken>;
export type Refused = z.output<typeof refused>;
export type FromWorker = z.output<typeof fromWorker>;
export type ToWorker = z.output<typeof toWorker>;
