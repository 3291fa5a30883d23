/**
 * What a task requires of a worker, one requirement at a time, and in words.
 *
 * Not here: which of them are not met by whom (shortfall.ts).
 *
 * @module
 */
import { formatDuration } from "../../shared/protocol/duration.ts";
import type { Resources } from "../../shared/model/resources.ts";
import type { Needs } from "../scheduling/queue.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Labels of one name that are told of a worker: mostly it has one. */
const LABELS_NAMED_MAX = 3;

/** One thing that a worker may lack. */
export interface Requirement {
  /** Such as `4 gpus`, `1 cpu`, `the label gpu=a100`. */
  readonly words: string;
  isMet(worker: WorkerRecord): boolean;
  /** What a worker has of it, after `has`: `2 gpus`, `16 GiB of memory`. */
  has(worker: WorkerRecord): string;
  /** The same where nothing else is spoken of, such as `2`. */
  hasAlone(worker: WorkerRecord): string;
}

/** Everything that tasks of these needs require beside an executor. @param nowMs on the cluster's monotonic clock */
export function requirementsOf({ resources, minTimeMs }: Needs, nowMs: number): readonly Requirement[] {
  const all: Requirement[] = [];
  if (resources.gpus > 0) all.push(gpuRequirement(resources));
  if (resources.memoryBytes > 0) {
    const has = ({ pool }: WorkerRecord) => `${formatBytes(pool.memoryBytes)} of memory`;
    all.push({
      words: `${formatBytes(resources.memoryBytes)} of memory`,
      isMet: ({ pool }) => resources.memoryBytes <= pool.memoryBytes,
      has,
      hasAlone: has,
    });
  }
  if (resources.cpus > 0) {
    all.push({
      words: counted(resources.cpus, "cpu"),
      isMet: ({ pool }) => resources.cpus <= pool.cpus + 1e-9,
      has: ({ pool }) => counted(pool.cpus, "cpu"),
      hasAlone: ({ pool }) => String(pool.cpus),
    });
  }
  for (const label of resources.labels ?? []) all.push(labelRequirement(label));
  if (minTimeMs > 0) {
    const has = ({ leavesAtMs }: WorkerRecord) => `${formatDuration(Math.max(0, leavesAtMs - nowMs))} left`;
    all.push({
      words: `${formatDuration(minTimeMs)} of a worker's time`,
      isMet: ({ leavesAtMs }) => leavesAtMs - nowMs >= minTimeMs,
      has,
      hasAlone: has,
    });
  }
  return all;
}

/** What is needed of GPUs, in words: `4 gpus`, `0.5 of a gpu with 16 GiB of its memory`. */
export function gpuWords({ gpus, gpuMemoryBytes = 0 }: Resources): string {
  const amount = gpus < 1 ? `${gpus} of a gpu` : counted(gpus, "gpu");
  if (gpuMemoryBytes === 0) return amount;
  const memory = formatBytes(gpuMemoryBytes);
  if (gpus < 1) return `${amount} with ${memory} of its memory`;
  return gpus === 1 ? `${amount} with ${memory}` : `${amount} with ${memory} each`;
}

function gpuRequirement(resources: Resources): Requirement {
  const isOfMemory = (resources.gpuMemoryBytes ?? 0) > 0;
  return {
    words: gpuWords(resources),
    isMet: ({ devices: { books } }) => books.canInService(resources),
    has: (worker) => isOfMemory ? gpusBySize(worker, resources) : counted(inService(worker), "gpu"),
    hasAlone: (worker) => isOfMemory ? gpusBySize(worker, resources) : String(inService(worker)),
  };
}

function inService({ devices: { books } }: WorkerRecord): number {
  return books.suitedInService({ gpus: 1 });
}

/** Such as `1 of that size`, `gpus of at most 16 GiB`. */
function gpusBySize(worker: WorkerRecord, resources: Resources): string {
  const { devices } = worker;
  if (inService(worker) === 0) return "0 gpus";
  const suited = devices.books.suitedInService(resources);
  if (suited > 0) return `${suited} of that size`;
  const largest = Math.max(0, ...devices.live().map(({ memoryBytes }) => memoryBytes ?? 0));
  return largest === 0 ? "gpus of unknown memory" : `gpus of at most ${formatBytes(largest)}`;
}

function labelRequirement(label: string): Requirement {
  const name = label.slice(0, label.indexOf("=") + 1);
  const has = ({ labels }: WorkerRecord) => {
    const same = [...labels].filter((each) => each.startsWith(name));
    const others = same.length - LABELS_NAMED_MAX;
    if (same.length === 0) return `no label ${name.slice(0, -1)}`;
    return same.slice(0, LABELS_NAMED_MAX).join(" and ") + (others > 0 ? ` and ${others} more` : "");
  };
  return { words: `the label ${label}`, isMet: ({ labels }) => labels.has(label), has, hasAlone: has };
}

function counted(value: number, noun: string): string {
  return `${value} ${value === 1 ? noun : `${noun}s`}`;
}

function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024;
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
