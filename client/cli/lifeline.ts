/**
 * The lifeline: how a process that this program started notices that its parent has ended, however that ended.
 *
 * The parent holds the child's standard input open; the system closes it with the parent. A parent that lives and wants
 * its child to stop says so first.
 *
 * @module
 */
import { Option } from "commander";

/** For whoever starts this program as a part of itself. */
export function lifelineOption(): Option {
  return new Option("--stdin-lifeline", "stop when the standard input closes").hideHelp();
}

/** What a parent says before it lets go of a child that is to stop gracefully. */
export const STOP_WORD: Uint8Array = new TextEncoder().encode("stop\n");

/** How a lifeline ended: the parent let go of it with a word, or is gone. */
export type LifelineEnd = "told" | "cut";

/** Calls once the standard input has closed. */
export async function whenInputCloses(call: (end: LifelineEnd) => void): Promise<void> {
  let end: LifelineEnd = "cut";
  try {
    for await (const _word of Deno.stdin.readable) end = "told";
  } finally {
    call(end);
  }
}
