/**
 * A rig for tests of the router of commands: a cluster, a registrar and a store that answer as a test has them.
 *
 * @module
 */
import type { ClusterMessage, CommandReply, Standing } from "../../../master/cluster/messages.ts";
import type { RegistrarMessage } from "../../../master/experiments/messages.ts";
import { commands } from "../../../master/gateway/commands.ts";
import type { FeedMessage, ToClientSession } from "../../../master/gateway/messages.ts";
import type { StoreMessage } from "../../../master/store/messages.ts";
import { commandId, taskId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { RETRY_DEFAULTS, type TaskTemplate } from "../../../shared/model/task.ts";
import type { CommandBody, Reply } from "../../../shared/protocol/client_envelopes.ts";
import { EPOCH, GROUP, World } from "./rig.ts";
import type { ClientRole } from "../../../master/gateway/roles.ts";

const template: TaskTemplate = {
  evaluator: { kind: "builtin", name: "noop" },
  resources: NO_RESOURCES,
  priority: 0,
  retry: RETRY_DEFAULTS,
  graceMs: 0,
  reassignAfterMs: 0,
};

/** One of each kind. */
export const EVERY_COMMAND: { readonly [K in CommandBody["kind"]]: Extract<CommandBody, { kind: K }> } = {
  submit: { kind: "submit", name: "n", template, payloads: [new Uint8Array(1)] },
  run: { kind: "run", spec: { name: "quick" } },
  cancel: { kind: "cancel", group: GROUP, number: 1 },
  pause: { kind: "pause", group: GROUP },
  resume: { kind: "resume", group: GROUP },
  stop: { kind: "stop", target: "w1", graceMs: 0 },
  backup: { kind: "backup", path: "/tmp/copy" },
  experiments: { kind: "experiments", offset: 0, limit: 10 },
  experiment: { kind: "experiment", experiment: "last" },
  trials: { kind: "trials", experiment: "quick-1", after: 0, limit: 10 },
  counts: { kind: "counts", group: GROUP },
  curve: { kind: "curve", task: taskId(GROUP, 1), after: 0, limit: 10 },
  files: { kind: "files", task: taskId(GROUP, 1), attempt: null, after: "", limit: 10 },
  workers: { kind: "workers" },
  explain: { kind: "explain", task: taskId(GROUP, 1) },
};

/** An experiment as the store knows it. */
export const summary = {
  experiment: GROUP,
  name: "quick",
  state: "running",
  reason: "",
  trials: { completed: 0, failed: 0, cancelled: 0, pruned: 0 },
  open: 0,
  attempts: 0,
  budgetTrials: 10,
  objectives: [],
  best: null,
  seconds: 1,
  createdAtMs: 0,
} as const;

interface Answers {
  readonly isStoreSilent?: boolean;
  readonly standing?: Standing;
  readonly explained?: CommandReply;
  readonly isSilent?: boolean;
  readonly isExperiment?: boolean;
  readonly isKnown?: boolean;
  readonly storeFails?: boolean;
  readonly commit?: number;
}

/** A router with a cluster, a registrar and a store that answer at once. */
export function rig(answers: Answers = {}) {
  const world = new World();
  const commit = answers.commit ?? 5;
  const stops: number[] = [];
  const cluster = world.listener<ClusterMessage>("cluster", (message) => {
    if (!answers.isSilent && "token" in message && "from" in message) {
      const explained = answers.explained ?? { ok: true, value: { by: "cluster" }, commit };
      const reply = message.type === "explain"
        ? explained
        : { ok: true, value: { by: "cluster" }, commit } as const;
      world.post(message.from, { type: "command_answered", token: message.token, reply });
    }
  });
  const registrar = world.listener<RegistrarMessage>("registrar", (message) => {
    if (!("from" in message)) return;
    if (message.type === "standing") {
      const value = answers.standing ?? { state: "running", reason: "" };
      const reply = { ok: true, value, commit: 0 } as const;
      return world.post(message.from, { type: "command_answered", token: message.token, reply });
    }
    const error = { code: "unknown_experiment", message: "", path: "", advice: "", retryAfterMs: null };
    const reply = answers.isExperiment === false
      ? { ok: false, error } as const
      : { ok: true, value: { by: "registrar" }, commit } as const;
    world.post(message.from, { type: "command_answered", token: message.token, reply });
  });
  const store = world.listener<StoreMessage>("store", (message) => {
    if (answers.isStoreSilent) return;
    const failed = { ok: false, error: { kind: "fault", message: "the disk is full" } } as const;
    if (message.type === "backup") {
      const result = answers.storeFails ? failed : { ok: true, value: { bytes: 7 } } as const;
      return world.post(message.from, { type: "backed_up", token: message.token, result });
    }
    if (message.type !== "query") return;
    const { from, token, kind } = message;
    if (answers.storeFails) {
      return world.post(from, { type: "answer", token, kind: "counts", result: failed });
    }
    switch (kind) {
      case "experiments":
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value: [summary] } });
      case "experiment": {
        const value = answers.isKnown === false ? null : { summary, spec: "{}" };
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value } });
      }
      case "trials":
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value: [] } });
      case "curve": {
        const value = { known: answers.isKnown !== false, lease: null, parts: [], reports: [] };
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value } });
      }
      case "files": {
        const value = { known: answers.isKnown !== false, lease: null, files: [], checkpoints: [] };
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value } });
      }
      case "counts": {
        const submitted = answers.isKnown === false ? 0 : 3;
        const value = { submitted, completed: 0, failed: 0, cancelled: 0, pruned: 0 };
        return world.post(from, { type: "answer", token, kind, result: { ok: true, value } });
      }
    }
  });
  const feed = world.listener<FeedMessage>("feed");
  const session = world.listener<ToClientSession>("session");
  const ref = world.spawn(
    "commands",
    commands({
      cluster: cluster.ref,
      registrar: registrar.ref,
      store: store.ref,
      feed: feed.ref,
      stopMaster: (graceMs) => stops.push(graceMs),
      inFlightMax: 3,
    }),
  );
  world.post(ref, { type: "known", epoch: EPOCH, commit: 4, trouble: "" });
  let sequence = 0;
  const command = (body: CommandBody, role: ClientRole = "admin") => {
    const id = commandId(`c${++sequence}`);
    world.post(ref, { type: "command", session: session.ref, role, id, command: body });
    world.settle();
    return id;
  };
  const replies = (): Reply[] =>
    session.messages.flatMap((message) =>
      message.type === "send" ? message.envelopes.flatMap((each) => each.type === "reply" ? [each] : []) : []
    );
  const trouble = (text: string) => {
    world.post(ref, { type: "known", epoch: EPOCH, commit: 4, trouble: text });
    world.settle();
  };
  return { world, cluster, registrar, store, feed, session, stops, command, replies, trouble };
}
