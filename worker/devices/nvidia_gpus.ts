/**
 * The NVIDIA devices of this machine, asked of `nvidia-smi`.
 *
 * Promise: on a machine without the tool nothing is asked after the first time. Asking costs less than 1 % of a core,
 * whatever the driver: the slower it answers, the more seldom it is asked.
 *
 * @module
 */
import type { DeviceTrouble } from "../../shared/model/devices.ts";
import type { Gpu } from "../../shared/protocol/worker_envelopes.ts";
import { DeviceHealth, type Unreachable } from "./health.ts";
import { parseGpuList } from "./nvidia_list.ts";
import {
  isSameBus,
  NVIDIA_COLUMNS,
  parseGpuTable,
  saysNoDevices,
  type SeenGpu,
  unreachable,
} from "./nvidia_table.ts";
import { type FoundDevice, foundDevices } from "./offered.ts";
import { type Said, Tool } from "./tool.ts";

/** As often as a heartbeat. */
export const ASK_INTERVAL_MS = 10_000;
/** The time between two questions is at least so many times that of the last answer: no more than 1 % of a core. */
const REST_TIMES = 100;
/** A healthy driver answers within 0.1 s, a cold one of eight devices within 10 s; a broken one may never. */
const ANSWER_WITHIN_MS = 15_000;

/** Devices of a machine, where they have to be asked for by their indexes. */
const ONE_BY_ONE_MAX = 32;

const TABLE = [`--query-gpu=${NVIDIA_COLUMNS.join(",")}`, "--format=csv,nounits"];

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

/** What the tool made of a question for the table. */
type Table =
  | { readonly type: "seen"; readonly seen: readonly SeenGpu[]; readonly lost: readonly Unreachable[] }
  | { readonly type: "silent"; readonly why: string }
  | { readonly type: "absent" };

/** Asks for devices, again and again. */
export class NvidiaGpus {
  readonly #tool: Tool;
  readonly #intervalMs: number;
  readonly #stopped = new AbortController();
  #health: DeviceHealth | undefined;
  #offered: readonly FoundDevice[] = [];
  #gpus: readonly Gpu[] = [];
  readonly #restTimes: number;
  #tookMs = 0;
  #asking: Promise<void> = Promise.resolve();

  constructor(
    {
      program = "nvidia-smi",
      intervalMs = ASK_INTERVAL_MS,
      answerWithinMs = ANSWER_WITHIN_MS,
      restTimes = REST_TIMES,
    }: NvidiaOptions = {},
  ) {
    this.#tool = new Tool(program, answerWithinMs);
    this.#intervalMs = intervalMs;
    this.#restTimes = restTimes;
  }

  /**
   * The devices of the machine; a sentence where the tool is there and does not say; undefined where there is no tool. Never
   * rejects.
   */
  async find(): Promise<readonly FoundDevice[] | string | undefined> {
    const table = await this.#table();
    if (table.type === "absent") return undefined;
    if (table.type === "silent") return table.why;
    const said = await this.#tool.ask(["-L"], this.#stopped.signal);
    return foundDevices(table.seen, said.type === "text" ? parseGpuList(said.text) : []);
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
    while (!signal.aborted) {
      const table = await this.#table();
      if (signal.aborted) return;
      const before = wordsOf(health.out());
      this.#take(table, health);
      if (wordsOf(health.out()) !== before) changed();
      await pause(Math.max(this.#intervalMs, this.#tookMs * this.#restTimes), signal);
    }
  }

  #take(table: Table, health: DeviceHealth): void {
    const nowMs = performance.now();
    if (table.type === "seen") {
      const isOffered = ({ gpu }: SeenGpu) => this.#offered.some(({ uuid }) => uuid === gpu.uuid);
      this.#gpus = table.seen.filter(isOffered).map(({ gpu }) => gpu);
      return health.answered(table.seen, table.lost, nowMs);
    }
    health.silent(table.type === "absent" ? "nvidia-smi is not there any more" : table.why, nowMs);
  }

  /** Where the tool cannot reach a device it shows none of the others: these are asked for by name then. */
  async #table(): Promise<Table> {
    const said = await this.#ask(TABLE);
    if (said.type === "absent") return { type: "absent" };
    if (said.type === "hung") return { type: "silent", why: said.why };
    const lost = unreachable(said.text);
    if (said.type === "text" || saysNoDevices(said.text)) {
      return { type: "seen", seen: parseGpuTable(said.text), lost };
    }
    const others = this.#offered.filter(({ busId }) => !lost.some((each) => isSameBus(each.busId, busId)));
    if (lost.length === 0) return { type: "silent", why: said.why };
    if (this.#offered.length === 0) return { type: "seen", seen: await this.#oneByOne(), lost };
    if (others.length === 0) return { type: "seen", seen: [], lost };
    const uuids = new Set(others.map(({ uuid }) => uuid));
    const again = await this.#ask(["-i", [...uuids].join(","), ...TABLE]);
    if (again.type === "text") return { type: "seen", seen: parseGpuTable(again.text), lost };
    return { type: "silent", why: again.type === "absent" ? "nvidia-smi is gone" : again.why };
  }

  /** Where one cannot be reached and the others are not known yet. */
  async #oneByOne(): Promise<readonly SeenGpu[]> {
    const seen: SeenGpu[] = [];
    for (let index = 0; index < ONE_BY_ONE_MAX; index++) {
      const said = await this.#ask(["-i", String(index), ...TABLE]);
      if (said.type === "text") seen.push(...parseGpuTable(said.text));
      else if (said.type !== "failed" || unreachable(said.text).length === 0) break;
    }
    return seen;
  }

  async #ask(args: readonly string[]): Promise<Said> {
    const said = await this.#tool.ask(args, this.#stopped.signal);
    if (said.type !== "absent") this.#tookMs = said.tookMs;
    return said;
  }
}

function wordsOf(out: readonly DeviceTrouble[]): string {
  return JSON.stringify(out);
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
