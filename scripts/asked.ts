/**
 * What a task was asked for on its command line.
 *
 * Promise: `--help` tells how the task is used and ends with 0; what cannot be meant is told in a sentence, with the same
 * help, and ends with 2: nobody who mistypes a flag gets a stack trace, or a run of nothing that says that all is well.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";

const MISUSED = 2;

/** Reads the command line. Ends the process where it asks for help, or is wrong. */
export function asked<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    console.log(usage);
    Deno.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    // Node's own words name the flag and what is wrong with it.
    return misused(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Says what is wrong, and how the task is used; ends the process. */
export function misused(usage: string, why: string): never {
  console.error(`error: ${why}\n\n${usage}`);
  Deno.exit(MISUSED);
}

/** A whole number from `min` on, or the end of the process. */
export function wholeNumber(usage: string, flag: string, text: string, min: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= min) return number;
  return misused(usage, `${flag} takes a whole number from ${min} on, not "${text}"`);
}
