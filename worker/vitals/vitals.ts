/**
 * How the machine and the worker are doing, sampled at an interval.
 *
 * Promise: never an error; what a system does not tell is null.
 * Not here: the devices, which have a pace of their own (../devices).
 *
 * @module
 */
import type { Gpu, WorkerVitals } from "../../shared/protocol/worker_envelopes.ts";
import { busyPercent, type CpuTicks, loadPercent, readCpuTicks } from "./cpu.ts";
import { readFacts } from "./machine.ts";

/** How often, and whom to tell. */
export interface VitalsOptions {
  readonly intervalMs?: number | undefined;
  /** What is known of the devices now. */
  readonly gpus?: (() => readonly Gpu[]) | undefined;
  /** Called from an empty stack with each sample. */
  readonly sampled?: ((vitals: WorkerVitals) => void) | undefined;
}

/** A sampler at work. */
export interface VitalsSampler {
  /** The newest sample. */
  latest(): WorkerVitals;
  /** Takes one out of turn. */
  sampleNow(): void;
  /** Ends it. */
  stop(): void;
}

/** As often as a heartbeat, which carries the newest sample. */
export const VITALS_INTERVAL_MS = 10_000;

/** Samples at once and then at each interval. */
export function startVitals(options: VitalsOptions = {}): VitalsSampler {
  const { cpus } = readFacts();
  let ticks: CpuTicks | undefined;
  let latest = sample();

  function sample(): WorkerVitals {
    const before = ticks;
    ticks = readCpuTicks();
    const cpuPercent = before === undefined || ticks === undefined
      ? loadPercent(cpus)
      : busyPercent(before, ticks);
    return { cpuPercent, ...readMemory(), gpus: [...options.gpus?.() ?? []] };
  }
  function sampleNow(): void {
    latest = sample();
    options.sampled?.(latest);
  }

  const first = setTimeout(sampleNow, 0);
  const timer = setInterval(sampleNow, options.intervalMs ?? VITALS_INTERVAL_MS);
  const stop = () => {
    clearTimeout(first);
    clearInterval(timer);
  };
  return { latest: () => latest, sampleNow, stop };
}

/** Without what can be taken back from caches. */
function readMemory(): Pick<WorkerVitals, "memoryUsedBytes" | "rssBytes"> {
  const { total, available } = Deno.systemMemoryInfo();
  return { memoryUsedBytes: total - available, rssBytes: Deno.memoryUsage().rss };
}
