/**
 * Frames: a msgpack array of envelopes in one binary WebSocket message.
 *
 * Promise: what a frame yields has passed its schema; what does not fit is a value that says where, never an exception.
 * Not here: what to do with it (the sessions and links).
 *
 * @module
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import type { z } from "zod";
import { FRAME_BYTES_MAX, FRAME_ENVELOPES_MAX, FRAME_LEVELS_MAX, REGISTER_LEASES_MAX } from "./limits.ts";
import { isOutsized } from "./nesting.ts";

/** What was wrong with a frame. */
export interface FrameProblem {
  readonly code: "too_large" | "malformed" | "too_many" | "schema";
  readonly message: string;
  /** Where, such as `[3].task`. */
  readonly path: string;
  readonly advice: string;
}

/** The envelopes of a frame, or what was wrong. */
export type Frame<T> = { readonly ok: true; readonly envelopes: readonly T[] } | {
  readonly ok: false;
  readonly problem: FrameProblem;
};

/**
 * A frame so short cannot nest deep enough to cost more than two megabytes: without arrays that announce more than fifteen
 * elements it need not be looked through.
 */
const NESTING_HARMLESS_BYTES = 16 * 1024;
/** The codes of those arrays. They may stand in texts and payloads as well: then the look was for nothing. */
const LONG_ARRAYS = [0xdc, 0xdd];

// Both are reused: making one costs more than a small message.
const encoder = new Encoder({
  ignoreUndefined: true,
  initialBufferSize: 64 * 1024,
  maxDepth: FRAME_LEVELS_MAX,
});
const decoder = new Decoder({
  maxStrLength: FRAME_BYTES_MAX,
  maxBinLength: FRAME_BYTES_MAX,
  maxArrayLength: REGISTER_LEASES_MAX,
  maxMapLength: 65_536,
  maxExtLength: 0,
});

/** Encodes any value as msgpack. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(value);
}

/** Decodes msgpack. @throws where the bytes are no msgpack: for bytes of our own making */
export function decode(bytes: Uint8Array): unknown {
  return decoder.decode(bytes);
}

/** Puts envelopes into as few frames as the limits allow. @throws RangeError where one alone is over the limit: a bug */
export function encodeFrames(envelopes: readonly unknown[]): Uint8Array<ArrayBuffer>[] {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let from = 0; from < envelopes.length; from += FRAME_ENVELOPES_MAX) {
    addFrames(
      envelopes.length <= FRAME_ENVELOPES_MAX ? envelopes : envelopes.slice(from, from + FRAME_ENVELOPES_MAX),
      frames,
    );
  }
  return frames;
}

function addFrames(envelopes: readonly unknown[], frames: Uint8Array<ArrayBuffer>[]): void {
  const bytes = encode(envelopes);
  if (bytes.byteLength <= FRAME_BYTES_MAX) {
    frames.push(bytes);
    return;
  }
  if (envelopes.length === 1) {
    throw new RangeError(`an envelope of ${bytes.byteLength} bytes is over the limit of ${FRAME_BYTES_MAX}`);
  }
  const half = envelopes.length >> 1;
  addFrames(envelopes.slice(0, half), frames);
  addFrames(envelopes.slice(half), frames);
}

/** Takes a frame apart and checks each envelope. */
export function decodeFrame<T>(bytes: Uint8Array, schema: z.ZodType<T>): Frame<T> {
  if (bytes.byteLength > FRAME_BYTES_MAX) {
    return problem(
      "too_large",
      `the frame has ${bytes.byteLength} bytes`,
      "",
      `at most ${FRAME_BYTES_MAX} are taken`,
    );
  }
  const list = readList(bytes);
  if (list === undefined) {
    return problem("malformed", "the frame is no msgpack array", "", "see docs/protocol.md");
  }
  if (list.length > FRAME_ENVELOPES_MAX) {
    return problem(
      "too_many",
      `the frame has ${list.length} envelopes`,
      "",
      `at most ${FRAME_ENVELOPES_MAX} are taken`,
    );
  }
  const envelopes: T[] = [];
  for (let index = 0; index < list.length; index++) {
    const checked = schema.safeParse(list[index]);
    if (!checked.success) return schemaProblem(index, checked.error);
    envelopes.push(checked.data);
  }
  return { ok: true, envelopes };
}

function readList(bytes: Uint8Array): readonly unknown[] | undefined {
  const isHarmless = bytes.byteLength <= NESTING_HARMLESS_BYTES &&
    LONG_ARRAYS.every((code) => !bytes.includes(code));
  if (!isHarmless && isOutsized(bytes)) return undefined;
  try {
    const value = decoder.decode(bytes);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function schemaProblem(index: number, error: z.ZodError): Frame<never> {
  const issue = error.issues[0];
  const inner = (issue?.path ?? []).map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`)
    .join("");
  // What a peer sent may be long, and ends in a log.
  return problem(
    "schema",
    (issue?.message ?? "does not fit").slice(0, 500),
    `[${index}]${inner}`.slice(0, 500),
    "see docs/protocol.md",
  );
}

function problem(code: FrameProblem["code"], message: string, path: string, advice: string): Frame<never> {
  return { ok: false, problem: { code, message, path, advice } };
}
