/**
 * What a peer of another version or another role said first, as far as it can be understood.
 *
 * @module
 */
import { z } from "zod";
import { decodeFrame } from "../../shared/protocol/codec.ts";

/** Loose on purpose: it reads what no schema of this version takes, only to answer with the right words. */
const firstWords = z.looseObject({
  type: z.string().optional().catch(undefined),
  version: z.looseObject({ major: z.number() }).optional().catch(undefined),
});

/** The type of a frame's first envelope and the major version it names. */
export function peekFirst(
  bytes: Uint8Array,
): { readonly type?: string | undefined; readonly major?: number | undefined } {
  const frame = decodeFrame(bytes, z.unknown());
  const first = firstWords.safeParse(frame.ok ? frame.envelopes[0] : undefined);
  return first.success ? { type: first.data.type, major: first.data.version?.major } : {};
}
