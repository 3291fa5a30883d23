/**
 * Which results wait in a worker's data folder, and which were set aside there.
 *
 * Promise: only reads; a running worker is not disturbed, and what it writes meanwhile may be in the answer or not.
 *
 * @module
 */
import { join } from "node:path";
import { leaseKey } from "../../shared/model/task.ts";
import type { Result } from "../../shared/protocol/worker_envelopes.ts";
import { readEntries } from "../journal_entry.ts";

/** A result that no master has acknowledged. */
export interface WaitingResult {
  readonly task: string;
  readonly attempt: number;
  readonly epoch: string;
  readonly state: string;
  readonly elapsedMs: number;
}

/** What a worker's folder holds. */
export interface WorkerReport {
  readonly folder: string;
  /** The worker's name. */
  readonly worker: string;
  readonly waiting: readonly WaitingResult[];
  /** Bytes at the end of the journal that a crash left half written: the next start cuts them off. */
  readonly tornBytes: number;
  /** Files of results that a master's store did not know. */
  readonly setAside: readonly string[];
}

const NAME_FILE = "worker-id";
const JOURNAL_FILE = "results.journal";
const SET_ASIDE = "set-aside";

/** Looks into a worker's folder. @returns undefined where it is none */
export function readWorkerFolder(folder: string): WorkerReport | undefined {
  const name = orAbsent(() => Deno.readTextFileSync(join(folder, NAME_FILE)));
  if (name === undefined) return undefined;
  const file = orAbsent(() => Deno.readFileSync(join(folder, JOURNAL_FILE))) ?? new Uint8Array();
  const { entries, bytes } = readEntries(file);
  const unsettled = new Map<string, Result>();
  for (const entry of entries) {
    if (entry.type === "result") unsettled.set(leaseKey(entry.result), entry.result);
    else unsettled.delete(entry.key);
  }
  const waiting = [...unsettled.values()].map(({ task, attempt, epoch, end, elapsedMs }) => {
    return { task, attempt, epoch, state: end.state, elapsedMs };
  });
  const setAside = orAbsent(() => [...Deno.readDirSync(join(folder, SET_ASIDE))].map((each) => each.name)) ??
    [];
  return {
    folder,
    worker: name.trim(),
    waiting,
    tornBytes: file.length - bytes,
    setAside: setAside.toSorted(),
  };
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (isAbsent) return undefined;
    throw error;
  }
}
