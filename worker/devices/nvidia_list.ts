/**
 * What `nvidia-smi -L` says: devices and the MIG slices of each.
 *
 * @module
 */

/** A part of a device that is handed out by itself. */
export interface MigSlice {
  /** Such as `MIG-…`, or `MIG-GPU-…/1/0` of drivers before 470. */
  readonly id: string;
  /** Such as `1g.10gb`. */
  readonly profile: string;
  /** As its profile says, in units of 10^9 bytes, as drivers round it; null where it does not. */
  readonly memoryBytes: number | null;
}

/** A line for a device, with the lines below it. */
export interface ListedGpu {
  readonly index: number;
  readonly name: string;
  /** Empty where the line has none. */
  readonly uuid: string;
  readonly slices: readonly MigSlice[];
}

const GPU_LINE = /^GPU (\d+): (.+?)(?: \(UUID: ([^)]+)\)?)?\s*$/;
const SLICE_LINE = /^\s+MIG (\S+)\s+Device\s+\d+:\s*\(UUID: (MIG-[^)\s]+)\)/;

/** Devices from the tool's lines. A line of another form is passed over. */
export function parseGpuList(text: string): readonly ListedGpu[] {
  const listed: (ListedGpu & { readonly slices: MigSlice[] })[] = [];
  for (const line of text.split("\n")) {
    const gpu = GPU_LINE.exec(line);
    if (gpu !== null) {
      listed.push({ index: Number(gpu[1]), name: gpu[2] ?? "", uuid: gpu[3] ?? "", slices: [] });
      continue;
    }
    const slice = SLICE_LINE.exec(line);
    const [, profile = "", id = ""] = slice ?? [];
    if (slice !== null) listed.at(-1)?.slices.push({ id, profile, memoryBytes: memoryOf(profile) });
  }
  return listed;
}

function memoryOf(profile: string): number | null {
  const gigabytes = /\.(\d+)gb\b/i.exec(profile)?.[1];
  return gigabytes === undefined ? null : Number(gigabytes) * 1e9;
}
