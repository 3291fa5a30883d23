/**
 * Facts about the machine that stay as long as the process lives.
 *
 * @module
 */
import { availableParallelism } from "node:os";

/** The machine and the process, as a worker presents them. */
export interface Facts {
  readonly hostname: string;
  /** Such as `linux`. */
  readonly os: string;
  /** Such as `x86_64`. */
  readonly arch: string;
  /** Cores that this process may use. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Deno's version. */
  readonly deno: string;
  readonly pid: number;
}

/** Asks the system. */
export function readFacts(): Facts {
  return {
    hostname: Deno.hostname(),
    os: Deno.build.os,
    arch: Deno.build.arch,
    cpus: availableParallelism(),
    memoryBytes: Deno.systemMemoryInfo().total,
    deno: Deno.version.deno,
    pid: Deno.pid,
  };
}
