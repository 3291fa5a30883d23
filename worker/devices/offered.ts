/**
 * Which devices a worker offers: those of the machine, within what its user and its environment name.
 *
 * @module
 */
import type { Device, DeviceKind } from "../../shared/model/devices.ts";
import type { WatchedDevice } from "./health.ts";
import type { ListedGpu } from "./nvidia_list.ts";
import type { SeenGpu } from "./nvidia_table.ts";

/** What a user says of a worker's devices. */
export type GpuWish =
  /** All that are found. */
  | { readonly type: "all" }
  | { readonly type: "none" }
  /** By index, uuid, or the beginning of a uuid. */
  | { readonly type: "named"; readonly names: readonly string[]; readonly kind: DeviceKind };

/** A device that can be handed out. */
export interface FoundDevice extends Device, WatchedDevice {
  readonly index: number;
}

/**
 * The devices of a machine: a GPU that has slices is handed out by them.
 *
 * @param seen from the tool's table
 * @param listed from the tool's list
 */
export function foundDevices(seen: readonly SeenGpu[], listed: readonly ListedGpu[]): readonly FoundDevice[] {
  return seen.flatMap(({ gpu: { index, uuid, name, memoryBytes }, busId }) => {
    const slices = listed.find((each) => each.uuid === uuid)?.slices ?? [];
    const whole = { index, uuid, busId, kind: "cuda" } as const;
    if (slices.length === 0) return [{ ...whole, id: uuid, name, memoryBytes }];
    return slices.map((slice) => ({
      ...whole,
      id: slice.id,
      name: `${name} MIG ${slice.profile}`,
      memoryBytes: slice.memoryBytes,
    }));
  });
}

/** Devices by name where nothing else is known of them. */
export function devicesByName(names: readonly string[], kind: DeviceKind): readonly Device[] {
  return [...new Set(names)].map((id) => ({ id, kind, name: "", memoryBytes: null }));
}

/**
 * Those that names stand for, in the order of the machine.
 *
 * @returns a sentence where one stands for none
 */
export function namedDevices(
  found: readonly FoundDevice[],
  names: readonly string[],
): readonly FoundDevice[] | string {
  const wanted = new Set<FoundDevice>();
  for (const name of names) {
    const meant = meantBy(name, found);
    if (meant.length === 0) return `there is no GPU ${name} that this worker may use; ${listOf(found)}`;
    for (const device of meant) wanted.add(device);
  }
  return found.filter((device) => wanted.has(device));
}

/**
 * What `CUDA_VISIBLE_DEVICES` leaves of the devices, as CUDA reads it: what stands behind a name that means nothing is not
 * visible either.
 */
export function visibleDevices(
  found: readonly FoundDevice[],
  variable: string | undefined,
): readonly FoundDevice[] {
  if (variable === undefined) return found;
  const visible = new Set<FoundDevice>();
  for (const name of variable.split(",").map((each) => each.trim())) {
    const meant = meantBy(name, found);
    if (meant.length === 0) break;
    for (const device of meant) visible.add(device);
  }
  return found.filter((device) => visible.has(device));
}

/** An index or a uuid of a GPU with slices stands for all of these. */
function meantBy(name: string, found: readonly FoundDevice[]): readonly FoundDevice[] {
  if (/^\d+$/.test(name)) return found.filter(({ index }) => index === Number(name));
  if (!/^(GPU|MIG)-/.test(name)) return [];
  const exact = found.filter(({ id, uuid }) => id === name || uuid === name);
  if (exact.length > 0) return exact;
  const begun = found.filter(({ id, uuid }) => id.startsWith(name) || uuid.startsWith(name));
  // The beginning of two uuids means neither.
  const isOne = new Set(begun.map(({ id, uuid }) => uuid.startsWith(name) ? uuid : id)).size === 1;
  return isOne ? begun : [];
}

function listOf(found: readonly FoundDevice[]): string {
  if (found.length === 0) return "nvidia-smi lists none";
  return `nvidia-smi lists ${found.map(({ id, index }) => `${index} (${id})`).join(", ")}`;
}
