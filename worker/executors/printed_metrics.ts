/**
 * Metrics as programs write them: JSON in a line or a file.
 *
 * @module
 */
import { join } from "node:path";
import type { Metrics } from "../../shared/model/outcome.ts";
import { type Line, REPORT_MARK } from "./line_reader.ts";
import { isMetrics, METRICS_ADVICE, metricsProblem } from "./module/harness/metrics.ts";

/** Metrics, or what is wrong. */
export type ReadMetrics = { readonly ok: true; readonly metrics: Metrics } | {
  readonly ok: false;
  readonly message: string;
};

/** A report, or what is wrong. */
export type ReadReport =
  | { readonly ok: true; readonly step: number | undefined; readonly metrics: Metrics }
  | { readonly ok: false; readonly message: string };

/** The file of a program's metrics in its attempt's folder. */
export const RESULT_FILE = "result.json";
/** That file is read up to this size, in bytes. */
export const RESULT_BYTES_MAX = 1024 * 1024;

/** Reads what stands behind the mark of a report: metrics, and maybe their step. */
export function readReport({ text, isCut }: Line): ReadReport {
  if (isCut) return { ok: false, message: "its line is longer than what is read of one" };
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  if (typeof value !== "object" || value === null || !("step" in value)) return withStep(value, undefined);
  const { step, ...rest } = value;
  if (typeof step === "number" && Number.isSafeInteger(step) && step >= 0) return withStep(rest, step);
  return { ok: false, message: `its step is ${JSON.stringify(step)}; steps are whole numbers from 0` };
}

/** Reads the metrics in a program's last line. */
export function readLastLine(line: Line | undefined): ReadMetrics {
  const expected =
    `the spec's "result: last_line" expects a JSON object of metrics in the last line of standard output`;
  if (line === undefined) return { ok: false, message: `the program printed nothing: ${expected}` };
  if (line.isCut) {
    return { ok: false, message: `the last line is longer than what is read of one: ${expected}` };
  }
  const { text } = line;
  if (text.startsWith(REPORT_MARK)) {
    const report = readReport({ text: text.slice(REPORT_MARK.length), isCut: false });
    return report.ok
      ? report
      : { ok: false, message: `the last line has no metrics, ${report.message}: ${expected}` };
  }
  const read = metricsIn(text);
  return read.ok
    ? read
    : { ok: false, message: `the last line has no metrics, ${read.message}: ${expected}` };
}

/** Reads the metrics in a program's file; undefined where there is none. */
export async function readResultFile(folder: string): Promise<ReadMetrics | undefined> {
  const path = join(folder, RESULT_FILE);
  try {
    const { isFile, size } = await Deno.lstat(path);
    // A pipe would be waited for, for ever; a link may lead to what another cannot read.
    if (!isFile) return { ok: false, message: `${RESULT_FILE} is no file` };
    if (size > RESULT_BYTES_MAX) {
      return { ok: false, message: `${RESULT_FILE} has ${size} bytes; ${RESULT_BYTES_MAX} are read` };
    }
    const read = metricsIn(await Deno.readTextFile(path));
    return read.ok ? read : { ok: false, message: `${RESULT_FILE} has no metrics, ${read.message}` };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    return {
      ok: false,
      message: `${RESULT_FILE} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function withStep(value: unknown, step: number | undefined): ReadReport {
  return isMetrics(value) ? { ok: true, step, metrics: value } : { ok: false, message: adviceOn(value) };
}

function metricsIn(text: string): ReadMetrics {
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  return isMetrics(parsed.value)
    ? { ok: true, metrics: parsed.value }
    : { ok: false, message: adviceOn(parsed.value) };
}

function adviceOn(value: unknown): string {
  return `${metricsProblem(value)}; ${METRICS_ADVICE}`;
}

/** What Python writes of numbers that JSON does not have. */
const NOT_FINITE = /"([^"\n]{1,200})"\s*:\s*(-?Infinity|NaN)\b/;
/** How much of a broken text a message repeats. */
const SHOWN_MAX = 80;

function parse(
  text: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    const [, name, number] = NOT_FINITE.exec(text) ?? [];
    const message = number === undefined
      ? `it is no JSON: ${text.trim().slice(0, SHOWN_MAX)}`
      : `its metric "${name}" is ${number}; ${METRICS_ADVICE}`;
    return { ok: false, message };
  }
}
