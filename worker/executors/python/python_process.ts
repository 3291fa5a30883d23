/**
 * An evaluator's process: an interpreter with the harness and one file.
 *
 * Promise: `ended` resolves once, when nothing of the process is left, also of what left its group; listeners hear every
 * answer and every print before it.
 * Not here: which attempt gets which process (warm_processes.ts), what an answer means for it (python_attempt.ts).
 *
 * @module
 */
import { dirname } from "node:path";
import { STRAYS_CLOSE_MS, within } from "../command/command_attempt.ts";
import { MARK_BYTES } from "../module/harness/frame.ts";
import type { Lifeline } from "../processes/lifeline.ts";
import { excessInWords, type ProcessLimits } from "../processes/limits.ts";
import { type ProcessGroup, spawnGroup } from "../processes/process_group.ts";
import { type PythonAnswer, PythonAnswers } from "./python_answer.ts";
import { type PrintPiece, PrintReader } from "../print_reader.ts";
import type { WarmProcess } from "../processes/warm_processes.ts";

/** A file at one state, and how it is run. */
export interface PythonCode {
  /** Absolute. */
  readonly path: string;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Absolute. */
  readonly interpreter: string;
  /** All of its environment but what is said to each attempt. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits | undefined;
  /** Attempts that a process serves. */
  readonly attemptsMax: number;
}

/** What a process needs beside its code. */
export interface PythonRuntime {
  readonly harness: string;
  readonly lifeline: Lifeline;
}

/** Whom a process tells. */
export interface PythonListener {
  answered(answer: PythonAnswer): void;
  /** Resolves when more may come. */
  printed(bytes: Uint8Array): Promise<void>;
  /** All prints of an attempt were told. */
  printsEnded(id: number): void;
  processEnded(end: Deno.CommandStatus): void;
}

/** One process, for one file. */
export class PythonProcess implements WarmProcess<PythonCode> {
  readonly code: PythonCode;
  /** Resolves when nothing of it is alive. */
  readonly ended: Promise<void>;
  /** Is told all from now on, one at a time. */
  listener: PythonListener | undefined;
  /** Something else was written in place of an answer. */
  isGarbled = false;
  #hadTooMuch = false;
  #isLoaded = false;
  #isEnding = false;
  #attempts = 0;
  readonly #group: ProcessGroup;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #readers: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>[] = [];

  /** @throws Error where the system starts no process */
  constructor(code: PythonCode, { harness, lifeline }: PythonRuntime) {
    this.code = code;
    this.#group = spawnGroup({
      program: code.interpreter,
      args: [harness],
      folder: dirname(code.path),
      environment: code.environment,
      limits: code.limits,
    }, lifeline);
    this.#input = this.#group.input.getWriter();
    const printMark = crypto.getRandomValues(new Uint8Array(MARK_BYTES)).toHex();
    this.ended = this.#watch(printMark);
    this.#say({ mark: printMark, path: code.path });
  }

  /** Whether the file was imported, so that a stop reaches the evaluator. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** That more memory was used than there is for it, in words. @param said what the evaluator says of its failure */
  excess(said: string): string | undefined {
    return excessInWords(this.#group.memory, this.#hadTooMuch, said);
  }

  get isUsable(): boolean {
    return !this.#isEnding && this.#attempts < this.code.attemptsMax;
  }

  /** Gives it an attempt: a request of the harness as one line. */
  evaluate(line: Uint8Array<ArrayBuffer>): void {
    this.#attempts += 1;
    this.#write(line);
  }

  /** Asks the attempt to stop, and what it started. */
  requestStop(): void {
    this.#group.signalGroup("SIGTERM");
  }

  rest(): void {
    this.listener = undefined;
  }

  kill(): void {
    this.#isEnding = true;
    this.#group.kill();
  }

  #say(message: unknown): void {
    this.#write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  /** A process that has ended reads nothing; that it ended is told by `ended`. */
  #write(line: Uint8Array<ArrayBuffer>): void {
    this.#input.write(line).catch(() => {});
  }

  async #watch(printMark: string): Promise<void> {
    const read = Promise.all([this.#readAnswers(), this.#readPrints(printMark)]);
    const status = await this.#group.status;
    this.#isEnding = true;
    this.#hadTooMuch = await this.#group.endRest();
    // Where strays cannot be found, they are not waited for.
    if (!await within(STRAYS_CLOSE_MS, read)) {
      await Promise.all(this.#readers.map((reader) => reader.cancel()));
    }
    await read;
    await this.#input.abort().catch(() => {});
    this.listener?.processEnded(status);
  }

  async #readAnswers(): Promise<void> {
    const answers = new PythonAnswers();
    for await (const chunk of this.#chunks(this.#group.output)) {
      if (!this.isGarbled) this.#readOrKill(answers, chunk).forEach((answer) => this.#answered(answer));
    }
  }

  #readOrKill(answers: PythonAnswers, chunk: Uint8Array): PythonAnswer[] {
    try {
      return answers.push(chunk);
    } catch {
      this.isGarbled = true;
      this.kill();
      return [];
    }
  }

  #answered(answer: PythonAnswer): void {
    if (answer.type === "loaded") this.#isLoaded = true;
    if (answer.type === "unloadable") this.#isEnding = true;
    this.listener?.answered(answer);
  }

  async #readPrints(printMark: string): Promise<void> {
    const prints = new PrintReader(printMark);
    for await (const chunk of this.#chunks(this.#group.errors)) {
      for (const piece of prints.push(chunk)) await this.#printed(piece);
    }
    await this.#printed(prints.end());
  }

  async #printed(piece: PrintPiece): Promise<void> {
    if ("endOf" in piece) this.listener?.printsEnded(piece.endOf);
    else await this.listener?.printed(piece);
  }

  async *#chunks(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array> {
    const reader = stream.getReader();
    this.#readers.push(reader);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  }
}
