/**
 * What a verb answers, in the form that was asked for.
 *
 * @module
 */
import { Option } from "commander";
import type { Terminal } from "./terminal.ts";

/** `table` for people, `json` exactly one value, `quiet` only what a script would use next. */
export type OutputForm = "table" | "json" | "quiet";

/** One answer in its three forms. */
export interface Answer {
  readonly json: unknown;
  table(): string;
  quiet(): string;
}

/** `--output`, which every verb has. */
export function outputOption(): Option {
  return new Option("--output <form>", "what is printed: for people, one JSON value, or next to nothing")
    .choices(["table", "json", "quiet"]).default("table");
}

/** Prints an answer. */
export function printAnswer(terminal: Terminal, form: OutputForm, answer: Answer): void {
  const text = form === "json"
    ? JSON.stringify(answer.json)
    : form === "table"
    ? answer.table()
    : answer.quiet();
  if (text !== "") terminal.out(text);
}
