/**
 * One good envelope of each type and one good command of each kind, and who may say it.
 *
 * A new envelope or command without an entry here fails the tests of roles and the fuzzing.
 *
 * @module
 */
import { z } from "zod";
import type { Role } from "../../../master/gateway/roles.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { commandBody, fromClient, toClient } from "../../../shared/protocol/client_envelopes.ts";
import { fromWorker, toWorker } from "../../../shared/protocol/worker_envelopes.ts";
import { EPOCH, GROUP, heartbeatEnvelope, registerEnvelope } from "./rig.ts";

const lease = { epoch: EPOCH, task: `${GROUP}/1`, attempt: 1 };
const bytes = new Uint8Array([1, 2, 3]);
const text = { code: "c", message: "m", path: "p", advice: "a" };
const template = {
  evaluator: { kind: "builtin", name: "noop" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: { limit: 0, crashLimit: 0, backoffMs: 0, backoffMaxMs: 0 },
  graceMs: 0,
  reassignAfterMs: 0,
};

/** Who says an envelope to the master; `master` where only the master does. */
export type Speaker = "worker" | "client" | "master";

/** What is said, by whom. */
export interface Sample {
  readonly by: readonly Speaker[];
  readonly envelope: Readonly<Record<string, unknown>>;
}

/** Each type of envelope that any direction knows. */
export const ENVELOPES: Readonly<Record<string, Sample>> = {
  register: {
    by: ["worker"],
    envelope: {
      ...registerEnvelope(),
      devices: [{ id: "GPU-1", kind: "cuda", name: "Fake", memoryBytes: 1e9 }],
      labels: ["gpu=fake"],
      timeLeftMs: 1_000,
    },
  },
  heartbeat: {
    by: ["worker"],
    envelope: { ...heartbeatEnvelope(1), devicesOut: [{ id: "GPU-1", reason: "r" }] },
  },
  report: {
    by: ["worker"],
    envelope: {
      type: "report",
      ...lease,
      number: 1,
      step: 1,
      metrics: { loss: 0.5 },
      checkpoint: { sha256: "a".repeat(64), bytes: 1 },
      file: { name: "plots/loss.png", sha256: "b".repeat(64), bytes: 1 },
    },
  },
  log: { by: ["worker"], envelope: { type: "log", ...lease, stream: "stdout", offset: 0, data: bytes } },
  result: {
    by: ["worker"],
    envelope: { type: "result", ...lease, end: { state: "completed", metrics: { loss: 0.5 } }, elapsedMs: 1 },
  },
  stop: { by: ["worker"], envelope: { type: "stop", graceMs: 0, reason: "r" } },
  refused: { by: ["worker", "client"], envelope: { type: "refused", ...text } },
  welcome: {
    by: ["master"],
    envelope: { type: "welcome", epoch: EPOCH, commit: 0, heartbeatMs: 1_000, keep: [] },
  },
  assign: {
    by: ["master"],
    envelope: {
      type: "assign",
      ...lease,
      restore: { epoch: EPOCH, attempt: 1, step: 7, sha256: "a".repeat(64), bytes: 1 },
      template: bytes,
      payload: bytes,
      devices: ["GPU-1"],
    },
  },
  recall: { by: ["master"], envelope: { type: "recall", ...lease } },
  cancel: { by: ["master"], envelope: { type: "cancel", ...lease, graceMs: 0, reason: "cancelled" } },
  acknowledge: {
    by: ["master"],
    envelope: { type: "acknowledge", ...lease, verdict: "recorded", by: null, commit: 1 },
  },
  logged: { by: ["master"], envelope: { type: "logged", ...lease, stream: "stdout", offset: 1 } },
  taken: { by: ["master"], envelope: { type: "taken", ...lease, reports: 1, again: null, commit: 1 } },
  command: { by: ["client"], envelope: { type: "command", id: "c1", command: { kind: "workers" } } },
  subscribe: {
    by: ["client"],
    envelope: { type: "subscribe", id: "s1", kind: "live", after: null, seen: null },
  },
  more: { by: ["client"], envelope: { type: "more", id: "s1" } },
  unsubscribe: { by: ["client"], envelope: { type: "unsubscribe", id: "s1" } },
  reply: {
    by: ["master"],
    envelope: { type: "reply", id: "c1", ok: true, value: 1, epoch: EPOCH, commit: 1 },
  },
  snapshot: {
    by: ["master"],
    envelope: { type: "snapshot", subscription: "s1", epoch: EPOCH, commit: 1, entries: [] },
  },
  output: {
    by: ["master"],
    envelope: {
      type: "output",
      subscription: "s1",
      of: { epoch: EPOCH, attempt: 1, worker: "w1" },
      pieces: [{ stream: "stdout", offset: 0, data: bytes }],
      isAllSoFar: false,
      end: null,
    },
  },
  change: {
    by: ["master"],
    envelope: { type: "change", subscription: "s1", commit: 1, changes: [], entries: [] },
  },
};

/** Who may give each kind of command, and one of them. */
export const COMMANDS: Readonly<
  Record<string, { readonly may: readonly Role[]; readonly body: Readonly<Record<string, unknown>> }>
> = {
  submit: {
    may: ["submit", "admin"],
    body: { kind: "submit", name: "n", template, payloads: [new Uint8Array(1)] },
  },
  run: { may: ["submit", "admin"], body: { kind: "run", spec: { name: "quick" } } },
  cancel: { may: ["submit", "admin"], body: { kind: "cancel", group: GROUP, number: 1 } },
  pause: { may: ["submit", "admin"], body: { kind: "pause", group: GROUP } },
  resume: { may: ["submit", "admin"], body: { kind: "resume", group: GROUP } },
  stop: { may: ["admin"], body: { kind: "stop", target: "w1", graceMs: 0 } },
  backup: { may: ["admin"], body: { kind: "backup", path: "/tmp/copy" } },
  experiments: { may: ["view", "submit", "admin"], body: { kind: "experiments", offset: 0, limit: 10 } },
  experiment: { may: ["view", "submit", "admin"], body: { kind: "experiment", experiment: "last" } },
  trials: {
    may: ["view", "submit", "admin"],
    body: { kind: "trials", experiment: GROUP, after: 0, limit: 10 },
  },
  counts: { may: ["view", "submit", "admin"], body: { kind: "counts", group: GROUP } },
  curve: {
    may: ["view", "submit", "admin"],
    body: { kind: "curve", task: `${GROUP}/1`, after: 0, limit: 10 },
  },
  files: {
    may: ["view", "submit", "admin"],
    body: { kind: "files", task: `${GROUP}/1`, attempt: null, after: "", limit: 10 },
  },
  workers: { may: ["view", "submit", "admin"], body: { kind: "workers" } },
  explain: { may: ["view", "submit", "admin"], body: { kind: "explain", task: `${GROUP}/1` } },
};

/** The values that a union's discriminator can have. */
function valuesOf(schema: z.core.$ZodType, key: string): readonly string[] {
  const { def } = schema._zod;
  if (isUnion(def)) return def.options.flatMap((option) => valuesOf(option, key));
  if (!isObject(def)) return [];
  const field = def.shape[key]?._zod.def;
  return field !== undefined && isLiteral(field) ? field.values.map(String) : [];
}

function isUnion(def: z.core.$ZodTypeDef): def is z.core.$ZodUnionDef {
  return def.type === "union";
}

function isObject(def: z.core.$ZodTypeDef): def is z.core.$ZodObjectDef {
  return def.type === "object";
}

function isLiteral(def: z.core.$ZodTypeDef): def is z.core.$ZodLiteralDef<string> {
  return def.type === "literal";
}

/** All types of envelopes of the protocol. */
export const TYPES: ReadonlySet<string> = new Set(
  [fromWorker, toWorker, fromClient, toClient].flatMap((schema) => valuesOf(schema, "type")),
);
/** All kinds of commands of the protocol. */
export const KINDS: ReadonlySet<string> = new Set(valuesOf(commandBody, "kind"));
