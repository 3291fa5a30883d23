/**
 * What the cluster shows: workers and its own state, for pages and questions.
 *
 * @module
 */
import { STATUS_KEY, type StatusLive, type WorkerLive } from "../../shared/model/live.ts";
import type { LiveEntry } from "../../shared/protocol/client_envelopes.ts";
import type { ClusterCore } from "./core.ts";
import type { ClusterMessage } from "./messages.ts";
import { storeTrouble } from "./store_trouble.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** How often what has changed is published. */
const PUBLISH_EVERY_MS = 250;

/** Publishes what has changed since the last time. */
export class Publisher {
  readonly #core: ClusterCore;
  readonly #startedAtMs: number;
  #last = new Map<string, string>();
  #lastAtMs = -Infinity;

  constructor(core: ClusterCore) {
    this.#core = core;
    this.#startedAtMs = core.context.wallClock();
  }

  /** A new feed knows nothing. */
  reset(): void {
    this.#last = new Map();
    this.#lastAtMs = -Infinity;
  }

  publish(): void {
    const feed = this.#core.feed;
    const nowMs = this.#core.context.now();
    if (feed === undefined || nowMs - this.#lastAtMs < PUBLISH_EVERY_MS) return;
    this.#lastAtMs = nowMs;
    const entries: LiveEntry[] = [];
    const present = new Map<string, string>();
    this.#add(entries, present, {
      topic: "status",
      key: STATUS_KEY,
      value: statusOf(this.#core, this.#startedAtMs),
    });
    for (const worker of this.#core.workers.values()) {
      if (worker.facts !== undefined) {
        this.#add(entries, present, { topic: "worker", key: worker.id, value: workerLive(worker) });
      }
    }
    for (const key of this.#last.keys()) {
      if (!present.has(key)) entries.push({ topic: "worker", key: key.slice("worker/".length), value: null });
    }
    this.#last = present;
    if (entries.length > 0) this.#core.context.send(feed, { type: "live", entries });
  }

  #add(entries: LiveEntry[], present: Map<string, string>, entry: LiveEntry): void {
    const key = `${entry.topic}/${entry.key}`;
    const text = JSON.stringify(entry.value);
    present.set(key, text);
    if (this.#last.get(key) !== text) entries.push(entry);
  }
}

function statusOf(core: ClusterCore, startedAtMs: number): StatusLive {
  let delayed = 0;
  let running = 0;
  for (const worker of core.workers.values()) running += worker.attempts.size;
  for (const group of core.groups.values()) {
    // Delayed tasks are few; groups of many tasks are waiting or running.
    if (group.open.size < 1_000) {
      for (const task of group.open.values()) if (task.state === "delayed") delayed += 1;
    }
  }
  return {
    epoch: core.epoch ?? "",
    commit: core.commit,
    queue: { pending: core.queue.size, delayed, running },
    store: storeOf(core),
    startedAtMs,
  };
}

function storeOf(core: ClusterCore): StatusLive["store"] {
  if (core.lost !== undefined) return { state: "degraded", reason: core.lost };
  if (core.storeState.state === "degraded") return core.storeState;
  const reason = storeTrouble(core);
  return reason === "" ? core.storeState : { state: "degraded", reason };
}

/** A worker as pages and `workers` show it. */
export function workerLive(worker: WorkerRecord): WorkerLive {
  return {
    id: worker.id,
    state: worker.session === undefined && worker.attempts.size === 0
      ? "gone"
      : worker.doubtful
      ? "doubtful"
      : "connected",
    slots: worker.slots,
    running: worker.running,
    queued: worker.queued,
    facts: worker.facts ?? NO_FACTS,
    vitals: worker.vitals ?? null,
    devices: worker.devices.live(),
    labels: [...worker.labels],
    leavesAtMs: worker.leavesAtWallMs,
    roundTripMs: worker.roundTripMs,
    reattachments: Math.max(0, worker.registrations - 1),
    probation: worker.probation?.reason ?? null,
  };
}

/** A worker that is known only from the store. */
const NO_FACTS = {
  hostname: "",
  os: "",
  arch: "",
  cpus: 0,
  memoryBytes: 0,
  pid: 0,
  runtime: "",
  software: "",
};

/** Answers `list_workers`. */
export function listWorkers(
  core: ClusterCore,
  message: Extract<ClusterMessage, { type: "list_workers" }>,
): void {
  const value = [...core.workers.values()].map((worker) => workerLive(worker));
  core.context.send(message.from, {
    type: "command_answered",
    token: message.token,
    reply: { ok: true, value, commit: core.commit },
  });
}
