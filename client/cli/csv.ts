/**
 * Trials as rows of a table file (RFC 4180).
 *
 * @module
 */
import type { TrialSummary } from "../../shared/model/experiment.ts";
import { isRecord } from "../../shared/space/problem.ts";

/** A row: values by column. */
export type Row = ReadonlyMap<string, string>;

const FIRST_COLUMNS = [
  "trial",
  "state",
  "attempts",
  "worker",
  "elapsedMs",
  "endedAtMs",
  "cause",
  "message",
] as const;

/** A trial as a row: metrics as `metric.<name>`, the candidate's values as `param.<path>`. */
export function rowOf(trial: TrialSummary): Row {
  const row = new Map<string, string>();
  for (const column of FIRST_COLUMNS) row.set(column, text(trial[column]));
  for (const [name, value] of Object.entries(trial.metrics ?? {})) row.set(`metric.${name}`, text(value));
  addValues(row, "param", trial.candidate);
  return row;
}

/** The columns of a file: what every trial has, then metrics, then parameters, each by name. */
export function orderColumns(columns: Iterable<string>): readonly string[] {
  const all = [...columns];
  const named = (prefix: string) => all.filter((each) => each.startsWith(prefix)).sort(byName);
  return [...FIRST_COLUMNS, ...named("metric."), ...named("param.")];
}

/** `blocks.2` before `blocks.10`, in the same way on every machine whatever its language. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** A line of the file, without its end. */
export function csvLine(cells: Iterable<string>): string {
  return Array.from(cells, (cell) => /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell).join(
    ",",
  );
}

function addValues(row: Map<string, string>, path: string, value: unknown): void {
  if (Array.isArray(value)) value.forEach((each, index) => addValues(row, `${path}.${index}`, each));
  else if (isRecord(value)) {
    for (const [name, each] of Object.entries(value)) addValues(row, `${path}.${name}`, each);
  } else row.set(path, text(value));
}

function text(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
