/**
 * How a program learns which devices are its own.
 *
 * Promise: a program that keeps to these variables sees its own devices and no others.
 * Not here: which devices those are (slots.ts). Nothing but the driver's own means of isolation, such as containers, would
 * hold a program that means to take others'.
 *
 * @module
 */
import type { Device } from "../../shared/model/devices.ts";

/** Which variable hides all devices of a kind but those that it names. */
const VISIBLE = { cuda: "CUDA_VISIBLE_DEVICES", rocm: "ROCR_VISIBLE_DEVICES" } as const;

/**
 * The variables for an attempt's devices: to be set last, over whatever else is passed on.
 *
 * @param devices those of the attempt; empty where the worker has some and the attempt none: it sees none then; undefined
 * where the worker has none: nothing is set
 */
export function deviceEnvironment(devices: readonly Device[] | undefined): Readonly<Record<string, string>> {
  if (devices === undefined) return {};
  const ids = devices.map(({ id }) => id);
  const named = { ESPALIER_GPUS: ids.join(",") };
  const kind = devices[0]?.kind;
  // An empty list hides all of a kind. Programs for ROCm obey CUDA's variable too.
  if (kind === undefined) return { [VISIBLE.cuda]: "", [VISIBLE.rocm]: "", ...named };
  const visible = { [VISIBLE[kind]]: ids.join(","), ...named };
  // CUDA numbers devices by their speed, unless told to number them as nvidia-smi does.
  return kind === "cuda" && ids.some(isIndex) ? { ...visible, CUDA_DEVICE_ORDER: "PCI_BUS_ID" } : visible;
}

function isIndex(id: string): boolean {
  return /^\d+$/.test(id);
}
