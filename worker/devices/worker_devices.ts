/**
 * The devices that this worker offers, and how they are.
 *
 * Promise: what a user asked for and is not there is an error that says what is; what the driver does not say is a warning,
 * and the worker goes on with what it knows.
 *
 * @module
 */
import type { LogFields, LogLevel } from "../../shared/actor/actor.ts";
import { type Device, DEVICES_MAX, type DeviceTrouble } from "../../shared/model/devices.ts";
import { type GpuState, NvidiaGpus } from "./nvidia_gpus.ts";
import { devicesByName, type FoundDevice, type GpuWish, namedDevices, visibleDevices } from "./offered.ts";

/** Which devices, and how they are asked for. */
export interface WorkerDevicesOptions {
  /** By default all that are found. */
  readonly wish?: GpuWish | undefined;
  /** How often their tool is asked at most. */
  readonly intervalMs?: number | undefined;
  /** Told what people should know. */
  readonly log: (level: LogLevel, path: string, text: string, fields: LogFields) => void;
}

const ALL: GpuWish = { type: "all" };
const NOTHING: GpuState = { gpus: [], out: [] };

/** Finds them once, and watches them. */
export class WorkerDevices {
  /** Called when one has gone out of service or come back. */
  changed: () => void = () => {};
  readonly #options: WorkerDevicesOptions;
  readonly #nvidia: NvidiaGpus;
  #out: readonly DeviceTrouble[] = [];
  #isWatched = false;

  constructor(options: WorkerDevicesOptions) {
    this.#options = options;
    this.#nvidia = new NvidiaGpus({ intervalMs: options.intervalMs });
  }

  /**
   * The devices to offer, and watches them from now on.
   *
   * @returns undefined where nobody knows of any
   * @throws Error where one was asked for that is not there
   */
  async find(): Promise<readonly Device[] | undefined> {
    const wish = this.#options.wish ?? ALL;
    if (wish.type === "none") return [];
    if (wish.type === "named" && wish.kind !== "cuda") return devicesByName(wish.names, wish.kind);
    const found = await this.#nvidia.find();
    if (found === undefined || typeof found === "string") return this.#unknown(wish, found);
    const offered = within(found, wish, Deno.env.get("CUDA_VISIBLE_DEVICES"));
    if (found.length > 0) this.#watch(offered);
    return found.length === 0 ? undefined : offered.map(deviceOf);
  }

  /** What is known of them now. */
  state(): GpuState {
    return this.#isWatched ? this.#nvidia.state() : NOTHING;
  }

  /** Resolves when nothing of it is at work. */
  stop(): Promise<void> {
    return this.#nvidia.stop();
  }

  #unknown(wish: GpuWish, why: string | undefined): readonly Device[] | undefined {
    if (why !== undefined) {
      this.#log("warning", `its GPUs are not known, since ${why}; start it again once nvidia-smi answers`);
    }
    return wish.type === "named" ? devicesByName(wish.names, wish.kind) : undefined;
  }

  #watch(offered: readonly FoundDevice[]): void {
    for (const { id, name } of offered) this.#log("info", `offers ${name} (${id})`);
    this.#isWatched = true;
    this.#nvidia.watch(offered, () => {
      this.#tell(this.#nvidia.state().out);
      this.changed();
    });
  }

  #tell(out: readonly DeviceTrouble[]): void {
    const before = new Map(this.#out.map(({ id, reason }) => [id, reason]));
    this.#out = out;
    for (const { id, reason } of out) {
      if (before.get(id) !== reason) this.#log("warning", `${id} is out of service: ${reason}`);
      before.delete(id);
    }
    for (const id of before.keys()) this.#log("info", `${id} is in service again`);
  }

  #log(level: LogLevel, text: string): void {
    this.#options.log(level, "worker/devices", text, {});
  }
}

function within(
  found: readonly FoundDevice[],
  wish: GpuWish,
  variable: string | undefined,
): readonly FoundDevice[] {
  const visible = visibleDevices(found, variable).slice(0, DEVICES_MAX);
  if (wish.type !== "named") return visible;
  const named = namedDevices(visible, wish.names);
  if (typeof named === "string") throw new Error(`--gpus: ${named}`);
  return named;
}

function deviceOf({ id, kind, name, memoryBytes }: FoundDevice): Device {
  return { id, kind, name, memoryBytes };
}
