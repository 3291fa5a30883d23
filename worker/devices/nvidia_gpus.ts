/**
 * The NVIDIA devices of this machine, found once and watched from then on.
 *
 * Promise: on a machine without the tool nothing is asked after the first time. Asking costs less than 1 % of a core,
 * whatever the driver: the slower it answers, the more seldom it is asked.
 *
 * @module
 */
import type { DeviceTrouble } from "../../shared/model/devices.ts";
import type { Gpu } from "../../shared/protocol/worker_envelopes.ts";
import { DeviceHealth } from "./health.ts";
import { NvidiaSmi, type Table } from "./nvidia_smi.ts";
import type { SeenGpu } from "./nvidia_table.ts";
import { type FoundDevice, foundDevices } from "./offered.ts";

/** As often as a heartbeat. */
export const ASK_INTERVAL_MS = 10_000;
/** The time between two questions is at least so many times that of the last answer: no more than 1 % of a core. */
const REST_TIMES = 100;
/** The same after a tool that hung: it waits rather than computes, and whether it is well again should be known soon. */
const HUNG_REST_TIMES = 2;

/** What is known of the devices now. */
export interface GpuState {
  readonly gpus: readonly Gpu[];
  readonly out: readonly DeviceTrouble[];
}

/** What a test may want otherwise. */
export interface NvidiaOptions {
  readonly program?: string | undefined;
  readonly intervalMs?: number | undefined;
  readonly answerWithinMs?: number | undefined;
  readonly restTimes?: number | undefined;
}

/** Asks for devices, again and again. */
export class NvidiaGpus {
  readonly #smi: NvidiaSmi;
  readonly #intervalMs: number;
  readonly #restTimes: number;
  readonly #stopped = new AbortController();
  #offered: readonly FoundDevice[] = [];
  #health: DeviceHealth | undefined;
  #gpus: readonly Gpu[] = [];
  #asking: Promise<void> = Promise.resolve();

  constructor(options: NvidiaOptions = {}) {
    this.#smi = new NvidiaSmi(options.program, options.answerWithinMs);
    this.#intervalMs = options.intervalMs ?? ASK_INTERVAL_MS;
    this.#restTimes = options.restTimes ?? REST_TIMES;
  }

  /**
   * The devices of the machine; a sentence where the tool is there and does not say; undefined where there is no tool. Never
   * rejects.
   */
  async find(): Promise<readonly FoundDevice[] | string | undefined> {
    const { signal } = this.#stopped;
    const table = await this.#smi.table([], signal);
    if (table.type === "absent") return undefined;
    if (table.type === "silent") return table.why;
    const listed = await this.#smi.list(signal) ?? [];
    const sliced = await this.#smi.inMigMode(signal);
    return foundDevices(table.seen, listed)
      .filter(({ id, uuid }) => id !== uuid || !sliced.has(uuid));
  }

  /** These are watched from now on, and asked for. @param changed told when one has gone out of service or come back */
  watch(offered: readonly FoundDevice[], changed: () => void): void {
    this.#offered = offered;
    this.#health = new DeviceHealth(offered, performance.now());
    if (offered.length > 0) this.#asking = this.#askAgain(this.#health, changed);
  }

  /** What is known now. */
  state(): GpuState {
    return { gpus: this.#gpus, out: this.#health?.out() ?? [] };
  }

  /** Asks no more; resolves when nothing of it is at work. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#asking;
  }

  async #askAgain(health: DeviceHealth, changed: () => void): Promise<void> {
    const { signal } = this.#stopped;
    const areSlices = this.#offered.some(({ id, uuid }) => id !== uuid);
    while (!signal.aborted) {
      this.#smi.tookMs = 0;
      this.#smi.hasHung = false;
      const table = await this.#smi.table(this.#offered, signal);
      const listed = areSlices && table.type === "seen" ? await this.#smi.list(signal) : undefined;
      if (signal.aborted) return;
      const before = JSON.stringify(health.out());
      const slices = listed?.flatMap((gpu) => gpu.slices.map(({ id }) => id));
      this.#take(table, slices && new Set(slices), health);
      if (JSON.stringify(health.out()) !== before) changed();
      const times = this.#smi.hasHung ? Math.min(HUNG_REST_TIMES, this.#restTimes) : this.#restTimes;
      await pause(Math.max(this.#intervalMs, this.#smi.tookMs * times), signal);
    }
  }

  #take(table: Table, slices: ReadonlySet<string> | undefined, health: DeviceHealth): void {
    const nowMs = performance.now();
    if (table.type === "seen") {
      const isOffered = ({ gpu }: SeenGpu) => this.#offered.some(({ uuid }) => uuid === gpu.uuid);
      this.#gpus = table.seen.filter(isOffered).map(({ gpu }) => gpu);
      return health.answered(table.seen, table.lost, nowMs, slices);
    }
    health.silent(table.type === "absent" ? "nvidia-smi is not there any more" : table.why, nowMs);
  }
}

/** Ends early where it is given up. */
function pause(spanMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(done, spanMs);
  signal.addEventListener("abort", done);
  function done() {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    resolve();
  }
  return promise;
}
