/**
 * What an attempt is given: its payload, decoded once, here.
 *
 * @module
 */
import { decode } from "@msgpack/msgpack";
import type { TaskInput } from "../../shared/model/task.ts";

/** The seed of an attempt whose task has none. */
export const SEED_DEFAULT = 0;

/**
 * Decodes a payload.
 *
 * @returns the input, or a sentence that says why it is none
 */
export function decodeInput(payload: Uint8Array): TaskInput | string {
  let decoded: unknown;
  try {
    decoded = decode(payload);
  } catch (error) {
    return `the payload is not msgpack: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof decoded !== "object" || decoded === null || !("candidate" in decoded)) {
    return "the payload has no candidate: it must be a msgpack map with the key candidate";
  }
  const seed = "seed" in decoded ? decoded.seed : undefined;
  if (seed !== undefined && seed !== null && !Number.isSafeInteger(seed)) {
    return `the payload's seed is ${String(seed)}; it must be a whole number`;
  }
  return {
    candidate: decoded.candidate,
    architecture: "architecture" in decoded ? decoded.architecture ?? undefined : undefined,
    seed: typeof seed === "number" ? seed : undefined,
  };
}
