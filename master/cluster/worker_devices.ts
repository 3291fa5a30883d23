/**
 * The GPUs of a worker, as the cluster keeps books of them.
 *
 * Promise: what a worker says that its leases have is theirs; nothing is placed on a device that is out of service, nor on
 * one from which an attempt was handed back, until its worker says how the device is.
 * Not here: which device is chosen (model/device_books.ts).
 *
 * @module
 */
import { anonymousDevices, DeviceBooks } from "../../shared/model/device_books.ts";
import type { Device, DeviceTrouble } from "../../shared/model/devices.ts";
import type { DeviceLive } from "../../shared/model/live.ts";
import type { Register } from "../../shared/protocol/worker_envelopes.ts";

/** The devices of an attempt that needs none. */
export const NO_DEVICES: readonly string[] = [];

/** A uuid, of a GPU or of a slice. */
const UNIQUE_ID = /^(GPU|MIG)-/;

/** Why nothing is placed on a device until its worker is heard. */
const HANDED_BACK = "an attempt was handed back from it";

/** The devices of one worker's present life. */
export class WorkerDevices {
  #devices: readonly Device[] = [];
  #books = new DeviceBooks([]);
  #areNamed = false;
  #out: ReadonlyMap<string, string> = new Map();
  /** Those that another worker offers as well, and why they are that one's. */
  #elsewhere: ReadonlyMap<string, string> = new Map();

  /** What is free of them. */
  get books(): DeviceBooks {
    return this.#books;
  }

  /** Whether the worker named them: one that did not is of an earlier version, and chooses by itself. */
  get areNamed(): boolean {
    return this.#areNamed;
  }

  /** Those that are out of service. */
  get out(): readonly DeviceTrouble[] {
    return [...this.#out, ...this.#elsewhere].map(([id, reason]) => ({ id, reason }));
  }

  /** The ids that stand for one GPU wherever they are said: an index does not. */
  get unique(): readonly string[] {
    return this.#areNamed ? this.#devices.map(({ id }) => id).filter((id) => UNIQUE_ID.test(id)) : NO_DEVICES;
  }

  /** Whether an attempt has any of it. */
  isUsed(id: string): boolean {
    return this.#books.uses().some((each) => each.id === id && each.used > 0);
  }

  /** A life has come or come back: nothing is drawn yet. What was out of service still is, within one life. */
  registered({ devices, pool }: Register, isSameLife: boolean): void {
    this.#devices = devices ?? anonymousDevices(pool.gpus);
    this.#areNamed = devices !== undefined;
    this.#books = new DeviceBooks(this.#devices);
    this.#elsewhere = new Map();
    this.#setOut(isSameLife ? this.#ownOut : []);
  }

  /** These belong to other workers, and no others do: ids, and why. */
  belongElsewhere(elsewhere: ReadonlyMap<string, string>): void {
    if (elsewhere.size === 0 && this.#elsewhere.size === 0) return;
    const own = this.#ownOut;
    for (const id of this.#elsewhere.keys()) this.#books.putBack(id);
    this.#elsewhere = elsewhere;
    this.#setOut(own);
  }

  /** The worker said how its devices are. */
  heard(out: readonly DeviceTrouble[]): void {
    if (out.length > 0 || this.#out.size > 0) this.#setOut(out);
  }

  /** It handed an attempt back that it had not begun: these it would hand back again, until it says more. */
  handedBack(ids: readonly string[]): void {
    const reasons = new Map(ids.map((id) => [id, HANDED_BACK]));
    this.#setOut([...reasons, ...this.#out].map(([id, reason]) => ({ id, reason })));
  }

  /** As pages show them. */
  live(): readonly DeviceLive[] {
    const uses = this.#books.uses();
    return this.#devices.map(({ id, name, memoryBytes }, index) => ({
      id,
      name,
      memoryBytes,
      used: uses[index]?.used ?? 0,
      trouble: this.#out.get(id) ?? this.#elsewhere.get(id) ?? null,
    }));
  }

  /** What its worker says of them. */
  get #ownOut(): readonly DeviceTrouble[] {
    return [...this.#out].map(([id, reason]) => ({ id, reason }));
  }

  #setOut(out: readonly DeviceTrouble[]): void {
    for (const id of this.#out.keys()) this.#books.putBack(id);
    this.#out = new Map(out.filter(({ id }) => this.#books.has(id)).map(({ id, reason }) => [id, reason]));
    for (const id of [...this.#out.keys(), ...this.#elsewhere.keys()]) this.#books.takeOut(id);
  }
}
