/**
 * The worker's supervision tree.
 *
 * ```
 * worker            rest_for_one: what stands below depends on what stands above
 * ├─ outbox         results until they are acknowledged
 * ├─ slots          attempt:<lease>, each by itself and never restarted: a lease is executed once
 * ├─ link           the connection to a master
 * ├─ logs           what evaluators print, on its way to the master
 * └─ vitals         samples of the machine
 * ```
 *
 * The link stands low, so that its crash costs a reattachment and neither results nor running attempts.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Notes, Ref, Start } from "../shared/actor/actor.ts";
import {
  type ChildSpec,
  childSpec,
  supervisor,
  type SupervisorMessage,
  type TypedChildSpec,
} from "../shared/actor/supervisor.ts";
import { HighestSeen } from "../shared/protocol/highest_seen.ts";
import type { DeviceTrouble } from "../shared/model/devices.ts";
import type { Result, WorkerVitals } from "../shared/protocol/worker_envelopes.ts";
import { link } from "./link.ts";
import { logs } from "./logs.ts";
import type { LogsMessage } from "./logs_messages.ts";
import type { LinkMessage, SlotsMessage, StopWorker, WorkerMessage } from "./messages.ts";
import { outbox } from "./outbox.ts";
import { slots } from "./slots.ts";
import type { VitalsSource, WorkerOptions, WorkerPorts } from "./tree_ports.ts";

/** What the root of a worker's tree understands. */
export type WorkerRootMessage = WorkerMessage | SupervisorMessage;

/** More restarts than these are no accident: the process ends, and whoever runs it starts it again. */
export const WORKER_INTENSITY = { restarts: 5, windowMs: 60_000 };
/** How long a child that crashed waits for its restart. */
const BACKOFF = { minMs: 50, maxMs: 2_000 };
/** How long each child may take to stop; none of them waits for anything. */
const SHUTDOWN_MS = 1_000;

/**
 * A whole worker.
 *
 * @param ports its view of the world
 * @param options who it is and what it offers
 * @returns the root of its tree: it ends after `ports.exit`, or crashes where its parts crash again and again
 */
export function workerTree(ports: WorkerPorts, options: WorkerOptions): Start<WorkerRootMessage> {
  return (context) => new Root(context, ports, options, (root) => children(ports, options, root));
}

function children(ports: WorkerPorts, options: WorkerOptions, root: Root): readonly ChildSpec[] {
  const seen = new HighestSeen(ports.seen.read(), (each) => ports.seen.note(each));
  const { journal, executors, dialer } = ports;
  const setAside = (result: Result) => ports.setAside(result);
  return [
    child("outbox", () => outbox({ journal, setAside, root: root.ref })),
    child("slots", (siblings) => {
      const workUntilMs = options.limit?.workUntilMs;
      return slots({ ...options, workUntilMs, executors, outbox: siblings.get("outbox") });
    }),
    child("link", (siblings) => (context) => {
      root.linkStarted(context.self);
      return link({
        dialer,
        seen,
        worker: options,
        executors: executors.map((executor) => executor.kind),
        slots: siblings.get("slots"),
        outbox: siblings.get("outbox"),
        root: root.ref,
      })(context);
    }),
    child<LogsMessage>("logs", (siblings) => (context) => {
      const started = { type: "logs_started", logs: context.self } as const;
      context.send(siblings.get<SlotsMessage>("slots"), started);
      context.send(siblings.get<LinkMessage>("link"), started);
      return logs()(context);
    }),
    child("vitals", (siblings) => vitals(ports.vitals, siblings.get("link"), siblings.get("slots"))),
  ];
}

function child<M>(name: string, start: TypedChildSpec<M>["start"]): ChildSpec {
  return childSpec({ name, restart: "permanent", shutdownMs: SHUTDOWN_MS, start });
}

interface Sample {
  readonly vitals: WorkerVitals;
  readonly devicesOut: readonly DeviceTrouble[];
}

function vitals(source: VitalsSource, link: Ref<LinkMessage>, slots: Ref<SlotsMessage>): Start<Sample> {
  return (context) => {
    const told = (vitals: WorkerVitals, devicesOut: readonly DeviceTrouble[] = []) =>
      context.send(context.self, { vitals, devicesOut });
    context.atEnd(source.start(told));
    return {
      receive({ vitals, devicesOut }) {
        // The slots first: nothing that comes from the master afterwards finds them unaware.
        context.send(slots, { type: "devices_out", out: devicesOut });
        context.send(link, { type: "vitals", vitals, devicesOut });
      },
    };
  };
}

/** A supervisor that also knows how a worker ends. */
class Root implements Actor<WorkerRootMessage> {
  readonly ref: Ref<WorkerMessage>;
  readonly #context: Context<WorkerRootMessage>;
  readonly #ports: WorkerPorts;
  readonly #supervisor: Actor<SupervisorMessage>;
  #link: Ref<LinkMessage> | undefined;
  #stop: StopWorker | undefined;

  constructor(
    context: Context<WorkerRootMessage>,
    ports: WorkerPorts,
    { limit }: WorkerOptions,
    children: (root: Root) => readonly ChildSpec[],
  ) {
    this.ref = context.self;
    this.#context = context;
    this.#ports = ports;
    this.#supervisor = supervisor({
      strategy: "rest_for_one",
      intensity: WORKER_INTENSITY,
      backoff: BACKOFF,
      children: children(this),
    })(context);
    if (limit !== undefined) {
      const leftMs = Math.max(0, limit.workUntilMs - context.now());
      const graceMs = Math.min(limit.graceMs, leftMs);
      context.after(leftMs - graceMs, { type: "stop", graceMs, reason: "its time limit is near" });
    }
  }

  receive(message: WorkerRootMessage): void {
    switch (message.type) {
      case "stop":
        return this.#stopAsked(message);
      case "drained":
        return this.#leave(0, leavingWords(message.unacknowledged));
      case "leave":
        return this.#leave(message.code, message.message);
      default:
        return this.#supervisor.receive(message);
    }
  }

  exited(actor: Ref<never>, reason: ExitReason): void {
    this.#supervisor.exited?.(actor, reason);
  }

  stopping(deadlineMs: number): "now" | "later" {
    return this.#supervisor.stopping?.(deadlineMs) ?? "now";
  }

  notes(): Notes {
    return this.#supervisor.notes?.() ?? {};
  }

  /** A link that began after the worker was told to stop is told too. */
  linkStarted(link: Ref<LinkMessage>): void {
    this.#link = link;
    if (this.#stop !== undefined) this.#context.send(link, this.#stop);
  }

  #stopAsked(stop: StopWorker): void {
    if (this.#stop === undefined) this.#context.log("info", `leaving: ${stop.reason}`);
    this.#stop = stop;
    if (this.#link !== undefined) this.#context.send(this.#link, stop);
  }

  #leave(code: number, message: string): void {
    this.#ports.exit(code, message);
    this.#context.exit();
  }
}

function leavingWords(unacknowledged: number): string {
  return unacknowledged === 0
    ? "stopped: everything has been handed over"
    : `stopped: ${unacknowledged} results could not be handed over`;
}
