/**
 * What is free on this worker: slots by their numbers, the pool, and devices.
 *
 * @module
 */
import type { Device } from "../shared/model/devices.ts";
import {
  addResources,
  fits,
  needsNothing,
  type Resources,
  subtractResources,
} from "../shared/model/resources.ts";
import { type DeviceUser, SlotDevices } from "./slots_devices.ts";

/** A lease, as far as it takes what others could have. */
export interface User extends DeviceUser {
  /** Which slot it has, from its beginning on. */
  slot: number;
  readonly template: { readonly resources: Resources };
}

/** Slots, resources and devices that nobody uses. */
export class Free {
  readonly devices: SlotDevices;
  readonly #pool: Resources;
  readonly #count: number;
  #left: Resources;
  /** The last given back is taken first: its process is the warmest. */
  readonly #slots: number[] = [];

  /** @param devices the pool's GPUs; without them they are called 0, 1 and so on */
  constructor(slots: number, pool: Resources, devices?: readonly Device[]) {
    this.#count = slots;
    this.#pool = pool;
    this.#left = pool;
    this.devices = new SlotDevices(devices, pool.gpus);
    for (let slot = slots - 1; slot >= 0; slot--) this.#slots.push(slot);
  }

  /** Whether an attempt with this need could be begun if nothing else ran. */
  canEver(need: Resources): boolean {
    return needsNothing(need) || (fits(need, this.#pool) && this.devices.canEver(need));
  }

  /** Whether one could be begun now. */
  can(user: User): boolean {
    if (this.#slots.length === 0) return false;
    const need = user.template.resources;
    return needsNothing(need) || (fits(need, this.#left) && this.devices.can(user));
  }

  /**
   * Takes a slot, the resources and the devices.
   *
   * @returns the devices, none where it needs none; undefined where this worker knows of none
   * @throws RangeError where no slot is free: a bug
   */
  take(user: User): readonly Device[] | undefined {
    const slot = this.#slots.pop();
    if (slot === undefined) throw new RangeError("no slot is free");
    user.slot = slot;
    const need = user.template.resources;
    if (!needsNothing(need)) this.#left = subtractResources(this.#left, need);
    return this.devices.take(user);
  }

  give(user: User): void {
    this.#slots.push(user.slot);
    const need = user.template.resources;
    if (needsNothing(need)) return;
    this.devices.give(user);
    // Sums of fractions drift: where all is given back, the pool is whole again.
    this.#left = this.#slots.length === this.#count ? this.#pool : addResources(this.#left, need);
  }
}
