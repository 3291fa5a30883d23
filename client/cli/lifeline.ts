/**
 * The lifeline: how a process that this program started notices that its parent has ended, however that ended.
 *
 * The parent holds the child's standard input open and never writes to it; the system closes it with the parent.
 *
 * @module
 */
import { Option } from "commander";

/** For whoever starts this program as a part of itself. */
export function lifelineOption(): Option {
  return new Option("--stdin-lifeline", "stop when the standard input closes").hideHelp();
}

/** Calls once the standard input has closed. */
export async function whenInputCloses(call: () => void): Promise<void> {
  try {
    for await (const _bytes of Deno.stdin.readable) {
      // Nothing is said on a lifeline.
    }
  } finally {
    call();
  }
}
