/**
 * One attempt of a command: from its start to its one end, when nothing of it is alive.
 *
 * @module
 */
import type { Metrics } from "../../../shared/model/outcome.ts";
import type { CommandResult } from "../../../shared/model/task.ts";
import { CommandKeeping } from "./command_keeping.ts";
import { LineReader, type MarkedLine, REPORT_MARK } from "../line_reader.ts";
import {
  readLastLine,
  type ReadMetrics,
  readReport,
  readResultFile,
  RESULT_FILE,
} from "../printed_metrics.ts";
import type { OutputFile } from "../output_file.ts";
import type { ExecutorEvent, Output, Running } from "../executor.ts";
import { FATAL_EXIT_CODE } from "../module/harness/failure.ts";
import { excessInWords } from "../processes/limits.ts";
import { Printed } from "../printed.ts";
import type { ProcessGroup } from "../processes/process_group.ts";
import { Stopping } from "../processes/stopping.ts";

/** How an attempt ends. */
export type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

/** What has been started. */
export interface StartedCommand {
  readonly group: ProcessGroup;
  /** The attempt's own. */
  readonly folder: string;
  readonly result: CommandResult | undefined;
  readonly output: OutputFile;
  readonly errors: OutputFile;
  /** Its checkpoints'. */
  readonly checkpoints: string;
  /** What the names of its snapshots begin with. */
  readonly snapshots: string;
  /** The step of the checkpoint that it goes on from; its reports follow. */
  readonly restoredStep: number | undefined;
  /** Keeps the files of the folder. */
  readonly collect: ((folder: string) => Promise<void>) | undefined;
}

/** Whom an attempt tells. */
export interface CommandListener {
  report(step: number, metrics: Metrics): void;
  checkpoint(step: number, path: string): void;
  file(name: string, path: string): void;
  output(stream: Output["stream"], data: Uint8Array): void;
  /** Something that is not as it should be, and no failure. */
  warns(message: string): void;
  /** Once, last. */
  ended(end: End): void;
}

/** So many warnings of one attempt are told. */
export const WARNINGS_MAX = 5;
/** The pipes of a program that left nothing behind are read to their end by then; what was killed is gone meanwhile. */
export const PIPES_CLOSE_MS = 20;
/** What it left behind may hold the pipes; once it was ended they have this time. */
export const STRAYS_CLOSE_MS = 2_000;
/** The last line of standard error stands in a failure's message so far, in characters. */
export const ERROR_LINE_MAX = 300;

/** An attempt whose program has been started. */
export class CommandAttempt implements Running {
  /** Resolves after `ended` was told. */
  readonly over: Promise<void>;
  readonly #started: StartedCommand;
  readonly #listener: CommandListener;
  readonly #outputLines = new LineReader((line) => this.#said(line));
  readonly #errorLines = new LineReader(() => {});
  readonly #printed = new Printed();
  readonly #readers: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>[] = [];
  readonly #warnings: string[] = [];
  #lastReport: Metrics | undefined;
  #lastStep: number;
  readonly #keeping: CommandKeeping;
  /** Whether the system ended any of it for want of memory. */
  #hadTooMuch = false;
  readonly #stopping: Stopping;

  constructor(started: StartedCommand, listener: CommandListener) {
    this.#started = started;
    this.#listener = listener;
    const { group, folder, checkpoints, snapshots, restoredStep = 0 } = started;
    this.#lastStep = restoredStep;
    this.#keeping = new CommandKeeping({ folder, checkpoints, snapshots }, {
      checkpoint: (step, path) => listener.checkpoint(step, path),
      file: (name, path) => listener.file(name, path),
      warns: (message) => this.warn(message),
    });
    this.#stopping = new Stopping({ ask: () => group.signalGroup("SIGTERM"), kill: () => group.kill() });
    // Nobody has anything to say to a program.
    started.group.input.close().catch(() => {});
    this.over = this.#watch();
  }

  stop(graceMs: number): void {
    this.#stopping.stop(graceMs);
  }

  /** Something is wrong, and no failure. */
  warn(message: string): void {
    if (this.#warnings.length >= WARNINGS_MAX) return;
    this.#warnings.push(message);
    const isLast = this.#warnings.length === WARNINGS_MAX;
    this.#listener.warns(isLast ? `${message}; further warnings of this attempt are not told` : message);
  }

  async #watch(): Promise<void> {
    const { group, output, errors, folder, collect } = this.#started;
    const read = Promise.all([
      this.#read("stdout", group.output, output, this.#outputLines),
      this.#read("stderr", group.errors, errors, this.#errorLines),
    ]);
    const status = await group.status;
    // What it measured before counts; nothing of it is alive for long.
    this.#stopping.over();
    await this.#endLeftovers(read);
    await Promise.all([output.close(), errors.close()]);
    await this.#keeping.done();
    await collect?.(folder);
    this.#listener.ended(await this.#endOf(status));
  }

  /** Its group has been killed by now. Who left it is found all the same, and may hold the pipes. */
  async #endLeftovers(read: Promise<unknown>): Promise<void> {
    await within(PIPES_CLOSE_MS, read);
    this.#hadTooMuch = await this.#started.group.endRest();
    // Where strays cannot be found, they are not waited for.
    const isRead = await within(STRAYS_CLOSE_MS, read);
    if (!isRead) await Promise.all(this.#readers.map((reader) => reader.cancel()));
    await read;
  }

  async #read(
    name: Output["stream"],
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    file: OutputFile,
    lines: LineReader,
  ): Promise<void> {
    const reader = stream.getReader();
    this.#readers.push(reader);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      lines.push(value);
      this.#printed.add(value);
      this.#listener.output(name, value);
      await file.add(value);
    }
    lines.end();
  }

  #said(line: MarkedLine): void {
    if (line.mark !== REPORT_MARK) return this.#keeping.said(line, this.#lastStep);
    const report = readReport(line);
    if (!report.ok) return this.warn(`a report was dropped: ${report.message}`);
    const { step = this.#lastStep + 1, metrics } = report;
    this.#lastStep = step;
    this.#lastReport = metrics;
    this.#listener.report(step, metrics);
  }

  async #endOf({ code, signal }: Deno.CommandStatus): Promise<End> {
    if (this.#stopping.hasBegun) return { state: "stopped" };
    if (code === 0 && signal === null) {
      const read = await this.#metrics();
      return read.ok ? { state: "completed", metrics: read.metrics } : this.#failed(read.message, false);
    }
    const death = signal === null
      ? `the command ended with exit code ${code}${CODE_ADVICE[code] ?? ""}`
      : `the command was ended by ${signal}${SIGNAL_ADVICE[signal] ?? ""}`;
    const said = this.#errorLines.last?.text.slice(0, ERROR_LINE_MAX);
    const excess = excessInWords(this.#started.group.memory, this.#hadTooMuch, said ?? "");
    const isFinal = code === FATAL_EXIT_CODE && signal === null;
    return this.#failed(excess ?? (said === undefined ? death : `${death}: ${said}`), isFinal);
  }

  async #metrics(): Promise<ReadMetrics> {
    const { result, folder } = this.#started;
    switch (result) {
      case "exit_code":
        return { ok: true, metrics: { exitCode: 0 } };
      case "last_line":
        return readLastLine(this.#outputLines.last);
      case "file":
        return await readResultFile(folder) ?? {
          ok: false,
          message:
            `the command left no ${RESULT_FILE} in its ESPALIER_DIR, where the spec's "result: file" expects its metrics`,
        };
      case undefined: {
        const inFile = await readResultFile(folder);
        if (inFile !== undefined) return inFile;
        if (this.#lastReport !== undefined) return { ok: true, metrics: this.#lastReport };
        return { ok: false, message: NO_METRICS };
      }
    }
  }

  /** What was printed goes with the stack and not with the message: failures are compared by their messages. */
  #failed(message: string, final: boolean): End {
    const printed = this.#printed.text();
    const details = [
      ...this.#warnings.map((warning) => `Warning: ${warning}`),
      ...(printed === "" ? [] : [`Printed:\n${printed}`]),
      `All of it: ${this.#started.folder} on this worker's machine`,
    ];
    return { state: "failed", cause: "evaluator", message, final, stack: details.join("\n\n") };
  }
}

/** Whether something was done within a time. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, ms, false));
  const isDone = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}

const NO_METRICS =
  `the command ended well and said no metrics: expected a line such as [tune-metric]: {"accuracy": 0.97} on standard ` +
  `output, or a ${RESULT_FILE} in its ESPALIER_DIR, or "result: exit_code" in the spec`;

const CODE_ADVICE: Readonly<Record<number, string>> = {
  [FATAL_EXIT_CODE]: ", which says that another try would fail too",
  126: ": something that it was to run is not executable",
  127: ": something that it was to run was not found",
};

const SIGNAL_ADVICE: Partial<Record<Deno.Signal, string>> = {
  SIGKILL: " (the machine may have run out of memory)",
};
