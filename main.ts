/**
 * Espalier: the one place that knows all three roles.
 *
 * @module
 */
import { runCli } from "./client/cli/program.ts";
import type { Roles } from "./client/cli/roles.ts";
import { ProcessTerminal } from "./client/cli/terminal.ts";
import { readPage } from "./client/dashboard/assets.ts";
import { startMaster } from "./master/start.ts";
import { startWorker } from "./worker/start.ts";

const roles: Roles = {
  program: import.meta.url,
  startMaster: async (options) => await startMaster({ ...options, assets: await readPage() }),
  startWorker,
};

if (import.meta.main) Deno.exit(await runCli(Deno.args, roles, new ProcessTerminal()));
