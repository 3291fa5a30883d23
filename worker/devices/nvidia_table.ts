/**
 * What `nvidia-smi --query-gpu=… --format=csv` says.
 *
 * Promise: no text from the tool is an error here. What a device does not tell is null; a field in which the driver says that
 * the device is not well is the device's trouble.
 *
 * @module
 */
import type { Gpu } from "../../shared/protocol/worker_envelopes.ts";

/** What is asked: all of it is known to drivers of ten years ago. An unknown column would fail the whole question. */
export const NVIDIA_COLUMNS = [
  "index",
  "uuid",
  "pci.bus_id",
  "name",
  "memory.total",
  "memory.used",
  "utilization.gpu",
  "temperature.gpu",
] as const;

/** A device, as the driver sees it. */
export interface SeenGpu {
  readonly gpu: Gpu;
  /** Such as `00000000:01:00.0`; empty where it was not told. */
  readonly busId: string;
  /** Why nothing should be placed on it, in the driver's words. */
  readonly trouble: string | undefined;
}

/**
 * Words of a field of a device that is not well. Those of one that only does not tell (`N/A`, `[Not Supported]`,
 * `[Insufficient Permissions]`) are none of them.
 */
const TROUBLES = [/unknown error/i, /requires reset/i, /reset required/i, /is lost/i, /^\[?ERR!?\]?$/i];
const MIB = 1024 * 1024;

/**
 * Devices from the tool's lines. A line of another form is passed over.
 *
 * @param columns what the lines hold, where they do not begin with a line that says so
 */
export function parseGpuTable(text: string, columns: readonly string[] = NVIDIA_COLUMNS): readonly SeenGpu[] {
  let named = columns;
  const seen: SeenGpu[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const fields = line.split(",").map((field) => field.trim());
    if (isHeader(fields)) named = fields.map((field) => field.replace(/ \[.+\]$/, ""));
    else {
      const gpu = readRow(fields, named);
      if (gpu !== undefined) seen.push(gpu);
    }
  }
  return seen;
}

/** Whether the tool says nothing but that it knows no device. */
export function saysNoDevices(text: string): boolean {
  return /no devices were found/i.test(text);
}

/** The bus ids of devices that the tool could not reach, with its words: it shows no device at all then. */
export function unreachable(text: string): readonly { readonly busId: string; readonly reason: string }[] {
  const lines =
    /Unable to determine the device handle for GPU\s*([0-9A-F:.]+):\s*([^\n]+(?:\n\s+the system[^\n]*)?)/gi;
  return [...text.matchAll(lines)].map(([, busId = "", reason = ""]) => ({
    busId,
    reason: `nvidia-smi cannot reach it: ${reason.replace(/\s+/g, " ").trim()}`,
  }));
}

/** Whether two bus ids are of one device: older drivers write the domain with four digits, newer ones with eight. */
export function isSameBus(a: string, b: string): boolean {
  return a !== "" && shortBus(a) === shortBus(b);
}

function shortBus(busId: string): string {
  return busId.toLowerCase().replace(/^0+(?=[0-9a-f]{4}:)/, "");
}

/** Such as `memory.used [MiB]` in each field. */
function isHeader(fields: readonly string[]): boolean {
  return fields.every((field) => /^[a-z][a-z_]*(\.[a-z_]+)*( \[[^\]]+\])?$/.test(field));
}

function readRow(fields: readonly string[], columns: readonly string[]): SeenGpu | undefined {
  // A name may hold a comma: what is counted from the end stays right.
  const name = columns.indexOf("name");
  const extra = Math.max(0, fields.length - columns.length);
  if (fields.length < columns.length) return undefined;
  const whole = name < 0 ? fields : [
    ...fields.slice(0, name),
    fields.slice(name, name + extra + 1).join(", "),
    ...fields.slice(name + extra + 1),
  ];
  const at = (column: string) => whole[columns.indexOf(column)] ?? "";
  if (columns.includes("index") && !/^\d+$/.test(at("index"))) return undefined;
  const uuid = at("uuid") === "" ? at("gpu_uuid") : at("uuid");
  if (columns.includes("uuid") && (uuid === "" || at("name") === "")) return undefined;
  return {
    gpu: {
      index: Number(at("index")),
      uuid: uuid.slice(0, 200),
      name: at("name").slice(0, 200),
      memoryBytes: bytesOf(at("memory.total")),
      usedBytes: bytesOf(at("memory.used")),
      utilizationPercent: numberOf(at("utilization.gpu")),
      temperatureCelsius: numberOf(at("temperature.gpu")),
    },
    busId: at("pci.bus_id"),
    trouble: troubleOf(whole, columns),
  };
}

function troubleOf(fields: readonly string[], columns: readonly string[]): string | undefined {
  const index = fields.findIndex((field) => TROUBLES.some((words) => words.test(field)));
  return index < 0 ? undefined : `nvidia-smi says "${fields[index]}" of its ${columns[index] ?? "fields"}`;
}

/** Number of a field; a unit behind it is passed over, since old tools ignore `nounits` in places. */
function numberOf(field: string): number | null {
  const digits = /^-?\d+(\.\d+)?(?=$| )/.exec(field)?.[0];
  return digits === undefined ? null : Number(digits);
}

function bytesOf(field: string): number | null {
  const mib = numberOf(field);
  return mib === null ? null : mib * MIB;
}
