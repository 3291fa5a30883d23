/**
 * What a master or a worker has to say, a line each.
 *
 * @module
 */
import type { LogFields, LogLevel } from "../../shared/actor/actor.ts";
import type { LogSink } from "./roles.ts";
import type { Terminal } from "./terminal.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** The levels of the log, the most talkative first. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** Prints lines from a level on. */
export function logLines(terminal: Terminal, from: LogLevel): LogSink {
  return (level, path, text, fields) => {
    if (RANK[level] < RANK[from]) return;
    terminal.note(`${new Date().toISOString()} ${level} ${path}: ${text}${describe(fields)}`);
  };
}

function describe(fields: LogFields): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
