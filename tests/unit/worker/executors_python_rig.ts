/**
 * Python evaluators for tests of their executor.
 *
 * @module
 */
import type { PythonEvaluator } from "../../../shared/model/task.ts";
import type { Attempt, Executor } from "../../../worker/executors/executor.ts";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { attemptOf, type End, observe, type Observed } from "../../conformance/executor_attempts.ts";

/** Where Python is; undefined where it is not installed. */
export const PYTHON: string | undefined = findPython();

/** Registers a test, or says that it is passed over where there is no Python. */
export function testPython(name: string, body: () => Promise<void>): void {
  const reason = PYTHON === undefined ? " (passed over: there is no python3 in PATH)" : "";
  Deno.test({ name: name + reason, timeout: 60_000, ignore: PYTHON === undefined, fn: body });
}

/** What a test has. */
export interface PythonRig {
  /** The worker's data folder. */
  readonly folder: string;
  /** Where evaluators lie. */
  readonly sources: string;
  readonly executor: Executor;
  readonly warnings: readonly string[];
  /** Writes a file, whose lines stand in the function evaluate unless it has one of its own; returns its evaluator. */
  write(text: string, name?: string): Promise<PythonEvaluator>;
  start(evaluator: PythonEvaluator, candidate?: unknown, slot?: number): Observed;
  /** Starts an attempt that has been given more. */
  given(evaluator: PythonEvaluator, more: Partial<Attempt>, slot?: number): Observed;
  /** Writes a file and runs it to its end. */
  run(text: string, candidate?: unknown): Promise<End>;
  /** The folder of attempt 1 of the task that was started as the `number`th. */
  folderOf(number: number): string;
}

/** A test with an executor, closed after it, and folders, removed after it. */
export function withPython(name: string, body: (rig: PythonRig) => Promise<void>): void {
  testPython(name, async () => {
    const root = await Deno.makeTempDir({ prefix: "espalier-python-" });
    const folder = `${root}/data`, sources = `${root}/with a space`;
    await Deno.mkdir(sources);
    const warnings: string[] = [];
    const executor = pythonExecutor({ folder, warns: (message) => warnings.push(message) });
    let started = 0, written = 0;
    const rig: PythonRig = {
      folder,
      sources,
      executor,
      warnings,
      async write(text, file = `evaluate_${written += 1}.py`) {
        await Deno.writeTextFile(`${sources}/${file}`, sourceOf(text));
        return { kind: "python", path: `${sources}/${file}` };
      },
      start(evaluator, candidate = {}, slot = 0) {
        started += 1;
        return observe(executor, attemptOf({ evaluator, input: { candidate, seed: 7 } }, slot, started));
      },
      given(evaluator, more, slot = 0) {
        started += 1;
        const attempt = attemptOf({ evaluator, input: { candidate: {} } }, slot, started);
        return observe(executor, { ...attempt, ...more });
      },
      run: async (text, candidate) => await rig.start(await rig.write(text), candidate).ended,
      folderOf: (number) => `${folder}/attempts/test_${number}_1`,
    };
    try {
      await body(rig);
    } finally {
      await executor.close();
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** A failure's words. */
export function failureOf(end: End): { message: string; final: boolean; stack: string } {
  if (end.state !== "failed") throw new Error(`the attempt has not failed: ${JSON.stringify(end)}`);
  return { message: end.message, final: end.final, stack: end.stack ?? "" };
}

/** The metrics of what completed. */
export function metricsOf(end: End): Readonly<Record<string, number>> {
  if (end.state === "completed") return end.metrics;
  throw new Error(JSON.stringify(end));
}

function sourceOf(text: string): string {
  if (/^(async )?def evaluate\b|^# no evaluate/m.test(text)) return text;
  const lines = text.split("\n").map((line) => `    ${line}`);
  return `import os, sys, time\nimport espalier\ndef evaluate(candidate, context):\n${lines.join("\n")}\n`;
}

function findPython(): string | undefined {
  const places = (Deno.env.get("PATH") ?? "").split(":").map((place) => `${place}/python3`);
  return places.find((place) => {
    try {
      return Deno.statSync(place).isFile;
    } catch {
      return false;
    }
  });
}
