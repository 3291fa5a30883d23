/**
 * What a Python harness says to its worker: JSON, one answer a line.
 *
 * Promise: a line that is no answer, or longer than any answer, is an error; nothing of it is kept.
 * Not here: what is printed, which has a pipe of its own (print_reader.ts).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { isMetrics, type Numbers } from "../module/harness/metrics.ts";

/** An answer is at most so long, in bytes: 256 metrics with long names, or a message and a traceback, take less. */
export const ANSWER_BYTES_MAX = 1024 * 1024;

const id = z.int().positive();
const metrics = z.custom<Numbers>(isMetrics);
const failure = { message: z.string(), stack: z.string(), final: z.boolean() };
const ended = {
  id,
  /** The evaluator had been asked to stop. */
  aborted: z.boolean(),
  /** What it left behind, in words: its process must not be used again. */
  left: z.string().nullable(),
};

const answer = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("loaded") }),
  z.strictObject({ type: z.literal("unloadable"), ...failure }),
  z.strictObject({ type: z.literal("report"), id, step: z.int().nonnegative().nullable(), metrics }),
  z.strictObject({ type: z.literal("checkpoint"), id, step: z.int().nonnegative().nullable(), snapshot: id }),
  z.strictObject({ type: z.literal("file"), id, name: z.string(), snapshot: id }),
  z.strictObject({ type: z.literal("completed"), ...ended, metrics }),
  z.strictObject({ type: z.literal("failed"), ...ended, ...failure }),
]);

/** An answer of a Python harness. */
export type PythonAnswer = z.output<typeof answer>;
/** Why something did not work, in words. */
export type PythonFailure = Extract<PythonAnswer, { type: "unloadable" }>;
/** The one answer to an attempt. */
export type PythonResult = Extract<PythonAnswer, { type: "completed" | "failed" }>;

/** Cuts the answers' pipe into answers. */
export class PythonAnswers {
  #rest: Uint8Array = new Uint8Array();

  /**
   * Takes the next piece.
   *
   * @returns the answers that are complete with it
   * @throws Error where something else was written
   */
  push(chunk: Uint8Array): PythonAnswer[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const answers: PythonAnswer[] = [];
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) break;
      answers.push(parse(bytes.subarray(from, end)));
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
    if (this.#rest.length > ANSWER_BYTES_MAX) throw new Error("an answer without an end");
    return answers;
  }
}

const NEWLINE = 10;

function parse(line: Uint8Array): PythonAnswer {
  if (line.length > ANSWER_BYTES_MAX) throw new Error(`an answer of ${line.length} bytes`);
  return answer.parse(JSON.parse(new TextDecoder().decode(line)));
}
