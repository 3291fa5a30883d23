/**
 * What an evaluator threw, in words for who wrote it.
 *
 * @module
 */
import type { Failure } from "./message.ts";

/** Characters of a message. */
const MESSAGE_MAX = 2_000;
/** Characters of a stack. */
const STACK_MAX = 8_000;
/** An error with this name says that another attempt would only repeat it. */
const FATAL_NAME = "FatalError";
/** An error with this `exitCode` says the same, and so does a process that exits with it (EX_CONFIG of sysexits.h). */
export const FATAL_EXIT_CODE = 78;

/**
 * Describes what was thrown.
 *
 * @param folder URL of the evaluator's folder: only its frames are kept in the stack, and are written from there on
 */
export function describeFailure(thrown: unknown, folder: string): Failure {
  try {
    if (!(thrown instanceof Error)) return describeValue(thrown);
    const message = headline(thrown);
    return {
      message: message.slice(0, MESSAGE_MAX),
      stack: ownStack(thrown, message, folder),
      final: isFinal(thrown),
    };
  } catch {
    // A getter or a toString of theirs threw in its turn.
    return { message: "the evaluator threw something that cannot be read", final: false };
  }
}

function describeValue(thrown: unknown): Failure {
  const value = Deno.inspect(thrown, { depth: 2, colors: false });
  return {
    message: `the evaluator threw ${value}, which is not an Error`.slice(0, MESSAGE_MAX),
    final: isFinal(thrown),
  };
}

/** Deno's advice is for who types a command line. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /, run again with the --allow-\S+ flag/,
    ": an evaluator may read what lies in its own folder, and nothing else",
  ],
  [/,? --cached-only is specified\.?/, ": on this machine, run `deno cache` on the evaluator first"],
];

function isFinal(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  return ("name" in thrown && thrown.name === FATAL_NAME) ||
    ("exitCode" in thrown && thrown.exitCode === FATAL_EXIT_CODE);
}

function headline({ name, message: given }: Error): string {
  const message = ADVICE.reduce((text, [pattern, advice]) => text.replace(pattern, advice), given);
  if (message === "") return name;
  return name === "Error" || name === FATAL_NAME ? message : `${name}: ${message}`;
}

/** The message and the frames that stand in the evaluator's folder. */
function ownStack(error: Error, message: string, folder: string): string | undefined {
  const frames = (error.stack ?? "").split("\n").filter((line) =>
    /^\s+at /.test(line) && line.includes(folder)
  );
  if (frames.length === 0) return undefined;
  return [message, ...frames].join("\n").replaceAll(folder, "").slice(0, STACK_MAX);
}
