/**
 * What the processes of an attempt may use, and how it is said that they used more.
 *
 * @module
 */
import type { Attempt } from "../executor.ts";

/** Limits of one process and of what it starts. */
export interface ProcessLimits {
  /** Where there are control groups, of all its processes together; elsewhere of the data of each. */
  readonly memoryBytes?: number | undefined;
  /** Cores; where there are no control groups, said to libraries and not enforced. */
  readonly cpus?: number | undefined;
  /**
   * Whether a limit of each process may stand in where there are no control groups: one that a runtime which reserves more
   * than it uses lives with.
   */
  readonly eachProcess?: boolean | undefined;
}

/** How a limit of memory is kept. */
export interface MemoryLimit {
  readonly bytes: number;
  readonly of: "group" | "each process";
}

/** Limits are kept by default. */
export interface LimitOptions {
  /** Whether attempts are held to the memory and the cores that their tasks ask for; by default they are. */
  readonly limits?: boolean | undefined;
  /** Whether control groups are used where they can be; by default they are. */
  readonly cgroups?: boolean | undefined;
}

/** The limits of an attempt; undefined where its task asks for nothing. */
export function limitsOf(
  { resources, devices }: Pick<Attempt, "resources" | "devices">,
  { limits = true }: LimitOptions,
): ProcessLimits | undefined {
  const { memoryBytes = 0, cpus = 0, gpus = 0 } = resources ?? {};
  if (!limits || (memoryBytes === 0 && cpus === 0)) return undefined;
  return {
    ...(memoryBytes === 0 ? {} : { memoryBytes }),
    ...(cpus === 0 ? {} : { cpus }),
    // The drivers of GPUs map far more than they use.
    eachProcess: gpus === 0 && (devices ?? []).length === 0,
  };
}

/** What numerical libraries are told of their cores, unless the spec tells them otherwise. */
export function threadVariables(limits: ProcessLimits | undefined): Readonly<Record<string, string>> {
  if (limits?.cpus === undefined) return {};
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(limits.cpus))) };
}

/**
 * That more memory was used than was asked for, in words.
 *
 * @param said what the evaluator says of its failure
 * @returns undefined where there is no sign of it
 */
export function excessInWords(
  limit: MemoryLimit | undefined,
  wasKilled: boolean,
  said: string,
): string | undefined {
  if (limit === undefined) return undefined;
  if (wasKilled) return `the evaluator used more memory than its ${amountInWords(limit.bytes)}`;
  if (limit.of !== "each process" || !NO_MEMORY.test(said)) return undefined;
  return `the evaluator used more memory than the ${
    amountInWords(limit.bytes)
  } that each of its processes may: ${said}`;
}

/** What Python, C++, the C library, Go and Java say when they get no more. */
const NO_MEMORY =
  /MemoryError|bad_alloc|cannot allocate memory|out of memory|OutOfMemoryError|memory exhausted/i;

const MIB = 1024 * 1024;

function amountInWords(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${bytes} bytes`;
}
