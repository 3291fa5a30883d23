/**
 * An evaluator's process: deno with the harness and one module, reading the module's folder and nothing else.
 *
 * Promise: `ended` resolves once, when nothing of the process is left; listeners hear every answer before it.
 * Not here: which attempt gets which process (warm_processes.ts), what an answer means for it (module_attempt.ts).
 *
 * @module
 */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { AnswerReader } from "./answer_reader.ts";
import { encodeFrame, MARK_BYTES } from "./harness/frame.ts";
import type { Answer, Begin } from "./harness/message.ts";
import type { Lifeline } from "./lifeline.ts";
import { Printed } from "./printed.ts";
import { type ProcessGroup, spawnGroup } from "./process_group.ts";
import type { WarmProcess } from "./warm_processes.ts";

/** A module at one state of its file. */
export interface ModuleFile {
  /** Absolute. */
  readonly path: string;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** What a process needs beside its module. */
export interface Runtime {
  readonly deno: string;
  readonly harness: string;
  readonly lifeline: Lifeline;
  /** Limit of V8's heap. Typed arrays lie outside of it. */
  readonly heapMiB: number;
  /** Attempts that a process serves. */
  readonly attemptsMax: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** Whom a process tells. */
export interface ProcessListener {
  answered(answer: Answer): void;
  processEnded(end: ProcessEnd): void;
}

/** Asks for the attempt to stop; an answer that was made before it says so. */
const STOP_SIGNAL = "SIGUSR2";

/** One process, for one module. */
export class ModuleProcess implements WarmProcess<ModuleFile> {
  readonly code: ModuleFile;
  readonly printed = new Printed();
  /** Resolves when nothing of it is alive. */
  readonly ended: Promise<void>;
  /** Is told each answer from now on, and the end. One at a time: a process that serves thousands keeps none of them. */
  listener: ProcessListener | undefined;
  /** The harness spoke in a way that cannot be read. */
  isGarbled = false;
  #isLoaded = false;
  #isEnding = false;
  #attempts = 0;
  readonly #runtime: Runtime;
  readonly #group: ProcessGroup;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  /** @throws Error where the system starts no process */
  constructor(module: ModuleFile, runtime: Runtime) {
    this.code = module;
    this.#runtime = runtime;
    const mark = crypto.getRandomValues(new Uint8Array(MARK_BYTES)).toHex();
    const folder = dirname(module.path);
    this.#group = spawnGroup(
      { program: runtime.deno, args: denoArguments(folder, runtime), folder, environment: environment() },
      runtime.lifeline,
    );
    this.#input = this.#group.input.getWriter();
    this.ended = this.#watch(mark);
    const begin: Begin = {
      mark,
      module: pathToFileURL(module.path).href,
      folder: `${pathToFileURL(folder).href}/`,
    };
    this.#write(encodeFrame(begin));
  }

  get pid(): number {
    return this.#group.pid;
  }

  /** Whether the module was imported, so that a stop reaches the evaluator. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Whether it can take another attempt. */
  get isUsable(): boolean {
    return !this.#isEnding && this.#attempts < this.#runtime.attemptsMax;
  }

  /** Gives it an attempt: the frame of an `Evaluate`. */
  evaluate(frame: Uint8Array<ArrayBuffer>): void {
    this.#attempts += 1;
    this.printed.clear();
    this.#write(frame);
  }

  /** Asks the attempt to stop. */
  requestStop(): void {
    this.#group.signal(STOP_SIGNAL);
  }

  rest(): void {
    this.listener = undefined;
  }

  /** Ends it and all that it started. */
  kill(): void {
    this.#isEnding = true;
    this.#group.kill();
  }

  /** A process that has ended reads nothing; that it ended is told by `ended`. */
  #write(frame: Uint8Array<ArrayBuffer>): void {
    this.#input.write(frame).catch(() => {});
  }

  async #watch(mark: string): Promise<void> {
    const read = Promise.all([this.#readAnswers(mark), this.#readErrors()]);
    const { code, signal } = await this.#group.status;
    this.#isEnding = true;
    await read;
    await this.#input.abort().catch(() => {});
    this.listener?.processEnded({ code, signal });
  }

  async #readAnswers(mark: string): Promise<void> {
    const reader = new AnswerReader(mark, (bytes) => this.printed.add(bytes));
    for await (const chunk of this.#group.output) {
      if (!this.isGarbled) this.#readOrKill(reader, chunk).forEach((answer) => this.#answered(answer));
    }
    reader.end();
  }

  #readOrKill(reader: AnswerReader, chunk: Uint8Array): Answer[] {
    try {
      return reader.push(chunk);
    } catch {
      this.isGarbled = true;
      this.kill();
      return [];
    }
  }

  #answered(answer: Answer): void {
    if (answer.type === "loaded") this.#isLoaded = true;
    if (answer.type === "unloadable") this.#isEnding = true;
    this.listener?.answered(answer);
  }

  async #readErrors(): Promise<void> {
    for await (const chunk of this.#group.errors) this.printed.add(chunk);
  }
}

/** The permissions are the point: its own folder to read, nothing else, and no question asked. */
function denoArguments(folder: string, { harness, heapMiB }: Runtime): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    // What is imported from elsewhere must have been cached by who runs the worker: an evaluator downloads nothing.
    "--cached-only",
    "--node-modules-dir=none",
    configArgument(folder),
    `--allow-read=${folder}`,
    `--v8-flags=--max-old-space-size=${heapMiB}`,
    harness,
  ];
}

/** The folder's own import map counts; one above it would be read from outside of the folder. */
function configArgument(folder: string): string {
  const file = ["deno.json", "deno.jsonc"].map((name) => join(folder, name)).find(exists);
  return file === undefined ? "--no-config" : `--config=${file}`;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What deno needs to find its cache. Nothing else of the worker's environment is passed on: it may hold tokens. */
const PASSED_ON = ["DENO_DIR", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TZ"];

function environment(): Record<string, string> {
  const passed = PASSED_ON.map((name) => [name, Deno.env.get(name)] as const);
  const known = passed.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
}
