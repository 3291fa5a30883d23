/**
 * A terminal that remembers, and roles that must not be started.
 *
 * @module
 */
import { runCli } from "../../../client/cli/program.ts";
import type { Roles } from "../../../client/cli/roles.ts";
import type { Terminal } from "../../../client/cli/terminal.ts";

/** A terminal of a test. */
export class FakeTerminal implements Terminal {
  readonly outs: string[] = [];
  readonly notes: string[] = [];
  readonly drawn: string[] = [];
  readonly columns = 100;

  constructor(
    readonly isInteractive = false,
    readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  out(text: string): void {
    this.outs.push(text);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  draw(line: string): void {
    this.drawn.push(line);
  }

  env(name: string): string | undefined {
    return this.environment[name];
  }
}

const NO_ROLES: Roles = {
  program: "main.ts",
  startMaster: () => Promise.reject(new Error("no master is to be started here")),
  startWorker: () => {
    throw new Error("no worker is to be started here");
  },
  rotateTokens: () => Promise.reject(new Error("no tokens are to be changed here")),
  verify: () => ({ kind: "nothing", message: "there is nothing to look at here" }),
};

/** Runs a command line that needs nobody but the given roles. */
export async function runAlone(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  roles: Partial<Roles> = {},
): Promise<{ readonly code: number; readonly out: string; readonly notes: string }> {
  const terminal = new FakeTerminal(false, environment);
  const code = await runCli(args, { ...NO_ROLES, ...roles }, terminal);
  return { code, out: terminal.outs.join("\n"), notes: terminal.notes.join("\n") };
}
