/**
 * The command line: verbs, and what becomes of their errors.
 *
 * Promise: exit code 0 means success, 1 a failure, 2 wrong usage; an error says what is wrong, where, and what to do.
 *
 * @module
 */
import { Command, CommanderError } from "commander";
import { CommandFailed } from "../mod.ts";
import type { CliContext } from "./context.ts";
import { EXIT, Failure, UsageError } from "./failure.ts";
import type { Roles } from "./roles.ts";
import type { Terminal } from "./terminal.ts";
import { addArtifactVerbs } from "./verbs/artifacts.ts";
import { addExperimentVerbs } from "./verbs/experiments.ts";
import { addExportVerb } from "./verbs/export.ts";
import { addFleetVerbs } from "./verbs/fleet.ts";
import { addLogsVerb } from "./verbs/logs.ts";
import { addMasterVerb } from "./verbs/master.ts";
import { addRunVerbs } from "./verbs/run.ts";
import { addSteeringVerbs } from "./verbs/steer.ts";
import { addSubmitVerb } from "./verbs/submit.ts";
import { addVerifyVerb } from "./verbs/verify.ts";
import { addTokensVerb } from "./verbs/tokens.ts";
import { addWorkerVerb } from "./verbs/worker.ts";

/** Errors of the client that come from what the user wrote. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  "bad_address",
  "bad_task",
  "bad_spec",
  "insecure_master",
  "no_master",
  "no_token",
]);

/**
 * Runs one command.
 *
 * @returns the exit code
 */
export async function runCli(args: readonly string[], roles: Roles, terminal: Terminal): Promise<number> {
  const context: CliContext = { terminal, roles, args, exitCode: EXIT.success };
  try {
    await programFor(context).parseAsync([...args], { from: "user" });
    return context.exitCode;
  } catch (error) {
    return tell(error, terminal);
  }
}

function programFor(context: CliContext): Command {
  const { terminal } = context;
  const program = new Command("espalier")
    .description("architecture and hyper-parameter search over many machines")
    .version("0.1.0")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .showHelpAfterError("(--help tells what can be said)");
  addRunVerbs(program, context);
  addSubmitVerb(program, context);
  addExperimentVerbs(program, context);
  addSteeringVerbs(program, context);
  addExportVerb(program, context);
  addArtifactVerbs(program, context);
  addLogsVerb(program, context);
  addMasterVerb(program, context);
  addWorkerVerb(program, context);
  addFleetVerbs(program, context);
  addTokensVerb(program, context);
  addVerifyVerb(program, context);
  return program;
}

function tell(error: unknown, terminal: Terminal): number {
  // Commander has said what was wrong already; to ask for help is not wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.usage;
  if (error instanceof UsageError) return say(error.message, EXIT.usage);
  if (error instanceof CommandFailed) {
    return say(error.sentence, USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failure);
  }
  if (error instanceof Failure) return say(error.message, EXIT.failure);
  // A bug: the stack is for whoever mends it.
  return say(error instanceof Error ? error.stack ?? error.message : String(error), EXIT.failure);

  function say(message: string, code: number): number {
    terminal.note(`error: ${message}`);
    return code;
  }
}
