/**
 * Evaluators that are functions in Python files: `evaluate(candidate, context)` in a process that is kept for many attempts.
 *
 * Promise: what an attempt started, or left behind, is gone at its end, and all of it with the worker; its environment
 * holds nothing of the worker's but what is named. It runs with the rights of the worker's user.
 * Not here: what runs in the process (python/), what an answer means (python_attempt.ts).
 *
 * @module
 */
import { attemptTo, endAtOnce, refuse } from "../refused.ts";
import { dirname, join, resolve } from "node:path";
import type { PythonEvaluator, TaskInput } from "../../../shared/model/task.ts";
import { deviceEnvironment } from "../../devices/environment.ts";
import { type Refusal, refusal } from "../command/command_start.ts";
import { OutputFile } from "../output_file.ts";
import { environmentOf, findProgram } from "../find_program.ts";
import { AtClose } from "../at_close.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../executor.ts";
import { decodeInput } from "../input.ts";
import { endEarlierLives } from "../processes/lifeline.ts";
import { limitsOf, type ProcessLimits, threadVariables } from "../processes/limits.ts";
import { PythonAttempt, type PythonGiven } from "./python_attempt.ts";
import { openPythonPlace, PYTHON_LIFELINE, type PythonOptions, type PythonPlace } from "./python_place.ts";
import { type PythonCode, PythonProcess } from "./python_process.ts";
import { INTERPRETER_DEFAULT } from "./python_program.ts";
import { requestLine } from "./python_request.ts";

/** What an attempt printed, in its folder: standard output and standard error as they came. */
export const PRINTS_FILE = "output.txt";

/**
 * An executor of Python files.
 *
 * @example
 * ```ts ignore
 * const executor = pythonExecutor({ folder: "./worker-data" });
 * executor.start(attempt, (event) => console.log(event));
 * await executor.close();
 * ```
 */
export function pythonExecutor(options: PythonOptions = {}): Executor {
  return new PythonExecutor(options);
}

class PythonExecutor implements Executor {
  readonly kind = "python";
  readonly #options: PythonOptions;
  readonly #running = new Set<PythonAttempt>();
  readonly #ending = new AtClose();
  #place: PythonPlace | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(options: PythonOptions) {
    this.#options = options;
    const { folder } = options;
    // What a killed worker's attempts left outside of their groups.
    if (folder !== undefined) this.#ending.add(endEarlierLives(join(folder, PYTHON_LIFELINE)));
  }

  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running {
    if (this.#isClosed) return endAtOnce(events, { state: "stopped" });
    const work = prepare(attempt, limitsOf(attempt, this.#options));
    if ("message" in work) return refuse(events, work);
    const { lease: { task }, slot } = attempt;
    this.#attempts += 1;
    const begun = attemptTo(
      "start a process for the evaluator",
      () => this.#begin(attempt, work, this.#attempts),
    );
    if ("message" in begun) return refuse(events, begun);
    const { place, process, given } = begun;
    const running = new PythonAttempt(process, given, {
      report: (step, metrics) => events({ type: "report", step, metrics }),
      checkpoint: (step, path) => events({ type: "checkpoint", step, path }),
      file: (name, path) => events({ type: "file", name, path }),
      output: (data) => events({ type: "output", stream: "stdout", data }),
      warns: (message) => this.#options.warns?.(message, task),
      ended: (end, reusable) => {
        this.#running.delete(running);
        if (reusable !== undefined) place.processes.giveBack(slot, reusable);
        this.#ending.add(place.folders.ended(given.folder, { state: end.state }));
        events({ type: "ended", end });
      },
    });
    this.#running.add(running);
    return running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running];
    for (const attempt of running) attempt.stop(0);
    await Promise.all(running.map(({ over }) => over));
    await this.#ending.settled();
    const place = this.#place;
    this.#place = undefined;
    await place?.close();
  }

  /** @throws Error where this machine cannot */
  #begin(attempt: Attempt, { code, input }: Work, id: number): Begun | Refusal {
    const { lease: { task }, slot, restored, collect } = attempt;
    const place = this.#place ??= openPythonPlace(this.#options);
    const folder = place.folders.make(attempt.lease);
    const snapshots = `${place.snapshots}${id}-`;
    const line = requestLine(attempt, input, { id, folder, snapshots });
    const begun = "message" in line ? line : attemptTo("start a process for the evaluator", () => {
      const given = { id, line, folder, snapshots, restoredStep: restored?.step, collect };
      const output = new OutputFile(
        join(folder, PRINTS_FILE),
        (message) => this.#options.warns?.(message, task),
      );
      const process = attemptTo("start a process for the evaluator", () => place.processes.take(slot, code));
      if (process instanceof PythonProcess) return { place, process, given: { ...given, output } };
      this.#ending.add(output.close());
      return process;
    });
    if ("message" in begun) this.#ending.add(place.folders.ended(folder, { state: "failed" }));
    return begun;
  }
}

interface Begun {
  readonly place: PythonPlace;
  readonly process: PythonProcess;
  readonly given: PythonGiven;
}

/** A file that can be tried. */
interface Work {
  readonly code: PythonCode;
  readonly input: TaskInput;
}

/** Checks all that can be known without a process. */
function prepare(
  { evaluator, payload, devices }: Attempt,
  limits: ProcessLimits | undefined,
): Work | Refusal {
  if (evaluator.kind !== "python") {
    return refusal(`the Python executor cannot run an evaluator of kind ${evaluator.kind}`);
  }
  const input = decodeInput(payload);
  if (typeof input === "string") return refusal(input);
  const code = findCode(evaluator, devices, limits);
  return "message" in code ? code : { code, input };
}

function findCode(
  evaluator: PythonEvaluator,
  devices: Attempt["devices"],
  limits: ProcessLimits | undefined,
): PythonCode | Refusal {
  const path = resolve(evaluator.path);
  // Anything else is not even tried: what is wrong with it would be told with the line that is.
  if (!path.endsWith(".py")) return refusal(`${path} is no Python file: its name does not end with .py`);
  const modifiedMs = modifiedAt(path);
  if (typeof modifiedMs === "string") return refusal(modifiedMs);
  // From the start: a library that has met other devices does not let go of them.
  const environment = environmentOf(deviceEnvironment(devices), evaluator.env, threadVariables(limits));
  const name = evaluator.interpreter ?? INTERPRETER_DEFAULT;
  const found = findProgram(name, dirname(path), environment["PATH"] ?? "");
  // Another machine may have it.
  if (!found.ok) return { message: `the evaluator's interpreter is missing: ${found.message}`, final: false };
  const attemptsMax = evaluator.processTrials ?? Infinity;
  return { path, modifiedMs, interpreter: found.path, environment, limits, attemptsMax };
}

function modifiedAt(path: string): number | string {
  try {
    const { isFile, mtime } = Deno.statSync(path);
    return isFile ? mtime?.getTime() ?? 0 : `${path} is not a file: an evaluator is a Python file`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no file ${path} on this machine`;
    return `${path} cannot be read: ${wordsOf(error)}`;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
