/**
 * Espalier: the one place that knows all three roles.
 *
 * @module
 */
import { runCli } from "./client/cli/program.ts";
import type { Roles, Verification } from "./client/cli/roles.ts";
import { ProcessTerminal } from "./client/cli/terminal.ts";
import { readPage } from "./client/dashboard/assets.ts";
import { rotateTokens } from "./master/gateway/tokens_file.ts";
import { startMaster } from "./master/start.ts";
import { storeFile, verifyStore } from "./master/verify/verify.ts";
import { startWorker } from "./worker/start.ts";
import { readWorkerFolder } from "./worker/verify/waiting_results.ts";

const roles: Roles = {
  program: import.meta.url,
  startMaster: async (options) => await startMaster({ ...options, assets: await readPage() }),
  startWorker,
  rotateTokens: async (folder, roles, graceMs) => {
    const rotated = await rotateTokens(folder, { roles, graceMs, nowMs: Date.now() });
    return rotated.ok ? undefined : `${rotated.message}; ${rotated.advice}`;
  },
  verify,
};

/** A folder may be a master's or a worker's, a file is a store's. */
function verify(path: string): Verification {
  const file = storeFile(path);
  if (file !== undefined) {
    const verified = verifyStore(file);
    return verified.ok
      ? { kind: "store", report: verified.report }
      : { kind: "nothing", message: verified.message };
  }
  const report = readWorkerFolder(path);
  if (report !== undefined) return { kind: "worker", report };
  return {
    kind: "nothing",
    message: `${path} is no data folder of a master or a worker, and no store's file`,
  };
}

if (import.meta.main) Deno.exit(await runCli(Deno.args, roles, new ProcessTerminal()));
