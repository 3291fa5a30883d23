/**
 * Live values: what a page shows of the master as it is now.
 *
 * Promise: each value is complete by itself and replaces the one before it under the same topic and key, so that
 * whoever was too slow for one in between has missed nothing.
 * Not here: how they travel (protocol/client_envelopes.ts), who makes them (the cluster, the registrar, main.ts).
 *
 * The types repeat in plain words what the kernel and the protocol know: this room stands on nothing.
 *
 * @module
 */
import type { ExperimentSummary } from "./experiment.ts";

/** The topics of live values. */
export const LIVE_TOPICS = ["experiment", "worker", "tree", "status"] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** The key of the one value under `tree`: this process. */
export const TREE_KEY = "master";
/** The key of the one value under `status`. */
export const STATUS_KEY = "status";

/** What stands under each topic. The key of an experiment is its id, that of a worker its name. */
export interface LiveValues {
  readonly experiment: ExperimentSummary;
  readonly worker: WorkerLive;
  readonly tree: TreeLive;
  readonly status: StatusLive;
}

/** What a worker's machine is. */
export interface MachineFacts {
  readonly hostname: string;
  readonly os: string;
  readonly arch: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly pid: number;
  readonly runtime: string;
  readonly software: string;
}

/** A GPU as its worker sees it; what the driver does not tell is null. */
export interface GpuVitals {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly memoryBytes: number | null;
  readonly usedBytes: number | null;
  readonly utilizationPercent: number | null;
  readonly temperatureCelsius: number | null;
}

/** What a worker's machine does. */
export interface MachineVitals {
  readonly cpuPercent: number | null;
  readonly memoryUsedBytes: number | null;
  readonly rssBytes: number | null;
  readonly gpus: readonly GpuVitals[];
}

/** A GPU of a worker, as it is given out. */
export interface DeviceLive {
  readonly id: string;
  /** Empty where it is not known. */
  readonly name: string;
  readonly memoryBytes: number | null;
  /** What is given out of it: 1 is all. */
  readonly used: number;
  /** Why nothing is given out of it, where it is out of service. */
  readonly trouble: string | null;
}

/** A worker as the fleet shows it. */
export interface WorkerLive {
  readonly id: string;
  /** `doubtful`: silent or disconnected, its leases may be given to others; `gone`: it will not be waited for. */
  readonly state: "connected" | "doubtful" | "gone";
  readonly slots: number;
  readonly running: number;
  /** Attempts that it was given beyond its slots. */
  readonly queued: number;
  readonly facts: MachineFacts;
  /** Null until its first heartbeat. */
  readonly vitals: MachineVitals | null;
  readonly devices: readonly DeviceLive[];
  /** As `name=value`. */
  readonly labels: readonly string[];
  /** When it will go by itself, in milliseconds since 1970; null where nobody knows. */
  readonly leavesAtMs: number | null;
  readonly roundTripMs: number | null;
  /** How often the same incarnation came back. */
  readonly reattachments: number;
  /** Why it gets one attempt at a time, where it is on probation. */
  readonly probation: string | null;
}

/** An actor in the supervision tree. */
export interface TreeLive {
  readonly name: string;
  readonly path: string;
  readonly state: "running" | "stopping" | "ended";
  /** Messages that wait. */
  readonly mailbox: number;
  /** Messages handled in this life. */
  readonly handled: number;
  /** On the master's monotonic clock. */
  readonly startedAtMs: number;
  readonly children: readonly TreeLive[];
  /** What is supervised from here but lives elsewhere, such as connected workers. */
  readonly remote: readonly { readonly name: string; readonly state: string }[];
  /** What a supervisor says of this child: restarts, its last failure. */
  readonly notes: Readonly<Record<string, string | number>>;
}

/** The master in a few numbers. */
export interface StatusLive {
  readonly epoch: string;
  readonly commit: number;
  readonly queue: { readonly pending: number; readonly delayed: number; readonly running: number };
  /** Why the store is degraded, where it is. */
  readonly store: { readonly state: "ready" | "degraded"; readonly reason: string };
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
}
