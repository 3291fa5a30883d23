/**
 * Facts about the machine that stay as long as the process lives.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import config from "../../deno.json" with { type: "json" };
import type { WorkerFacts } from "../../shared/protocol/worker_envelopes.ts";

/** Asks the system. `cpus` are the cores that this process may use. */
export function readFacts(): WorkerFacts {
  return {
    hostname: Deno.hostname(),
    os: Deno.build.os,
    arch: Deno.build.arch,
    cpus: availableParallelism(),
    memoryBytes: Deno.systemMemoryInfo().total,
    pid: Deno.pid,
    runtime: `deno ${Deno.version.deno}`,
    software: `espalier ${config.version}`,
  };
}
