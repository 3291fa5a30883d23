/**
 * What every verb is given.
 *
 * @module
 */
import type { OutputForm } from "./output.ts";
import type { Roles } from "./roles.ts";
import type { SessionOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** One run of the command line. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly roles: Roles;
  /** As they were given. */
  readonly args: readonly string[];
  /** What the process ends with; 0 unless a verb says otherwise. */
  exitCode: number;
}

/** The options of a verb that asks a master and prints its answer. */
export interface AskOptions extends SessionOptions {
  readonly output: OutputForm;
}
