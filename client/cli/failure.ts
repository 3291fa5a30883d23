/**
 * Why a verb did not do what it was asked.
 *
 * @module
 */

/** The exit codes of the command line. */
export const EXIT = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Something went wrong in the world: exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** The user asked for something that makes no sense: exit code 2. The message says what to do instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
