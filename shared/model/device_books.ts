/**
 * The books of one worker's devices: what is free of each.
 *
 * Promise: a whole device is chosen only where nobody uses any of it; shares on one device never make more than the whole,
 * whatever the sums of fractions are.
 * Not here: which worker (scheduling), when a device is out of service (the worker sees that).
 *
 * @module
 */
import type { Device } from "./devices.ts";
import type { Resources } from "./resources.ts";

/** What the books need to know of a device. */
export type BookedDevice = Pick<Device, "id" | "memoryBytes">;
/** What of a need is about devices. */
export type DeviceNeed = Pick<Resources, "gpus" | "gpuMemoryBytes">;

/** Shares are counted in these parts, in whole numbers: ten tenths and three thirds make one device. */
const PARTS = 1_000_000;

/** How a device stands. */
export interface DeviceUse {
  readonly id: string;
  /** What is used of it: 1 is all. More where a worker came back with more than fits. */
  readonly used: number;
  readonly isOut: boolean;
}

interface Page {
  readonly id: string;
  /** Where it stands among the worker's devices. */
  readonly index: number;
  readonly memoryBytes: number | null;
  /** Less than nothing where a worker came back with more than fits: nothing is chosen there until it is given back. */
  freeParts: number;
  freeBytes: number;
  isOut: boolean;
}

/** The devices of a worker that registers only how many there are. */
export function anonymousDevices(gpus: number): readonly Device[] {
  return Array.from(
    { length: Math.floor(gpus) },
    (_, index) => ({ id: String(index), kind: "cuda", name: "", memoryBytes: null }),
  );
}

/** What is free of each device. */
export class DeviceBooks {
  readonly #pages: readonly Page[];
  readonly #byId: ReadonlyMap<string, Page>;

  constructor(devices: readonly BookedDevice[]) {
    this.#pages = devices.map(({ id, memoryBytes }, index) => ({
      id,
      index,
      memoryBytes,
      freeParts: PARTS,
      freeBytes: memoryBytes ?? 0,
      isOut: false,
    }));
    this.#byId = new Map(this.#pages.map((page) => [page.id, page]));
  }

  /** How many devices there are, those that are out of service included. */
  get size(): number {
    return this.#pages.length;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Books that begin as these are now, for what is only thought through. */
  copy(): DeviceBooks {
    const copy = new DeviceBooks(this.#pages);
    for (const { id, freeParts, freeBytes, isOut } of this.#pages) {
      const page = copy.#byId.get(id);
      if (page !== undefined) Object.assign(page, { freeParts, freeBytes, isOut });
    }
    return copy;
  }

  /** How each device stands, in the order in which the worker named them. */
  uses(): readonly DeviceUse[] {
    return this.#pages.map(({ id, freeParts, isOut }) => ({ id, used: (PARTS - freeParts) / PARTS, isOut }));
  }

  isOut(id: string): boolean {
    return this.#byId.get(id)?.isOut ?? false;
  }

  /**
   * Devices for a need, as things are now: whole ones nobody uses, the smallest first; for a share the device on which
   * least is left after it. The same books always choose the same.
   *
   * @returns their ids, none where no device is needed; undefined where they are not free
   */
  choose(need: DeviceNeed): readonly string[] | undefined {
    if (need.gpus === 0) return [];
    const fitting = this.#pages.filter((page) => !page.isOut && isFree(page, need));
    const wanted = countOf(need);
    if (fitting.length < wanted) return undefined;
    return fitting.sort(tightestFirst).slice(0, wanted).map(({ id }) => id);
  }

  /** Whether these very devices have what is needed free. */
  canDraw(ids: readonly string[], need: DeviceNeed): boolean {
    return ids.every((id) => {
      const page = this.#byId.get(id);
      return page !== undefined && isFree(page, need);
    });
  }

  /** Takes of these devices, also where it is not free: whoever uses them is right. Unknown ones are passed over. */
  draw(ids: readonly string[], need: DeviceNeed): void {
    this.#change(ids, need, -1);
  }

  /** The opposite of `draw`. */
  giveBack(ids: readonly string[], need: DeviceNeed): void {
    this.#change(ids, need, 1);
  }

  /** Nothing is chosen on it from now on. */
  takeOut(id: string): void {
    this.#setOut(id, true);
  }

  putBack(id: string): void {
    this.#setOut(id, false);
  }

  /** Whether the need could be met if nobody used anything and every device were in service. */
  canEver(need: DeviceNeed): boolean {
    return this.#suited(need, this.#pages) >= countOf(need);
  }

  /** Whether the need could be met, by what is in service, if nobody used anything. */
  canInService(need: DeviceNeed): boolean {
    return this.suitedInService(need) >= countOf(need);
  }

  /** How many devices in service are large enough for the need, used or not. */
  suitedInService(need: DeviceNeed): number {
    return this.#suited(need, this.#pages.filter(({ isOut }) => !isOut));
  }

  /** How many of one need could be met at once, as things are now; Infinity where no device is needed. */
  countFree(need: DeviceNeed): number {
    if (need.gpus === 0) return Infinity;
    const free = this.#pages.filter((page) => !page.isOut && isFree(page, need));
    if (need.gpus >= 1) return Math.floor(free.length / countOf(need));
    const [parts, wantedBytes] = [partsOf(need), need.gpuMemoryBytes ?? 0];
    return free.reduce((sum, { freeParts, freeBytes }) => {
      const byMemory = wantedBytes === 0 ? Infinity : Math.floor(freeBytes / wantedBytes);
      return sum + Math.min(Math.floor(freeParts / parts), byMemory);
    }, 0);
  }

  #suited({ gpuMemoryBytes = 0 }: DeviceNeed, pages: readonly Page[]): number {
    return pages.filter(({ memoryBytes }) => gpuMemoryBytes <= (memoryBytes ?? 0)).length;
  }

  #change(ids: readonly string[], need: DeviceNeed, sign: 1 | -1): void {
    const parts = partsOf(need);
    for (const id of ids) {
      const page = this.#byId.get(id);
      if (page === undefined) continue;
      page.freeParts += sign * parts;
      page.freeBytes += sign * bytesOf(page, need);
    }
  }

  #setOut(id: string, isOut: boolean): void {
    const page = this.#byId.get(id);
    if (page !== undefined) page.isOut = isOut;
  }
}

/** How many devices a need is spread over. */
function countOf({ gpus }: DeviceNeed): number {
  return Math.ceil(gpus);
}

function partsOf({ gpus }: DeviceNeed): number {
  return gpus >= 1 ? PARTS : Math.max(1, Math.round(gpus * PARTS));
}

/** A whole device has all its memory with it. */
function bytesOf({ memoryBytes }: Page, need: DeviceNeed): number {
  return need.gpus >= 1 ? memoryBytes ?? 0 : need.gpuMemoryBytes ?? 0;
}

function isFree(page: Page, need: DeviceNeed): boolean {
  if (page.freeParts < partsOf(need)) return false;
  const wantedBytes = need.gpuMemoryBytes ?? 0;
  return wantedBytes === 0 || (page.memoryBytes !== null && page.freeBytes >= wantedBytes);
}

function tightestFirst(a: Page, b: Page): number {
  return a.freeParts - b.freeParts || a.freeBytes - b.freeBytes || a.index - b.index;
}
