/**
 * How the machine and the worker are doing, sampled at an interval.
 *
 * Promise: never an error and never more than one sample at work; what a system does not tell is null.
 *
 * @module
 */
import type { WorkerVitals } from "../../shared/protocol/worker_envelopes.ts";
import { busyPercent, type CpuTicks, loadPercent, readCpuTicks } from "./cpu.ts";
import { readFacts } from "./machine.ts";
import { NvidiaSmi } from "./nvidia_smi.ts";

/** How often, and whom to tell. */
export interface VitalsOptions {
  readonly intervalMs?: number | undefined;
  readonly gpus?: NvidiaSmi | undefined;
  /** Called from an empty stack with each sample. */
  readonly sampled?: ((vitals: WorkerVitals) => void) | undefined;
}

/** A sampler at work. */
export interface VitalsSampler {
  /** The newest sample; undefined before the first. */
  latest(): WorkerVitals | undefined;
  /** Ends it; resolves when nothing of it is at work. */
  stop(): Promise<void>;
}

/** As often as a heartbeat, which carries the newest sample. */
export const VITALS_INTERVAL_MS = 10_000;

/** Samples at once and then at each interval. */
export function startVitals(options: VitalsOptions = {}): VitalsSampler {
  const gpus = options.gpus ?? new NvidiaSmi();
  const { cpus } = readFacts();
  let ticks: CpuTicks | undefined;
  let latest: WorkerVitals | undefined;
  let atWork: Promise<void> | undefined;
  const stopped = new AbortController();

  const sample = async () => {
    const before = ticks;
    ticks = readCpuTicks();
    const cpuPercent = before === undefined || ticks === undefined
      ? loadPercent(cpus)
      : busyPercent(before, ticks);
    const vitals = { cpuPercent, ...readMemory(), gpus: await gpus.read(stopped.signal) };
    if (stopped.signal.aborted) return;
    latest = vitals;
    options.sampled?.(vitals);
  };
  const begin = () => {
    // A tool that is slow to answer makes samples rarer, not more.
    atWork ??= sample().finally(() => atWork = undefined);
  };
  const timer = setInterval(begin, options.intervalMs ?? VITALS_INTERVAL_MS);
  begin();
  return {
    latest: () => latest,
    async stop() {
      stopped.abort();
      clearInterval(timer);
      await atWork;
    },
  };
}

/** Without what can be taken back from caches. */
function readMemory(): Pick<WorkerVitals, "memoryUsedBytes" | "rssBytes"> {
  const { total, available } = Deno.systemMemoryInfo();
  return { memoryUsedBytes: total - available, rssBytes: Deno.memoryUsage().rss };
}
