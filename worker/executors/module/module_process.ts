/**
 * An evaluator's process: deno with the harness and one module, reading the module's folder and writing to a folder of
 * its own; beyond that it may do what its spec asks for and the worker allows.
 *
 * Promise: `ended` resolves once, when nothing of the process is left; listeners hear every answer before it.
 * Not here: which attempt gets which process (warm_processes.ts), what an answer means for it (module_attempt.ts).
 *
 * @module
 */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ModulePermissions } from "../../../shared/model/task.ts";
import { AnswerReader } from "./answer_reader.ts";
import { encodeFrame, MARK_BYTES } from "./harness/frame.ts";
import type { Answer, Begin } from "./harness/message.ts";
import type { Output } from "../executor.ts";
import type { Lifeline } from "../processes/lifeline.ts";
import { excessInWords, type ProcessLimits } from "../processes/limits.ts";
import { permissionArguments } from "./module_permissions.ts";
import { Printed } from "../printed.ts";
import { type ProcessGroup, spawnGroup } from "../processes/process_group.ts";
import { PrintReader } from "../print_reader.ts";
import type { WarmProcess } from "../processes/warm_processes.ts";

/** A module at one state of its file. */
export interface ModuleFile {
  /** Absolute. */
  readonly path: string;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** All that it may read beside its scratch folder, absolute: its own folder, or that of its packed code. */
  readonly root: string;
  /** What else was granted to it. */
  readonly granted: ModulePermissions;
  /** Limit of V8's heap. Typed arrays lie outside of it. */
  readonly heapMiB: number;
  readonly limits: ProcessLimits | undefined;
}

/** Whether a process with one serves for the other. */
export function isSameModule(a: ModuleFile, b: ModuleFile): boolean {
  return a.path === b.path && a.modifiedMs === b.modifiedMs && a.root === b.root && a.heapMiB === b.heapMiB &&
    JSON.stringify(a.limits) === JSON.stringify(b.limits) &&
    JSON.stringify(a.granted) === JSON.stringify(b.granted);
}

/** What a process needs beside its module. */
export interface Runtime {
  readonly deno: string;
  readonly harness: string;
  readonly lifeline: Lifeline;
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
  /** Something was printed, in order with the answers where it is standard output. */
  printed(stream: Output["stream"], bytes: Uint8Array): void;
  /** All that this attempt printed to standard error was told. */
  printsEnded(id: number): void;
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
  /** What it may write to: a folder of the worker's; empty where Deno cannot be told of it. */
  readonly scratch: string;
  #hadTooMuch = false;
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
    this.scratch = makeScratch(runtime.lifeline.folder, mark);
    const args = denoArguments(module, this.scratch, runtime.harness);
    this.#group = spawnGroup(
      {
        program: runtime.deno,
        args,
        folder,
        environment: environment(module.granted.env),
        // V8 reserves more than it uses: the heap has a limit of its own.
        limits: module.limits === undefined ? undefined : { ...module.limits, eachProcess: false },
      },
      runtime.lifeline,
    );
    this.#input = this.#group.input.getWriter();
    this.ended = this.#watch(mark);
    const begin: Begin = {
      mark,
      module: pathToFileURL(module.path).href,
      folder: `${pathToFileURL(folder).href}/`,
      scratch: this.scratch,
    };
    this.#write(encodeFrame(begin));
  }

  /** That more memory was used than there is for it, in words. */
  get excess(): string | undefined {
    return excessInWords(this.#group.memory, this.#hadTooMuch, "");
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
    const read = Promise.all([this.#readAnswers(mark), this.#readErrors(mark)]);
    const { code, signal } = await this.#group.status;
    this.#isEnding = true;
    this.#hadTooMuch = await this.#group.endRest();
    await read;
    await this.#input.abort().catch(() => {});
    if (this.listener === undefined) await this.removeScratch();
    else this.listener.processEnded({ code, signal });
  }

  /** Removes what its attempts left. To be called after the last of them by whoever listened to a process that ended. */
  async removeScratch(): Promise<void> {
    // What is not there any more went with the worker's folder.
    if (this.scratch !== "") await Deno.remove(this.scratch, { recursive: true }).catch(() => {});
  }

  async #readAnswers(mark: string): Promise<void> {
    const reader = new AnswerReader(mark, (bytes) => this.#printed("stdout", bytes));
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

  async #readErrors(mark: string): Promise<void> {
    const reader = new PrintReader(mark);
    for await (const chunk of this.#group.errors) {
      for (const piece of reader.push(chunk)) {
        if ("endOf" in piece) this.listener?.printsEnded(piece.endOf);
        else this.#printed("stderr", piece);
      }
    }
    const rest = reader.end();
    if (rest.length > 0) this.#printed("stderr", rest);
  }

  #printed(stream: Output["stream"], bytes: Uint8Array): void {
    this.printed.add(bytes);
    this.listener?.printed(stream, bytes);
  }
}

function makeScratch(folder: string, name: string): string {
  const scratch = join(folder, "modules", name);
  if (scratch.includes(",")) return "";
  Deno.mkdirSync(scratch, { recursive: true, mode: 0o700 });
  return scratch;
}

/** The permissions are the point: its own folders, what else was granted, and no question asked. */
function denoArguments(
  { path, root, granted, heapMiB }: ModuleFile,
  scratch: string,
  harness: string,
): string[] {
  const own = scratch === "" ? [] : [scratch];
  const read = [root, ...own, ...granted.read ?? []].join(",");
  const write = [...own, ...granted.write ?? []].join(",");
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    // What is imported from elsewhere must have been cached by who runs the worker: an evaluator downloads nothing.
    "--cached-only",
    "--node-modules-dir=none",
    configArgument(dirname(path), root),
    `--allow-read=${read}`,
    ...(write === "" ? [] : [`--allow-write=${write}`]),
    ...permissionArguments(granted),
    `--v8-flags=--max-old-space-size=${heapMiB}`,
    harness,
  ];
}

/** Its folder's own import map counts, or that of its code's; one above would be read from outside. */
function configArgument(folder: string, root: string): string {
  const file = [folder, root].flatMap((each) => [join(each, "deno.json"), join(each, "deno.jsonc")]).find(
    exists,
  );
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

function environment(granted: readonly string[] = []): Record<string, string> {
  const asked = granted.filter((name) => !name.startsWith("ESPALIER_"));
  const passed = [...PASSED_ON, ...asked].map((name) => [name, Deno.env.get(name)] as const);
  const known = passed.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
}
