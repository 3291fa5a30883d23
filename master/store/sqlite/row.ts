/**
 * Values of columns, as the types that the schema gives them.
 *
 * @module
 */
import type { Metrics } from "../../../shared/model/outcome.ts";
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

/** A row by column. */
export type Row = Record<string, SQLOutputValue>;

export function numberOf(value: SQLOutputValue | undefined): number {
  if (typeof value !== "number") throw new TypeError(`a column should hold a number, not ${typeof value}`);
  return value;
}

export function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value !== "string") throw new TypeError(`a column should hold a text, not ${typeof value}`);
  return value;
}

export function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`a column should hold bytes, not ${typeof value}`);
  return value;
}

export function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null ? null : numberOf(value);
}

export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null ? null : textOf(value);
}

/** Metrics from the JSON that a commit wrote. */
export function metricsOf(json: string): Metrics {
  return JSON.parse(json);
}

/** All rows of a statement that runs seldom. */
export function rows(db: DatabaseSync, sql: string, ...values: SQLInputValue[]): readonly Row[] {
  return db.prepare(sql).all(...values);
}

/** The first row of a statement that runs seldom. */
export function row(db: DatabaseSync, sql: string, ...values: SQLInputValue[]): Row | undefined {
  return db.prepare(sql).get(...values);
}
