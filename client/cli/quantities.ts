/**
 * What tasks need and workers have, read from text.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { deviceId, label } from "../../shared/protocol/fields.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
};

/** An amount of memory such as `16GiB` or `512 MB`, in bytes; a bare number counts bytes. */
export function memoryAmount(text: string): number {
  const [, amount, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (amount === undefined || factor === undefined) {
    throw new InvalidArgumentError("Expected an amount of memory such as 16GiB, 512MiB or 8GB.");
  }
  return Math.round(Number(amount) * factor);
}

/** A number of cores, parts of one allowed. */
export function coreAmount(text: string): number {
  const cores = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text.trim()) || cores > 100_000) {
    throw new InvalidArgumentError("Expected a number of cores such as 4 or 0.5.");
  }
  return cores;
}

/** Gathers labels, which may be given several times. */
export function gatherLabels(text: string, before: readonly string[] | undefined): readonly string[] {
  const checked = label.safeParse(text);
  if (!checked.success) {
    throw new InvalidArgumentError("Expected name=value, of letters, digits, dots, dashes and underscores.");
  }
  return [...before ?? [], checked.data];
}

/** Devices by index or uuid, separated by commas; none where the text is `none`. */
export function deviceNames(text: string): readonly string[] {
  if (text.trim() === "none") return [];
  const names = text.split(",").map((name) => name.trim());
  if (!names.every((name) => deviceId.safeParse(name).success)) {
    throw new InvalidArgumentError('Expected GPUs such as "0,1" or "GPU-8932f937,MIG-1aae4990", or "none".');
  }
  return names;
}
