/**
 * Finds the harness's answers among whatever the evaluator prints.
 *
 * Promise: prints neither forge an answer nor hide one; what is not an answer is handed on as printed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { isFileName } from "../../../shared/model/artifact.ts";
import { decodeBody, FRAME_BYTES_MAX, LENGTH_BYTES, lengthAt, prefixOf } from "./harness/frame.ts";
import type { Answer } from "./harness/message.ts";
import { isMetrics, type Numbers } from "./harness/metrics.ts";

/** Cuts the output of a harness into answers and prints. */
export class AnswerReader {
  readonly #prefix: Uint8Array;
  readonly #printed: (bytes: Uint8Array) => void;
  #rest = new Uint8Array();

  /**
   * @param mark the harness's mark, hexadecimal
   * @param printed is given all that is not an answer
   */
  constructor(mark: string, printed: (bytes: Uint8Array) => void) {
    this.#prefix = prefixOf(mark);
    this.#printed = printed;
  }

  /**
   * Takes the next piece of output.
   *
   * @returns the answers that are complete with it
   * @throws Error where an answer is broken: prints of another thread came in between, or the evaluator knows the mark
   */
  push(chunk: Uint8Array): Answer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const answers: Answer[] = [];
    let from = 0;
    for (;;) {
      const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(this.#prefix, from);
      // Without a mark, the end may still be the beginning of one; all before it is handed on at once.
      const printedTo = at < 0 ? bytes.length - this.#begunAtEnd(bytes.subarray(from)) : at;
      if (printedTo > from) this.#printed(bytes.subarray(from, printedTo));
      from = printedTo;
      const body = from + this.#prefix.length + LENGTH_BYTES;
      if (at < 0 || body > bytes.length) break;
      const end = body + lengthAt(bytes, body - LENGTH_BYTES);
      if (end - body > FRAME_BYTES_MAX) throw new Error(`an answer of ${end - body} bytes`);
      if (end > bytes.length) break;
      answers.push(parseAnswer(bytes.subarray(body, end)));
      from = end;
    }
    this.#rest = bytes.slice(from);
    return answers;
  }

  /** How many of the last bytes may be the beginning of a mark. */
  #begunAtEnd(bytes: Uint8Array): number {
    const newline = this.#prefix[0];
    for (let length = Math.min(bytes.length, this.#prefix.length - 1); length > 0; length -= 1) {
      const start = bytes.length - length;
      if (bytes[start] !== newline) continue;
      if (this.#prefix.subarray(0, length).every((byte, index) => byte === bytes[start + index])) {
        return length;
      }
    }
    return 0;
  }

  /** The output has ended: what is left was printed. */
  end(): void {
    if (this.#rest.length > 0) this.#printed(this.#rest);
    this.#rest = new Uint8Array();
  }
}

const id = z.int().positive();
const metrics = z.custom<Numbers>(isMetrics);
const failure = { message: z.string(), stack: z.string().optional(), final: z.boolean() };

/** A name that the harness makes; it leads nowhere else. */
const kept = z.string().regex(/^\d+-kept-\d+$/);

const answer: z.ZodType<Answer> = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("loaded") }),
  z.strictObject({ type: z.literal("unloadable"), ...failure }),
  z.strictObject({ type: z.literal("report"), id, step: z.int().nonnegative(), metrics }),
  z.strictObject({ type: z.literal("checkpoint"), id, step: z.int().nonnegative(), file: kept }),
  z.strictObject({ type: z.literal("file"), id, name: z.string().refine(isFileName), file: kept }),
  z.strictObject({ type: z.literal("completed"), id, metrics, aborted: z.boolean(), marked: z.boolean() }),
  z.strictObject({
    type: z.literal("failed"),
    id,
    aborted: z.boolean(),
    marked: z.boolean(),
    spent: z.boolean(),
    ...failure,
  }),
]);

function parseAnswer(body: Uint8Array): Answer {
  return answer.parse(decodeBody(body));
}
