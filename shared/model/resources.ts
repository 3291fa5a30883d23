/**
 * What a task needs and a worker has.
 *
 * @module
 */

/** Amounts beside the slot that every attempt takes. */
export interface Resources {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Whole devices, or below 1 a share of one. */
  readonly gpus: number;
  /** On each of those devices. */
  readonly gpuMemoryBytes?: number | undefined;
  /** What a worker must be labelled with, as `name=value`. */
  readonly labels?: readonly string[] | undefined;
}

/** Nothing but a slot. */
export const NO_RESOURCES: Resources = { cpus: 0, memoryBytes: 0, gpus: 0 };

/** The sum of two amounts. */
export function addResources(a: Resources, b: Resources): Resources {
  return { cpus: a.cpus + b.cpus, memoryBytes: a.memoryBytes + b.memoryBytes, gpus: a.gpus + b.gpus };
}

/** What is left of the first without the second. */
export function subtractResources(a: Resources, b: Resources): Resources {
  return { cpus: a.cpus - b.cpus, memoryBytes: a.memoryBytes - b.memoryBytes, gpus: a.gpus - b.gpus };
}

/** Whether a need can be drawn from a pool, its GPUs by their number alone. */
export function fits(need: Resources, pool: Resources): boolean {
  return fitsWithoutGpus(need, pool) && need.gpus <= pool.gpus + 1e-9;
}

/** Whether the CPUs and the memory of a need can be drawn from a pool. */
export function fitsWithoutGpus(need: Resources, pool: Resources): boolean {
  // Sums of fractions such as 0.1 + 0.2 must not refuse what was just given back.
  return need.cpus <= pool.cpus + 1e-9 && need.memoryBytes <= pool.memoryBytes;
}

/** Whether a slot alone is enough, of whatever worker may take the task. */
export function needsNothing(need: Resources): boolean {
  return need.cpus === 0 && need.memoryBytes === 0 && need.gpus === 0;
}
