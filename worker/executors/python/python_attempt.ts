/**
 * One attempt in a Python process: from its request to its one end.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { isFileName } from "../../../shared/model/artifact.ts";
import type { Metrics } from "../../../shared/model/outcome.ts";
import { type End, ERROR_LINE_MAX, WARNINGS_MAX } from "../command/command_attempt.ts";
import { ATTEMPT_FILES_MAX } from "../command/command_keeping.ts";
import { LineReader, type MarkedLine, REPORT_MARK } from "../line_reader.ts";
import { readReport } from "../printed_metrics.ts";
import type { OutputFile } from "../output_file.ts";
import type { Running } from "../executor.ts";
import { FATAL_EXIT_CODE } from "../module/harness/failure.ts";
import { Printed } from "../printed.ts";
import type { PythonAnswer, PythonFailure, PythonResult } from "./python_answer.ts";
import type { PythonListener, PythonProcess } from "./python_process.ts";
import { Stopping } from "../processes/stopping.ts";

/** What is given to a process. */
export interface PythonGiven {
  /** Marks the answers to it. */
  readonly id: number;
  /** A request of the harness. */
  readonly line: Uint8Array<ArrayBuffer>;
  /** The attempt's own. */
  readonly folder: string;
  readonly output: OutputFile;
  /** What the names of its snapshots begin with. */
  readonly snapshots: string;
  /** The step of the checkpoint that it goes on from; its reports follow. */
  readonly restoredStep: number | undefined;
  /** Keeps the files of the folder. */
  readonly collect: ((folder: string) => Promise<void>) | undefined;
}

/** Whom an attempt tells. */
export interface PythonAttemptListener {
  report(step: number, metrics: Metrics): void;
  checkpoint(step: number, path: string): void;
  file(name: string, path: string): void;
  output(data: Uint8Array): void;
  /** Something that is not as it should be, and no failure. */
  warns(message: string): void;
  /** Once, last. @param process the process, where it can serve the next attempt */
  ended(end: End, process: PythonProcess | undefined): void;
}

/** The harness could not speak to its worker any more. */
const BROKEN_EXIT_CODE = 74;

/** An attempt that has been given to its process. */
export class PythonAttempt implements Running, PythonListener {
  /** Resolves after `ended` was told. */
  readonly over: Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #process: PythonProcess;
  readonly #given: PythonGiven;
  readonly #listener: PythonAttemptListener;
  readonly #lines = new LineReader((line) => this.#printedReport(line));
  readonly #printed = new Printed();
  readonly #warnings: string[] = [];
  #result: PythonResult | PythonFailure | undefined;
  #lastStep: number;
  #files = 0;
  #isPrinted = false;
  #isOver = false;
  readonly #stopping: Stopping;

  constructor(process: PythonProcess, given: PythonGiven, listener: PythonAttemptListener) {
    this.over = this.#over.promise;
    this.#process = process;
    this.#given = given;
    this.#listener = listener;
    this.#lastStep = given.restoredStep ?? 0;
    this.#stopping = new Stopping({
      // Before the file is imported nobody listens, and nothing is worth waiting for.
      isHeard: () => process.isLoaded,
      ask: () => process.requestStop(),
      kill: () => process.kill(),
    });
    process.listener = this;
    process.evaluate(given.line);
  }

  stop(graceMs: number): void {
    this.#stopping.stop(graceMs);
  }

  answered(answer: PythonAnswer): void {
    if (this.#isOver) return;
    if (answer.type === "loaded") return;
    if (answer.type === "unloadable") {
      this.#result = answer;
      // Its process ends by itself, and its prints with it.
      return;
    }
    // An answer to another attempt would be what that one left behind; its process is not used again.
    if (answer.id !== this.#given.id) return;
    switch (answer.type) {
      case "report":
        return this.#report(answer.step ?? undefined, answer.metrics);
      case "checkpoint":
        return this.#listener.checkpoint(answer.step ?? this.#lastStep, this.#snapshot(answer.snapshot));
      case "file":
        return this.#file(answer.name, this.#snapshot(answer.snapshot));
      case "completed":
      case "failed":
        this.#result = answer;
        return this.#settleIfDone();
    }
  }

  async printed(bytes: Uint8Array): Promise<void> {
    if (this.#isOver) return;
    this.#lines.push(bytes);
    this.#printed.add(bytes);
    this.#listener.output(bytes);
    await this.#given.output.add(bytes);
  }

  printsEnded(id: number): void {
    if (id !== this.#given.id) return;
    this.#isPrinted = true;
    this.#settleIfDone();
  }

  processEnded(status: Deno.CommandStatus): void {
    if (this.#isOver) return;
    this.#lines.end();
    const end = this.#result === undefined ? this.#deathOf(status) : this.#endOf(this.#result);
    void this.#finish(end, undefined);
  }

  /** Something is wrong, and no failure. */
  warn(message: string): void {
    if (this.#warnings.length >= WARNINGS_MAX) return;
    this.#warnings.push(message);
    const isLast = this.#warnings.length === WARNINGS_MAX;
    this.#listener.warns(isLast ? `${message}; further warnings of this attempt are not told` : message);
  }

  #settleIfDone(): void {
    const result = this.#result;
    if (this.#isOver || !this.#isPrinted || result === undefined || result.type === "unloadable") return;
    this.#lines.end();
    const end = this.#endOf(result);
    if (result.left !== null && !this.#stopping.hasBegun) {
      this.warn(
        `the attempt left ${result.left} behind: its Python process is ended with it, not used again`,
      );
    }
    // A stop that crossed the answer would reach the next attempt.
    const isReusable = result.left === null && (!this.#stopping.hasBegun || result.aborted);
    if (!isReusable) this.#process.kill();
    void this.#finish(end, isReusable ? this.#process : undefined);
  }

  async #finish(end: End, reusable: PythonProcess | undefined): Promise<void> {
    this.#isOver = true;
    this.#stopping.over();
    const { output, folder, snapshots, collect } = this.#given;
    if (reusable === undefined) {
      await this.#process.ended;
      await removeParts(snapshots);
    }
    await output.close();
    await collect?.(folder);
    this.#listener.ended(end, reusable);
    this.#over.resolve();
  }

  #printedReport(line: MarkedLine): void {
    if (line.mark !== REPORT_MARK) {
      return this.warn(
        `a printed line ${line.mark} was dropped: in Python, call context.checkpoint or context.artifact`,
      );
    }
    const report = readReport(line);
    if (report.ok) this.#report(report.step, report.metrics);
    else this.warn(`a report was dropped: ${report.message}`);
  }

  #report(step = this.#lastStep + 1, metrics: Metrics): void {
    this.#lastStep = step;
    this.#listener.report(step, metrics);
  }

  #file(name: string, path: string): void {
    this.#files += 1;
    const problem = !isFileName(name)
      ? "that is no name for a file"
      : this.#files > ATTEMPT_FILES_MAX
      ? `an attempt may keep ${ATTEMPT_FILES_MAX}`
      : undefined;
    if (problem === undefined) return this.#listener.file(name, path);
    this.warn(`the file ${name} was dropped: ${problem}`);
    void Deno.remove(path).catch(() => {});
  }

  #snapshot(number: number): string {
    return `${this.#given.snapshots}${number}`;
  }

  /** What was measured before the stop was heard counts; what was returned because of it may be half a measurement. */
  #endOf(result: PythonResult | PythonFailure): End {
    if (result.type !== "completed") return this.#failed(result);
    return result.aborted ? { state: "stopped" } : { state: "completed", metrics: result.metrics };
  }

  #deathOf({ code, signal }: Deno.CommandStatus): End {
    const final = code === FATAL_EXIT_CODE && signal === null;
    return this.#failed({ message: this.#deathInWords(code, signal), stack: "", final });
  }

  /** What was printed goes with the stack and not with the message: failures are compared by their messages. */
  #failed({ message, stack, final }: Pick<PythonFailure, "message" | "stack" | "final">): End {
    if (this.#stopping.hasBegun) return { state: "stopped" };
    const printed = this.#printed.text();
    const details = [
      ...(stack === "" ? [] : [stack]),
      ...this.#warnings.map((warning) => `Warning: ${warning}`),
      ...(printed === "" ? [] : [`Printed:\n${printed}`]),
      `All of it: ${this.#given.folder} on this worker's machine`,
    ];
    const excess = this.#process.excess(message);
    return {
      state: "failed",
      cause: "evaluator",
      message: excess ?? message,
      final,
      stack: details.join("\n\n"),
    };
  }

  #deathInWords(code: number, signal: Deno.Signal | null): string {
    const { isLoaded, isGarbled, code: { path, interpreter } } = this.#process;
    if (isGarbled || (code === BROKEN_EXIT_CODE && signal === null)) {
      return "the evaluator wrote to, or closed, files of its process that it had not opened: its answers were lost";
    }
    if (signal !== null) {
      return `the evaluator's process was ended by ${signal}${SIGNAL_ADVICE[signal] ?? ""}`;
    }
    if (isLoaded) {
      return `the evaluator's process ended with exit code ${code} in the middle of an attempt${
        code === FATAL_EXIT_CODE ? ", which says that another try would fail too" : ""
      }`;
    }
    const said = this.#lines.last?.text.slice(0, ERROR_LINE_MAX);
    return `${interpreter} ended with exit code ${code} before ${path} was imported${
      said === undefined ? "" : `: ${said}`
    }`;
  }
}

/** Copies that were not whole when their process was killed. */
async function removeParts(snapshots: string): Promise<void> {
  const folder = dirname(snapshots), begin = basename(snapshots);
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const isPart = name.startsWith(begin) && name.endsWith(".part");
      if (isPart) await Deno.remove(join(folder, name), { recursive: true });
    }
  } catch {
    // The folder goes with the worker's life, and with it what is in it; the evaluator may have removed it itself.
  }
}

const SIGNAL_ADVICE: Partial<Record<Deno.Signal, string>> = {
  SIGKILL: " (the machine may have run out of memory)",
};
