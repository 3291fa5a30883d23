/**
 * What the worker's tree is given: its view of the world.
 *
 * Promise: everything outside is behind these few calls, none of which waits, so that the simulator can run a whole
 * worker on virtual time.
 *
 * @module
 */
import type { Device, DeviceTrouble } from "../shared/model/devices.ts";
import type { Incarnation, WorkerId } from "../shared/model/ids.ts";
import type { Resources } from "../shared/model/resources.ts";
import type { Lease } from "../shared/model/task.ts";
import type { Seen } from "../shared/protocol/highest_seen.ts";
import type { SocketEvent } from "../shared/protocol/socket_port.ts";
import type { Report, Result, WorkerFacts, WorkerVitals } from "../shared/protocol/worker_envelopes.ts";
import type { Executor } from "./executors/executor.ts";

/** Opens connections. */
export interface Dialer {
  /** Connects with the protocol's subprotocol; one `closed` event ends what is told, also where nothing was opened. */
  dial(url: string, token: string, events: (event: SocketEvent) => void): void;
}

/** A result on the disk, with the reports before it that the master had not taken. */
export interface JournaledResult {
  readonly result: Result;
  readonly reports: readonly Report[];
}

/** Results on the worker's disk, so that its own crash spares a rerun. */
export interface Journal {
  /** What was appended and not settled, by this process or an earlier one. */
  waiting(): readonly JournaledResult[];
  append(result: Result, reports: readonly Report[]): void;
  /** The master has taken care of this one. */
  settle(lease: Lease): void;
}

/** Remembers over the end of the process what masters told. May forget. */
export interface SeenMemory {
  /** Null where nothing is remembered. */
  read(): Seen | null;
  note(seen: Seen): void;
}

/** Where samples of the machine come from. */
export interface VitalsSource {
  /** Calls with a sample now and then, and the devices that are out of service then. The answer ends it. */
  start(sample: (vitals: WorkerVitals, devicesOut?: readonly DeviceTrouble[]) => void): () => void;
}

/** The world, as a worker sees it. */
export interface WorkerPorts {
  readonly dialer: Dialer;
  readonly executors: readonly Pick<Executor, "kind" | "start">[];
  readonly journal: Journal;
  readonly seen: SeenMemory;
  /** Keeps a result that the master's store does not know, for a person to look at; settles it in the journal then. */
  setAside(result: Result): void;
  readonly vitals: VitalsSource;
  /** The worker has ended for good, and why; the tree ends in the same turn. */
  exit(code: number, message: string): void;
}

/** Who the worker is and what it offers. */
export interface WorkerOptions {
  /** URLs of masters, tried in turn. At least one. */
  readonly masters: readonly string[];
  readonly token: string;
  readonly worker: WorkerId;
  /** Unlike that of any other process. */
  readonly incarnation: Incarnation;
  readonly slots: number;
  /** What attempts with needs are given from. */
  readonly pool: Resources;
  /** The pool's GPUs by name; without it they are called 0, 1 and so on. */
  readonly devices?: readonly Device[] | undefined;
  /** What it is labelled with, as `name=value`. */
  readonly labels?: readonly string[] | undefined;
  /**
   * Where its time is limited: until when, by the run loop's clock, attempts may run, and how long before that no more are
   * begun.
   */
  readonly limit?: { readonly workUntilMs: number; readonly graceMs: number } | undefined;
  /** It leaves once it was connected and nothing ran for so long. */
  readonly idleTimeoutMs?: number | undefined;
  readonly facts: WorkerFacts;
}
