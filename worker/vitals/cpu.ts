/**
 * How busy the machine's processors are, from what the kernel has counted.
 *
 * @module
 */

/** Time that all processors together have spent since the machine started, in ticks of the kernel. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** Columns of the `cpu` line (proc(5)): user nice system idle iowait irq softirq steal; guests are in user already. */
const COLUMNS = 8;
const IDLE = 3;
const IO_WAIT = 4;

/** The counters in the text of `/proc/stat`, or undefined where there are none. */
export function parseProcStat(text: string): CpuTicks | undefined {
  const line = /^cpu +(.+)$/m.exec(text)?.[1];
  const ticks = line?.trim().split(/ +/).slice(0, COLUMNS).map(Number) ?? [];
  if (ticks.length <= IDLE || ticks.some((value) => !Number.isFinite(value))) return undefined;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  return { total, busy: total - (ticks[IDLE] ?? 0) - (ticks[IO_WAIT] ?? 0) };
}

/** Percent of all processors' time between two readings that they were busy; null where no time has passed. */
export function busyPercent(before: CpuTicks, after: CpuTicks): number | null {
  const total = after.total - before.total;
  if (total <= 0) return null;
  return Math.min(100, Math.max(0, 100 * (after.busy - before.busy) / total));
}

/** Reads the counters; undefined on systems without `/proc/stat`. */
export function readCpuTicks(path = "/proc/stat"): CpuTicks | undefined {
  try {
    return parseProcStat(Deno.readTextFileSync(path));
  } catch {
    return undefined;
  }
}

/** The load of the last minute as percent of the processors: a stand-in where the kernel's counters are not to be had. */
export function loadPercent(cpus: number): number | null {
  const load = Deno.loadavg()[0];
  return load === undefined ? null : Math.min(100, 100 * load / cpus);
}
