/**
 * The worker's devices: who has which, by its own books.
 *
 * Promise: an attempt has its devices to itself, whatever a master says: one whose devices others still use waits, and one
 * that names a device that is not here, or not in service, is answered at once.
 *
 * @module
 */
import { anonymousDevices, DeviceBooks, type DeviceNeed } from "../shared/model/device_books.ts";
import type { Device, DeviceTrouble } from "../shared/model/devices.ts";

/** What stands for no devices at all. */
export const NO_DEVICES: readonly Device[] = [];

/** A lease, as far as devices matter. */
export interface DeviceUser {
  /** What its master gave it, and from its beginning on what it has; undefined where an older master gave none. */
  devices: readonly string[] | undefined;
  readonly template: { readonly resources: DeviceNeed };
}

/** Why a lease cannot have the devices that it names. `elsewhere`: nothing is wrong with it. */
export interface DevicesRefused {
  readonly why: "elsewhere" | "mistake";
  readonly message: string;
}

/** The devices of a worker. */
export class SlotDevices {
  readonly #books: DeviceBooks;
  readonly #byId: ReadonlyMap<string, Device>;
  readonly #isKnown: boolean;
  #out: ReadonlyMap<string, string> = new Map();

  /**
   * @param named the worker's devices; undefined where they have no names
   * @param gpus how many there are then
   */
  constructor(named: readonly Device[] | undefined, gpus: number) {
    const devices = named ?? anonymousDevices(gpus);
    this.#isKnown = named !== undefined || devices.length > 0;
    this.#books = new DeviceBooks(devices);
    this.#byId = new Map(devices.map((device) => [device.id, device]));
  }

  /** Whether the need could be met if nothing ran. */
  canEver(need: DeviceNeed): boolean {
    return this.#books.canEver(need);
  }

  /** Why a lease with this need cannot have these devices, now or later. */
  refusal(ids: readonly string[], need: DeviceNeed): DevicesRefused | undefined {
    if (ids.length !== Math.ceil(need.gpus) || new Set(ids).size !== ids.length) {
      const given = ids.join(", ") || "none";
      return {
        why: "mistake",
        message: `the master gave the devices ${given} to a need of ${need.gpus} GPUs`,
      };
    }
    for (const id of ids) {
      if (!this.#byId.has(id)) return { why: "elsewhere", message: `this worker has no device ${id}` };
      const reason = this.#out.get(id);
      if (reason !== undefined) {
        return { why: "elsewhere", message: `the device ${id} is out of service: ${reason}` };
      }
    }
    return undefined;
  }

  /** Whether what a lease needs is free now. */
  can({ devices, template: { resources } }: DeviceUser): boolean {
    if (resources.gpus === 0) return true;
    if (devices === undefined) return this.#books.choose(resources) !== undefined;
    return this.#books.canDraw(devices, resources);
  }

  /**
   * Takes what a lease needs.
   *
   * @returns its devices, none where it needs none; undefined where this worker knows of no devices
   * @throws RangeError where they are not free: a bug
   */
  take(user: DeviceUser): readonly Device[] | undefined {
    if (!this.#isKnown) return undefined;
    const need = user.template.resources;
    if (need.gpus === 0) return NO_DEVICES;
    const ids = user.devices ?? this.#books.choose(need);
    if (ids === undefined) throw new RangeError("no device is free");
    user.devices = ids;
    this.#books.draw(ids, need);
    return ids.flatMap((id) => this.#byId.get(id) ?? []);
  }

  give({ devices, template: { resources } }: DeviceUser): void {
    if (devices !== undefined && resources.gpus > 0) this.#books.giveBack(devices, resources);
  }

  /** These, and no others, are out of service from now on. What runs on them runs on. @returns whether that is news */
  setOut(out: readonly DeviceTrouble[]): boolean {
    if (out.length === this.#out.size && out.every(({ id }) => this.#out.has(id))) return false;
    const now = new Map(out.map(({ id, reason }) => [id, reason]));
    for (const id of this.#out.keys()) if (!now.has(id)) this.#books.putBack(id);
    for (const id of now.keys()) this.#books.takeOut(id);
    this.#out = now;
    return true;
  }
}
